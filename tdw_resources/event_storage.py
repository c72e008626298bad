"""SQLite event log storage that writes a batch of asset events in two transactions instead of two per event.

Stock SQLite storage loops over `store_event`, which opens two databases and commits twice: 40-72 ms per event
on an ordinary disk. Every cell has two events, so 10 analyzers x 250 epochs cost minutes. Here a batch of 100
costs 1-3 ms per event. And SQLite tidies up each time that nobody has the database open any more: here the
index stays open. This touches Dagster's internals; tests/contract pins the version and checks that what is
written is what the stock storage writes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from tdw_resources.dagster_internals import (
    ASSET_EVENTS,
    INDEX_SHARD_NAME,
    ConfigurableClassData,
    SqlEventLogStorageTable,
)
from tdw_resources.events.wiping import wipe_partitions
from tdw_resources.kept_engines import InHome, KeptEngineEventLogStorage

BATCH_SIZE = 200  # events that Dagster itself collects before it writes, e.g. those planned by a backfill


class BatchingSqliteEventLogStorage(InHome, KeptEngineEventLogStorage):
    """With a real `store_event_batch`, and an index that stays open. Configured in dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        collect_events()
        self._held: sqlite3.Connection | None = None
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> BatchingSqliteEventLogStorage:
        """Called by Dagster with what stands in dagster.yaml."""
        return cls(str(Path(config_value["home"]) / "history" / "runs"), inst_data)

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard == INDEX_SHARD_NAME and self._held is None:
            with self._db_lock:
                self._held = self._held or _hold(Path(self.path_for_shard(shard)))
        with super()._connect(shard) as connection:
            yield connection

    def dispose(self) -> None:
        """Let go of the database."""
        if self._held is not None:
            self._held.close()
            self._held = None
        super().dispose()

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Write events in their order; neighboring asset events share their transactions."""
        store_in_batches(events, self._store_asset_events, self.store_event)

    def wipe_asset_partitions(self, asset_key: dg.AssetKey, partition_keys: Sequence[str]) -> None:
        """Forget what was recorded of some partitions."""
        with self.index_transaction() as connection:
            wipe_partitions(connection, asset_key, partition_keys, store_last=self._store_asset_event)

    def _store_asset_events(self, events: Sequence[dg.EventLogEntry]) -> None:
        rows = [self._event_to_row(event) for event in events]
        by_run: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            by_run[row["run_id"]].append(row)
        for run_id, run_rows in by_run.items():
            with self.run_connection(run_id) as connection:
                connection.execute(SqlEventLogStorageTable.insert(), run_rows)
        # The index comes second, as in the stock storage: an event that queries can see is always in its
        # run's log too. Readers follow the index, so a crash in between leaves the cells missing.
        with self.index_transaction() as connection:
            ids = _insert(connection, rows)
            self._store_asset_event_tags(connection, events, ids)
            for at in sorted(last_of_each_asset(events)):
                self._store_asset_event(connection, events[at], ids[at])


def _hold(database: Path) -> sqlite3.Connection | None:
    """A connection that does nothing but keep the database open; None before there is one."""
    if not database.exists():
        return None
    held = sqlite3.connect(database, check_same_thread=False)
    held.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # opens the file
    return held


def collect_events() -> None:
    """Have Dagster hand events over in batches; every process that opens the instance comes by here."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(BATCH_SIZE))


def store_in_batches(
    events: Sequence[dg.EventLogEntry],
    store_asset_events: Callable[[Sequence[dg.EventLogEntry]], None],
    store_event: Callable[[dg.EventLogEntry], None],
) -> None:
    """Hand on events in their order: neighboring plain asset events together, any other one alone."""
    for plain, some in itertools.groupby(events, key=_is_plain_asset_event):
        if plain:
            store_asset_events(list(some))
        else:
            for event in some:
                store_event(event)


def last_of_each_asset(events: Sequence[dg.EventLogEntry]) -> list[int]:
    """Which events decide the assets' own rows: an asset has one, of its last event of each type."""
    last = {
        (event.get_dagster_event().asset_key, event.dagster_event_type): at for at, event in enumerate(events)
    }
    return list(last.values())


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert events; their storage ids. A transaction that writes is alone, so it numbers them in a row."""
    connection.execute(SqlEventLogStorageTable.insert(), rows)
    last = connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
    return list(range(last - len(rows) + 1, last + 1))


def _is_plain_asset_event(event: dg.EventLogEntry) -> bool:
    return (
        event.is_dagster_event
        and event.dagster_event_type in ASSET_EVENTS
        and event.get_dagster_event().asset_key is not None
    )
