"""Dagster's SQLite storages with an engine per database instead of one per query.

With the old engine, the stock storages forget every statement that SQLAlchemy has compiled. And for each
instance and database they have alembic read all of its revisions, to see that the tables are there; a code
server opens an instance per tick of a sensor. Here a database is asked for its stamp, once per process.
tests/contract pins what is overridden.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from tdw_resources.dagster_internals import (
    SQLITE_BUSY_TIMEOUT_SECONDS,
    ConfigurableClassData,
    SqliteEventLogStorage,
    SqliteRunStorage,
    SqliteScheduleStorage,
    UserConfigSchema,
    create_db_conn_string,
)

_prepared = set[str]()
"""Databases that have all their tables: this process has looked."""


class InHome:
    """Of a storage that is configured with the instance's folder: one dagster.yaml serves every copy."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """`home`: the instance's folder."""
        return {"home": dg.StringSource}


class _OneFile(InHome):
    """Of a storage that is one file, in the stock storage's place.

    Attributes:
        FOLDER, NAME: where, below the instance's folder.
        ADDED: a table that the stock storage adds to databases of old versions.
    """

    FOLDER: ClassVar[str]
    NAME: ClassVar[str]
    ADDED: ClassVar[tuple[str, ...]] = ()
    _conn_string: str

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Any:
        """Called by Dagster with what stands in dagster.yaml."""
        stock: Any = cls
        folder = Path(config_value["home"]) / cls.FOLDER
        database = create_db_conn_string(str(folder), cls.NAME)
        if _is_prepared(database, folder / f"{cls.NAME}.db", *cls.ADDED):
            return stock(database, inst_data)
        return stock.from_local(str(folder), inst_data)

    @contextlib.contextmanager
    def connect(self) -> Iterator[Connection]:
        """A new connection in a transaction, as the stock storage gives."""
        with _transaction(self._conn_string) as connection:
            yield connection


class KeptSqliteRunStorage(_OneFile, SqliteRunStorage):
    """Dagster's runs. Configured in dagster.yaml, in the place of the stock storage."""

    FOLDER, NAME, ADDED = "history", "runs", ("instance_info",)


class KeptSqliteScheduleStorage(_OneFile, SqliteScheduleStorage):
    """Sensors, their ticks, and backfills. Configured in dagster.yaml, in the place of the stock storage."""

    FOLDER, NAME = "schedules", "schedules"


class KeptEngineEventLogStorage(SqliteEventLogStorage):
    """The event log: a database of each run, and an index of all."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._tables = set[str]()
        super().__init__(base_dir, inst_data)

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A new connection in a transaction, as the stock storage gives."""
        with self._db_lock:
            database = self.conn_string_for_shard(shard)
            if shard not in self._initialized_dbs:
                if not _is_prepared(database, Path(self.path_for_shard(shard))):
                    self._initdb(_engine(database))
                self._initialized_dbs.add(shard)
            with _transaction(database) as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the index has this table; one that was there is not looked for again."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables


def is_stamped(database: str, *tables: str) -> bool:
    """Whether the database at this URL has all its tables: Dagster stamps its version when they are there.

    Args:
        database: the URL of a file that exists.
        tables: some more that have to be there.
    """
    with _engine(database).connect() as connection:
        found = connection.exec_driver_sql("select name from sqlite_master").scalars().all()
        if not {"alembic_version", *tables} <= set(found):
            return False
        return bool(connection.exec_driver_sql("select count(*) from alembic_version").scalar())


def _is_prepared(database: str, path: Path, *tables: str) -> bool:
    if not path.exists():
        return False
    if database not in _prepared and is_stamped(database, *tables):
        _prepared.add(database)
    return database in _prepared


@contextlib.contextmanager
def _transaction(database: str) -> Iterator[Connection]:
    with _engine(database).connect() as connection, connection.begin():
        yield connection


@functools.lru_cache(maxsize=16)  # those of the instance, and of the runs that go on
def _engine(database: str) -> Engine:
    return create_engine(database, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
