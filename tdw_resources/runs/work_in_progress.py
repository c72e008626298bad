"""The runs of a study: what is being worked on (unfinished runs, retries, backfills), and what was tried."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from tdw.inventory.plan import Task
from tdw.inventory.wanted import Wanted
from tdw.reconcile.runs import Tried, WorkInProgress
from tdw_resources.dagster_internals import (
    AUTO_RETRY_RUN_ID_TAG,
    RANGE_END,
    RANGE_START,
    WILL_RETRY_TAG,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)
from tdw_resources.events.partition_keys import variant_in
from tdw_resources.runs.liveness import STOPPED_TAG, WORKER_TAG, is_alive
from tdw_resources.runs.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG, gap, purpose

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
COMPARE = "compare"
_RETRY_WITHIN_S = 180.0


@dataclass(frozen=True)
class StudyRuns:
    """See `tdw.reconcile.runs.Runs`."""

    wanted: Wanted
    instance: dg.DagsterInstance

    def busy(self) -> WorkInProgress:
        """See `tdw.reconcile.runs.Runs`."""
        return find_work_in_progress(self.wanted, self.instance)

    def tried(self, task: Task) -> Tried:
        """See `tdw.reconcile.runs.Runs`."""
        latest = self.instance.get_runs(
            dg.RunsFilter(tags=purpose(self.wanted, stage=task.stage, variant=task.variant)), limit=1
        )
        runs = self.instance.get_runs(dg.RunsFilter(tags=gap(self.wanted, task)))
        ended = [run for run in runs if run.is_finished and STOPPED_TAG not in run.tags]
        return Tried(
            canceled=bool(latest) and latest[0].status == dg.DagsterRunStatus.CANCELED,
            runs=len(runs),
            ended=len(ended),
            worked=sum(WORKER_TAG in run.tags for run in ended),
            latest=ended[0].run_id if ended else "",
        )

    def newest_event(self) -> int:
        """See `tdw.reconcile.runs.Runs`."""
        return self.instance.event_log_storage.get_maximum_record_id() or 0


def find_work_in_progress(wanted: Wanted, instance: dg.DagsterInstance) -> WorkInProgress:
    """Look at unfinished runs, failed ones that Dagster is about to retry, and backfills.

    A variant is busy whichever study a run is for: studies share its files.
    """
    runs = [record.dagster_run for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))]
    runs = [run for run in runs if not _was_never_started(run)]
    runs += _about_to_be_retried(instance)
    backfills = instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]))
    keys = [_partitions(backfill) for backfill in backfills]
    own = wanted.study.slug
    variants = {variant for run in runs for variant in _variants(run)}
    variants |= {variant_in(key) for some in keys for key in some or ()}
    return WorkInProgress(
        variants=frozenset(variants).intersection(wanted.variants),
        comparison=any(
            run.tags.get(STUDY_TAG, own) == own and (run.tags.get(STAGE_TAG) == COMPARE or not _variants(run))
            for run in runs
        ),
        everything=any(some is None for some in keys),
    )


def _was_never_started(run: dg.DagsterRun) -> bool:
    """Its worker, a `tdw fill`, died before it began; Dagster's monitoring looks at runs that began only."""
    return run.status == dg.DagsterRunStatus.NOT_STARTED and is_alive(run.tags.get(WORKER_TAG, "")) is False


def _variants(run: dg.DagsterRun) -> set[str]:
    partition = run.tags.get("dagster/partition", "")
    named = {run.tags.get(VARIANT_TAG, ""), variant_in(partition)}
    named |= {variant_in(run.tags.get(tag, "")) for tag in (RANGE_START, RANGE_END)}
    return named - {""}


def _about_to_be_retried(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Failed runs that Dagster's retry daemon has not taken up yet."""
    failed = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags={WILL_RETRY_TAG: "true"}), limit=50
    )
    since = time.time() - _RETRY_WITHIN_S
    return [
        record.dagster_run
        for record in failed
        if AUTO_RETRY_RUN_ID_TAG not in record.dagster_run.tags
        and record.update_timestamp.timestamp() > since
    ]


def _partitions(backfill: PartitionBackfill) -> Iterable[str] | None:
    """Partition keys of a backfill; None if Dagster has not resolved them yet."""
    if backfill.partition_names:
        return backfill.partition_names
    data = backfill.asset_backfill_data
    if data is None:
        return None
    subsets = data.target_subset.partitions_subsets_by_asset_key.values()
    return [key for subset in subsets for key in subset.get_partition_keys()]
