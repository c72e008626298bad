"""The Dagster instance of a home: made when it is missing, its pools sized to the cores."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg
from dagster._core.storage.sqlite import create_db_conn_string
from sqlalchemy.engine import make_url

from tdw.errors import BadConfig, StoreError
from tdw_resources.liveness import STOPPED_TAG, WORKER_TAG, is_alive
from tdw_resources.places import DEFAULT_HOME

TRAIN_POOL = "train"
ANALYSIS_POOL = "analysis"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare_home(home: Path) -> None:
    """Make the folder and its dagster.yaml (a copy of the default one) where they are missing.

    Raises:
        BadConfig: a path that Dagster would take for another one.
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
            "give a folder that can be written, with --store or $TDW_STORE",
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
    return dg.DagsterInstance.from_config(str(home))


def size_pools(instance: dg.DagsterInstance, *, workers: int | None = None) -> None:
    """Give both pools explicit limits: one training a core, analysis half of them.

    A pool with only a default limit lets the whole first batch of runs through.
    """
    workers = workers or cores()
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        storage.set_concurrency_slots(TRAIN_POOL, workers)
        storage.set_concurrency_slots(ANALYSIS_POOL, max(1, workers // 2))


_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,  # its worker died between recording the run and starting it
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark unfinished runs of ours whose worker is gone as failed; the run ids.

    Dagster's own monitoring does this while a daemon runs; `tdw fill` needs none.
    """
    failed: list[str] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        if is_alive(run.tags.get(WORKER_TAG, "")) is False:
            instance.report_run_failed(run, "The process that worked on this run is gone.")
            failed.append(run.run_id)
    return failed


def end_left_runs(instance: dg.DagsterInstance) -> list[str]:
    """Before Dagster is started on a home that nobody else uses: end what a killed workbench left unfinished.

    Monitoring would wait minutes for runs that were about to start. They count as stopped, not as failed, so
    they use up no attempt. Runs of a living `tdw fill` are left alone; queued ones are still to be started.
    """
    ended: list[str] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        if not is_alive(run.tags.get(WORKER_TAG, "")):
            instance.add_run_tags(run.run_id, {STOPPED_TAG: "true"})
            instance.report_run_failed(run, "The workbench ended while this run was under way.")
            ended.append(run.run_id)
    return ended
