"""Which runs of an instance are ours. A Dagster home that was given to us may hold those of others."""

from __future__ import annotations

import dagster as dg

from tdw_resources.links import LOCATION

_TAG_PREFIX = "tdw/"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,  # its worker died between recording the run and starting it
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def is_ours(run: dg.DagsterRun) -> bool:
    """Whether a run carries a tag of ours, or was launched from our code location (as from the UI)."""
    if any(tag.startswith(_TAG_PREFIX) for tag in run.tags):
        return True
    origin = run.remote_job_origin
    return origin is not None and origin.repository_origin.code_location_origin.location_name == LOCATION


def unfinished_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Our runs that have begun, or were about to, and have not ended; queued ones are still to be started."""
    return [run for run in _unfinished(instance) if is_ours(run) and run.status != dg.DagsterRunStatus.QUEUED]


def unfinished_runs_of_others(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Runs of other projects that are queued or in progress."""
    return [run for run in _unfinished(instance) if not is_ours(run)]


def _unfinished(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    return list(instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)))
