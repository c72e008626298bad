"""How often a gap was tried: failed work is tried again a bounded number of times, then reported."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tdw.inventory.plan import Inventory, Task
from tdw.reconcile.runs import Runs
from tdw.study.extra_epochs import find_trained

ATTEMPTS = 3
STOPPED = "stopped by a person: Continue, on its page below /tdw/, or `tdw fill` takes it up again"
STARTS = 10
"""Runs that ended before their work began, as when a workbench is stopped while it starts one, count less."""


@dataclass(frozen=True)
class NextRun:
    """What to do next.

    Attributes:
        task: to be carried out, if any.
        attempt: how many runs there were for the same gap already.
        notes: why other tasks are not.
    """

    task: Task | None
    notes: list[str] = field(default_factory=list[str])
    attempt: int = 0


def choose_next(runs: Runs, tasks: Iterable[Task | None]) -> NextRun:
    """The task that may be carried out and failed least often; of several, the first.

    So work that fails delays no other: checkpoints that are there are analyzed before a training that failed,
    and may be impossible, is tried again.

    One that was tried `ATTEMPTS` times without any progress is given up (progress changes its request). One
    that a person canceled is left until that person, or `tdw fill`, takes it up again.
    """
    notes: list[str] = []
    best: tuple[int, NextRun] | None = None
    for task in tasks:
        if task is None:
            continue
        tried = runs.tried(task)
        if tried.canceled:
            notes.append(f"{task.title} was {STOPPED}")
        elif tried.worked >= ATTEMPTS or tried.ended >= STARTS:
            notes.append(
                f"{task.title} was tried {tried.ended} times without progress and is left: "
                f"see run {tried.latest[:8]}, fix the cause, then run `tdw fill`"
            )
        elif best is None or tried.worked < best[0]:
            best = tried.worked, NextRun(task, notes, tried.runs)
    return best[1] if best else NextRun(None, notes)


def still_training(inventory: Inventory, runs: Runs, *, given_up: Collection[str] = ()) -> list[str]:
    """Variants that are being trained before the extra epochs of a study with an adaptive rule are chosen,
    else the first that can be: one is reason to wait.

    The first pass is the study's schedule. When nothing of it is left to train, the choice is made; its
    epochs are wanted cells of every variant from then on, filled by replay like any other gap: the second
    pass. A variant that can't be trained delays no other: the choice is made without it, and once more when
    it is done.

    Args:
        inventory: of all registered variants.
        runs: tell what was tried.
        given_up: variants whose training has just failed. Others are given up by `choose_next`.
    """
    trained = find_trained(inventory.store, inventory.wanted.study, inventory.wanted.variants)
    variants = [v for v in inventory.wanted.variants if v not in trained and v not in given_up]
    busy = runs.busy()
    worked_on = [variant for variant in variants if busy.everything or variant in busy.variants]
    if worked_on:
        return worked_on
    for variant in variants:
        if choose_next(runs, [inventory.task("train", inventory.gaps_of(variant))]).task is not None:
            return [variant]
    return []
