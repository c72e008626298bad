"""An instance to look at: nothing is written to its home, which may be a colleague's or on a read-only disk.

Opening an instance makes folders, tables and write-ahead logs. Here its SQLite files are opened read-only
instead, by storages that differ from Dagster's own in how they connect.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import dagster as dg
from dagster._core.instance import InstanceRef, InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs import SqliteRunStorage


@dataclass(frozen=True)
class Reading:
    """An instance that is only looked at.

    Attributes:
        instance: that of the home, or an empty one in memory.
        recorded: whether the home holds an instance.
    """

    instance: dg.DagsterInstance
    recorded: bool


@contextlib.contextmanager
def read_instance(home: Path) -> Iterator[Reading]:
    """Look at the instance of `home` without writing anything there."""
    runs, events = home / "history" / "runs.db", home / "history" / "runs"
    configured = (home / "dagster.yaml").exists()
    if configured and not _keeps_files_in(home):  # a database server, or files elsewhere
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield Reading(instance, recorded=True)
    elif configured and runs.exists() and (events / f"{INDEX_SHARD_NAME}.db").exists():
        with (
            tempfile.TemporaryDirectory(prefix="tdw-") as scratch,
            _read_only(runs, events, Path(scratch)) as instance,
        ):
            yield Reading(instance, recorded=True)
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield Reading(instance, recorded=False)


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


def _read_only(runs: Path, events: Path, scratch: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=LocalArtifactStorage(str(scratch)),
        run_storage=SqliteRunStorage(_address(runs, scratch)),
        event_storage=_ReadOnlyEvents(events, scratch),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
        settings={},
    )


class _ReadOnlyEvents(SqliteEventLogStorage):
    """The stock storage on files that it must not change."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._scratch = scratch
        super().__init__(str(folder))
        self._initialized_dbs.add(INDEX_SHARD_NAME)

    def conn_string_for_shard(self, shard_name: str) -> str:
        """Where SQLAlchemy connects."""
        return _address(Path(self.path_for_shard(shard_name)), self._scratch)


def _address(database: Path, scratch: Path) -> str:
    """How to open a SQLite file so that nothing appears beside it.

    Even a reader makes a `-wal` and a `-shm` file, unless it takes the database for immutable. That is right
    when no transaction waits in a `-wal` file. Otherwise somebody writes now, and reading by their `-shm`
    makes nothing new; where only the `-wal` is left (a copy of a killed workbench), both files are copied.
    """
    log, shared = (database.with_name(database.name + end) for end in ("-wal", "-shm"))
    if not log.exists() or not log.stat().st_size:
        return _uri(database, "immutable=1")
    if shared.exists():
        return _uri(database, "mode=ro")
    for file in (database, log):
        shutil.copyfile(file, scratch / file.name)
    return _uri(scratch / database.name, "mode=rw")


def _uri(database: Path, how: str) -> str:
    return f"sqlite:///file:{quote(str(database))}?{how}&uri=true"
