"""What a person has stopped, and the run that takes it up again."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from tdw.store import Store
from tdw_assets.automation.planned_runs import PlannedRun, plan_run
from tdw_assets.automation.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG
from tdw_assets.automation.work_in_progress import COMPARE, as_it_is
from tdw_assets.cells.wanted import WantedAssets

_STAGES = ("train", "analyze", "summarize")


@dataclass(frozen=True)
class Stopped:
    """Work of a variant that a person stopped, and that nobody has taken up since."""

    study: str
    stage: str
    variant: str
    run_id: str


def find_stopped(instance: dg.DagsterInstance, study: str) -> list[Stopped]:
    """What stays stopped of a study (its slug): the latest run of that purpose was canceled."""
    found: list[Stopped] = []
    canceled = dg.RunsFilter(tags={STUDY_TAG: study}, statuses=[dg.DagsterRunStatus.CANCELED])
    seen: set[tuple[str, str]] = set()
    for run in instance.get_runs(canceled):  # the latest first
        stage, variant = run.tags.get(STAGE_TAG, ""), run.tags.get(VARIANT_TAG, "")
        if not (stage and variant) or (stage, variant) in seen:
            continue
        seen.add((stage, variant))
        of_purpose = dg.RunsFilter(tags={STUDY_TAG: study, STAGE_TAG: stage, VARIANT_TAG: variant})
        latest = instance.get_runs(of_purpose, limit=1)
        if latest and latest[0].run_id == run.run_id:
            found.append(Stopped(study, stage, variant, run.run_id))
    return found


def is_comparison_stopped(instance: dg.DagsterInstance, study: str) -> bool:
    """Whether what covers the variants of a study (its slug) stays: a person canceled its latest run."""
    runs = instance.get_runs(dg.RunsFilter(tags={STUDY_TAG: study, STAGE_TAG: COMPARE}), limit=1)
    return bool(runs) and runs[0].status == dg.DagsterRunStatus.CANCELED


def plan_next(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, variant: str
) -> PlannedRun | None:
    """The run that does what is to be done next of a variant, stopped or not; None for nothing."""
    inventory, _ = as_it_is(wanted, instance, store)
    gaps = inventory.gaps_of(variant)
    tasks = (inventory.task(stage, gaps) for stage in _STAGES)
    task = next((task for task in tasks if task is not None), None)
    return None if task is None else plan_run(wanted, task)
