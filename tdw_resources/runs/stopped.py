"""What a person has stopped."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from tdw_resources.runs.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG
from tdw_resources.runs.work_in_progress import COMPARE


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
