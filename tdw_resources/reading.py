"""An instance to look at: nothing is written to its home, which may be a colleague's or on a read-only disk.

Opening an instance makes folders, tables and write-ahead logs. Here its SQLite files are opened read-only
instead, by storages that differ from Dagster's own in how they connect.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import dagster as dg
from sqlalchemy.exc import DatabaseError

from tdw.errors import StoreError
from tdw.store import reading
from tdw_resources.dagster_internals import (
    INDEX_SHARD_NAME,
    DefaultRunCoordinator,
    InstanceRef,
    InstanceType,
    LocalArtifactStorage,
    NoOpComputeLogManager,
    SqliteRunStorage,
    SyncInMemoryRunLauncher,
)
from tdw_resources.kept_engines import KeptEngineEventLogStorage, is_stamped

Found = TypeVar("Found")


@dataclass(frozen=True)
class Reading:
    """An instance that is only looked at.

    Attributes:
        instance: that of the home, or an empty one in memory.
        recorded: whether the home holds an instance.
    """

    instance: dg.DagsterInstance
    recorded: bool


def read_instance(home: Path, look: Callable[[Reading], Found]) -> Found:
    """What `look` finds in the instance of `home`; nothing is written there.

    While somebody else writes, `look` may be called twice.

    Raises:
        StoreError: the home, or a database in it, can't be read.
    """
    with reading.access(home):  # before anything in it is looked at
        configured = (home / "dagster.yaml").exists()
    if configured and not _keeps_files_in(home):  # a database server, or files elsewhere
        with dg.DagsterInstance.from_config(str(home)) as instance:
            return look(Reading(instance, recorded=True))
    before = _stamps(home)
    try:
        try:
            found = _look(home, look, _as_a_still)
        except Exception:  # half of a change may look like anything
            if _stamps(home) == before:
                raise
        else:
            if _stamps(home) == before:
                return found
        return _look(home, look, _beside_a_writer)
    except DatabaseError as error:
        raise StoreError(
            f"{home}: Dagster's record can't be read ({error.orig})",
            "see the permissions of its files, or name another instance with --home",
        ) from error


def _look(home: Path, look: Callable[[Reading], Found], how: Callable[[Path, Path], str]) -> Found:
    runs, events = _databases(home)
    with tempfile.TemporaryDirectory(prefix="tdw-") as folder:
        known: dict[Path, str] = {}

        def address(database: Path) -> str:
            if database not in known:
                known[database] = how(database, Path(folder))
            return known[database]

        recorded = (home / "dagster.yaml").exists() and all(_is_made(db, address) for db in (runs, events))
        with _read_only(runs, events, address) if recorded else dg.DagsterInstance.ephemeral() as instance:
            return look(Reading(instance, recorded))


def _databases(home: Path) -> tuple[Path, Path]:
    """Of runs, and the index of events."""
    return home / "history" / "runs.db", home / "history" / "runs" / f"{INDEX_SHARD_NAME}.db"


def _stamps(home: Path) -> list[tuple[int, int] | None]:
    """The state of the files: equal as long as nobody writes."""
    found: list[tuple[int, int] | None] = []
    for database in _databases(home):
        for path in (database, database.with_name(f"{database.name}-wal")):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size))
                continue
            found.append(None)
    return found


def _keeps_files_in(home: Path) -> bool:
    """Whether dagster.yaml of `home` leaves runs and events where Dagster puts them by default."""
    os.environ["DAGSTER_HOME"] = str(home)  # dagster.yaml refers to it
    ref = InstanceRef.from_dir(str(home))
    return all(
        data is not None
        and "Sqlite" in data.class_name
        and (str(home) in data.config_yaml or "DAGSTER_HOME" in data.config_yaml)
        for data in (ref.run_storage_data, ref.event_storage_data)
    )


def _is_made(database: Path, address: Callable[[Path], str]) -> bool:
    return database.exists() and is_stamped(address(database))


def _read_only(runs: Path, events: Path, address: Callable[[Path], str]) -> dg.DagsterInstance:
    return dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=LocalArtifactStorage(tempfile.gettempdir()),
        run_storage=SqliteRunStorage(address(runs)),
        event_storage=_ReadOnlyEvents(events.parent, address),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
        settings={},
    )


class _ReadOnlyEvents(KeptEngineEventLogStorage):
    """The stock storage on files that it must not change."""

    def __init__(self, folder: Path, address: Callable[[Path], str]) -> None:
        self._address = address
        super().__init__(str(folder))
        self._initialized_dbs.add(INDEX_SHARD_NAME)

    def conn_string_for_shard(self, shard_name: str) -> str:
        """Where SQLAlchemy connects."""
        return self._address(Path(self.path_for_shard(shard_name)))


def _as_a_still(database: Path, scratch: Path) -> str:
    """How to open a SQLite file so that nothing appears beside it; right as long as nobody writes.

    Even a reader makes a `-wal` and a `-shm` file, unless it takes the database for immutable, and then it
    leaves out the transactions that wait in a `-wal`. Where there is one (of a killed workbench, or of one
    that works now), both files are copied.
    """
    log = database.with_name(f"{database.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return _uri(database, "immutable=1")
    for file in (database, log):
        shutil.copyfile(file, scratch / file.name)
    return _uri(scratch / database.name, "mode=rw")


def _beside_a_writer(database: Path, scratch: Path) -> str:
    """How to open it while somebody writes: by the `-wal` and `-shm` files that the writer makes anyway."""
    return _uri(database, "mode=ro")


def _uri(database: Path, how: str) -> str:
    return f"sqlite:///file:{quote(str(database))}?{how}&uri=true"
