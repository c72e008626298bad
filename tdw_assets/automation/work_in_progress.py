"""What is being worked on: variants and assets that unfinished runs, retries and backfills are about."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from tdw.inventory.wanted import Wanted
from tdw_assets.automation.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG
from tdw_assets.cells.wanted import variant_in
from tdw_resources.dagster_internals import (
    AUTO_RETRY_RUN_ID_TAG,
    RANGE_END,
    RANGE_START,
    WILL_RETRY_TAG,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)
from tdw_resources.liveness import WORKER_TAG, is_alive

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
class Busy:
    """What to leave alone for now.

    Attributes:
        variants: keys of the study's.
        comparison: whether something over all variants is being made.
        everything: a backfill is in progress whose partitions can't be told.
    """

    variants: frozenset[str]
    comparison: bool
    everything: bool

    @property
    def idle(self) -> bool:
        """Nothing is being worked on."""
        return not (self.variants or self.comparison or self.everything)


def find_busy(wanted: Wanted, instance: dg.DagsterInstance) -> Busy:
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
    return Busy(
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
    """Partition keys that a backfill is about; None when they can't be told."""
    if backfill.partition_names:
        return backfill.partition_names
    data = backfill.asset_backfill_data
    if data is None:
        return None
    subsets = data.target_subset.partitions_subsets_by_asset_key.values()
    return [key for subset in subsets for key in subset.get_partition_keys()]
