"""The Dagster instance of a home: made when it is missing, its pools sized to the cores."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from json import JSONDecodeError
from pathlib import Path
from socket import gethostname

import dagster as dg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from tdw.errors import BadConfig, StoreError
from tdw.store.lock import exclusive
from tdw_resources.dagster_internals import CheckError, DeserializationError, create_db_conn_string
from tdw_resources.places import DEFAULT_HOME
from tdw_resources.runs.heartbeat import is_shared
from tdw_resources.runs.liveness import LAUNCHED_BY_TAG, STOPPED_TAG, WORKER_TAG, is_alive
from tdw_resources.runs.own_runs import unfinished_runs

TRAIN_POOL = "train"
ANALYSIS_POOL = "analysis"
_POOLS_KEY = "tdw/pool_limits"
_INSTANCE_LOCK = "tdw_instance.lock"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare_home(home: Path) -> None:
    """Make the folder and its dagster.yaml (a copy of the default one) where they are missing.

    Raises:
        BadConfig: a path that Dagster would read as another one.
        StoreError: the folder can't be written.
    """
    target = home / "dagster.yaml"
    if target.exists():
        if "Sqlite" in target.read_text(errors="replace"):
            _require_plain(home)
        return
    _require_plain(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        # Two processes may start at once: both write the same bytes, and a rename is never half a file.
        scratch = target.with_suffix(f".{os.getpid()}.tmp")
        shutil.copyfile(DEFAULT_HOME / "dagster.yaml", scratch)
        scratch.replace(target)
    except OSError as error:
        raise StoreError(
            f"{home}: can't hold Dagster's files ({error.strerror or error})",
            "give a folder that can be written, with --store or --home",
        ) from error


def _require_plain(home: Path) -> None:
    """Dagster names its SQLite files by a URL, unquoted: `?` and `%20` would lead to another folder."""
    database = make_url(create_db_conn_string(str(home), "runs")).database
    if database != str(home / "runs.db"):
        raise BadConfig(
            f"{home}: Dagster can't keep its databases there: in its path, `?` and `%` mean something else",
            "rename the folder without them, or give another one with --store or $TDW_STORE",
        )


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance of `home`, made when it is missing. Sets $DAGSTER_HOME, which dagster.yaml refers to."""
    prepare_home(home)
    os.environ["DAGSTER_HOME"] = str(home)
    # Dagster makes its tables without a lock: of several first starts at once, some would end in
    # "table runs already exists".
    with exclusive(home / _INSTANCE_LOCK):
        return dg.DagsterInstance.from_config(str(home))


def database_errors() -> tuple[type[Exception], ...]:
    """What an instance raises while its database is away, busy or broken, or a run was just deleted; and for
    records that another version of Dagster has written, or a person.
    """
    unreadable = (DeserializationError, CheckError, JSONDecodeError)
    found = (SQLAlchemyError, sqlite3.Error, OSError, dg.DagsterError, *unreadable)
    # Of Dagster's attempts to connect: not one of its other errors, and not loaded where it can't be raised.
    postgres = sys.modules.get("dagster_postgres.utils")
    return (*found, postgres.DagsterPostgresException) if postgres else found


def size_pools(instance: dg.DagsterInstance, *, workers: int | None = None) -> None:
    """Give both pools explicit limits, for those who start runs through Dagster's daemon (`tdw up`).

    With `concurrency: {pools: {default_limit: N}}` in dagster.yaml it is N for both, whichever machine asks:
    that is for a cluster. Otherwise it is a training per core of this machine, and analysis half of them.
    (A pool with only a default limit lets the whole first batch of runs through.) A limit that somebody else
    has set (in the UI, or for a pool of the same name in another project) stays.
    """
    configured = instance.global_op_concurrency_default_limit
    workers = workers or configured or cores()
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    wanted = {TRAIN_POOL: workers, ANALYSIS_POOL: configured or max(1, workers // 2)}
    there = {pool.name: pool.limit for pool in storage.get_pool_limits() if not pool.from_default}
    cursors = instance.run_storage
    ours: dict[str, int] = json.loads(cursors.get_cursor_values({_POOLS_KEY}).get(_POOLS_KEY) or "{}")
    for pool, limit in wanted.items():
        if pool not in there or there[pool] == ours.get(pool):
            storage.set_concurrency_slots(pool, limit)
            ours[pool] = limit
    cursors.set_cursor_values({_POOLS_KEY: json.dumps(ours)})


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark unfinished runs of ours whose worker is gone as failed; the run ids.

    Dagster's own monitoring does this while a daemon runs; `tdw fill` needs none.
    """
    failed: list[str] = []
    for run in unfinished_runs(instance):
        if is_alive(run.tags.get(WORKER_TAG, "")) is False:
            instance.report_run_failed(run, "The process that worked on this run is gone.")
            failed.append(run.run_id)
    return failed


def end_left_runs(instance: dg.DagsterInstance) -> list[str]:
    """Before our Dagster is started on a home: end what a killed workbench of ours left unfinished.

    Monitoring would wait minutes for runs that were about to start. They count as stopped, not as failed, so
    they use up no attempt. Runs of a living `tdw fill` are left alone, and so are those of another machine,
    which can't be judged from here; queued ones are still to be started. On a database that machines share, a
    run that no machine has signed may be any one's.
    """
    ended: list[str] = []
    for run in unfinished_runs(instance):
        worker, launched_by = run.tags.get(WORKER_TAG, ""), run.tags.get(LAUNCHED_BY_TAG, "")
        here = launched_by == gethostname() if launched_by else not is_shared(instance)
        if (here and not worker) or is_alive(worker) is False:
            instance.add_run_tags(run.run_id, {STOPPED_TAG: "true"})
            instance.report_run_failed(run, "The workbench ended while this run was under way.")
            ended.append(run.run_id)
    return ended
