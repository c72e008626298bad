"""How often a gap was tried: failed work is tried again a bounded number of times, then reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import dagster as dg

from tdw.inventory.plan import Task
from tdw.inventory.wanted import Wanted
from tdw_assets.automation.tags import gap, purpose
from tdw_resources.liveness import STOPPED_TAG, WORKER_TAG

ATTEMPTS = 3
STARTS = 10
"""Runs that ended before their work began, as when a workbench is stopped while it starts one, count less."""


@dataclass(frozen=True)
class Verdict:
    """What to do next.

    Attributes:
        task: to be carried out, if any.
        attempt: how many runs there were for the same gap already.
        notes: why other tasks are not.
    """

    task: Task | None
    notes: list[str] = field(default_factory=list[str])
    attempt: int = 0


def judge(wanted: Wanted, instance: dg.DagsterInstance, tasks: Iterable[Task | None]) -> Verdict:
    """The task that may be carried out and failed least often; of several, the first.

    So work that fails delays no other: checkpoints that are there are analyzed before a training that failed,
    and may be impossible, is tried again.

    One that was tried `ATTEMPTS` times without any progress is given up (progress changes its request). One
    that a person canceled is left until that person, or `tdw fill`, takes it up again.
    """
    notes: list[str] = []
    best: tuple[int, Verdict] | None = None
    for task in tasks:
        if task is None:
            continue
        what = f"{task.stage} of {task.variant or 'all variants'}"
        if _was_canceled(wanted, instance, task):
            notes.append(f"{what} was canceled: materialize it in the UI, or run `tdw fill`, to go on")
            continue
        before = instance.get_runs(dg.RunsFilter(tags=gap(wanted, task)))
        tried = [other for other in before if other.is_finished and STOPPED_TAG not in other.tags]
        worked = [other for other in tried if WORKER_TAG in other.tags]
        if len(worked) >= ATTEMPTS or len(tried) >= STARTS:
            notes.append(
                f"{what} was tried {len(tried)} times without progress and is left: "
                f"see run {tried[0].run_id[:8]}, mend the cause, then run `tdw fill`"
            )
            continue
        if best is None or len(worked) < best[0]:
            best = len(worked), Verdict(task, notes, len(before))
    return best[1] if best else Verdict(None, notes)


def _was_canceled(wanted: Wanted, instance: dg.DagsterInstance, task: Task) -> bool:
    latest = instance.get_runs(dg.RunsFilter(tags=purpose(wanted, task)), limit=1)
    return bool(latest) and latest[0].status == dg.DagsterRunStatus.CANCELED
