"""One look at a study: what to ask for now, and what is waited for.

Level-triggered: a tick looks at the present state only, so a missed tick, a restart or a double tick loses
nothing. At most one run per variant is asked for at a time: training, then analysis, then tables and plots,
and when no variant has anything left, what covers all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tdw.inventory.cells import VariantGaps
from tdw.inventory.plan import STAGES, Inventory, Task
from tdw.inventory.state import ProductStates
from tdw.reconcile.attempts import NextRun, choose_next, still_training
from tdw.reconcile.runs import Runs
from tdw.reconcile.seen import Seen, code_mark
from tdw.store.fingerprints import fingerprint_json

BUDGET_S = 1.2
CELLS = 50_000
"""Looked at together, which takes about a second: asking the database costs as much for one as for many."""
CHECK = "check"
"""The stage that checks what is there: it makes nothing, and so is none of `STAGES`."""


@dataclass
class Tick:
    """What a tick comes to.

    Attributes:
        seen: what the next tick starts from.
        tasks: to be asked for, each with the number of runs that there were for the same gap.
        notes: why nothing else is, and what is waited for.
    """

    seen: Seen
    tasks: list[tuple[Task, int]] = field(default_factory=list[tuple[Task, int]])
    notes: list[str] = field(default_factory=list[str])

    def take(self, found: NextRun) -> bool:
        """Add what is to be done next; whether there is anything left to do."""
        self.notes += found.notes
        if found.task is not None:
            self.tasks.append((found.task, found.attempt))
        return found.task is not None or bool(found.notes)


def tick(inventory: Inventory, runs: Runs, seen: Seen, *, budget_s: float = BUDGET_S) -> Tick:
    """Look at what changed since `seen`, for about `budget_s` seconds; the rest is looked at next time.

    Args:
        inventory: of all registered variants, with the extra epochs in force.
        runs: of the study.
        seen: what the last tick left behind.
        budget_s: in seconds.
    """
    started, wanted = time.perf_counter(), inventory.wanted
    if wanted.study.fingerprint != seen.study:
        seen = Seen(study=wanted.study.fingerprint)
    chosen, waits = _choose(inventory, runs)
    if chosen is not None:
        return Tick(seen, chosen, waits)
    made_by = code_mark(wanted)
    if (list(wanted.extra), made_by) != (seen.extra, seen.made_by):
        seen = Seen(study=seen.study, made_by=made_by, extra=list(wanted.extra), checked=seen.checked)
    now = seen.look_again(wanted, inventory.store, runs.newest_event())
    queue = now.changed_since(seen)
    if not queue and seen.compared and now.event == seen.event:
        now.left, now.compared = seen.left, True
        return Tick(now, notes=[now.why_nothing(), *waits])
    busy, result, others = runs.busy(), Tick(now), now.marks.keys() - queue
    now.left = [v for v in seen.left if v in others]
    size = max(1, CELLS // (len(wanted.epochs) * (1 + len(wanted.analyzers))))
    while queue:
        some, queue = queue[:size], queue[size:]
        worked_on = [v for v in some if busy.everything or v in busy.variants]
        now.left += worked_on
        for variant, found in _look(inventory, runs, [v for v in some if v not in worked_on]):
            if result.take(found):
                now.left.append(variant)
        if time.perf_counter() - started >= budget_s:
            break
    now.queue = queue
    if not queue and not result.tasks and busy.idle:
        now.compared = not result.take(choose_next(runs, [inventory.task("compare")]))
        if not result.tasks:
            _check(result)
    if not result.tasks and not result.notes:
        result.notes.append(now.why_nothing(busy))
    result.notes += waits
    return result


def find_tasks(stage: str, inventory: Inventory, runs: Runs) -> list[Task]:
    """All tasks of one stage that are needed now, of variants that nobody works on, however often tried; none
    that a person stopped.
    """
    busy = runs.busy()
    if busy.everything or (stage == "compare" and not busy.idle):
        return []
    if stage in [each.name for each in STAGES if each.of_study]:
        tasks = [inventory.task(stage)]
        if stage == "choose" and tasks != [None] and still_training(inventory, runs):
            return []
    else:
        free = [variant for variant in inventory.wanted.variants if variant not in busy.variants]
        tasks = [inventory.task(stage, gaps) for gaps in inventory.gaps(free).values()]
    return [task for task in tasks if task is not None and not runs.tried(task).canceled]


def find_waits(
    inventory: Inventory,
    runs: Runs,
    gaps: Iterable[VariantGaps],
    *,
    tables: ProductStates,
    comparison: ProductStates,
) -> Iterator[str]:
    """What is waited for, as a tick would say it.

    Args:
        gaps, tables: of some variants.
        comparison: the states of what covers all.
    """
    if inventory.task("choose") is not None and (training := still_training(inventory, runs)):
        yield f"the extra checkpoints are chosen after the training of {', '.join(training)}"
    for of in gaps:
        tasks = [inventory.task(stage, of, states=tables) for stage in ("train", "analyze", "summarize")]
        yield from choose_next(runs, tasks).notes
    yield from choose_next(runs, [inventory.task("compare", states=comparison)]).notes


def _choose(inventory: Inventory, runs: Runs) -> tuple[list[tuple[Task, int]] | None, list[str]]:
    """The run that chooses the extra epochs, on whose result the rest waits; None when there is none to wait
    for. And what is to be said about it.
    """
    task = inventory.task("choose")
    if task is None:
        return None, []
    waits = still_training(inventory, runs)
    if waits:
        return None, [f"the extra checkpoints are chosen after the training of {', '.join(waits)}"]
    found = choose_next(runs, [task])
    if found.task is None:
        return None, found.notes
    if runs.busy().comparison:
        return [], ["the extra checkpoints are chosen when what covers all variants is done"]
    return [(task, found.attempt)], []


def _look(inventory: Inventory, runs: Runs, variants: list[str]) -> Iterator[tuple[str, NextRun]]:
    """The next task of each variant, if it has one and it has not failed too often."""
    gaps = inventory.gaps(variants) if variants else {}
    cells = {
        variant: choose_next(runs, [inventory.task("train", of), inventory.task("analyze", of)])
        for variant, of in gaps.items()
    }
    # Of all at once: what is recorded of a table is asked for once, not for each variant.
    states = inventory.states_of({v: of for v, of in gaps.items() if cells[v].task is None})
    for variant, found in cells.items():
        if found.task is None:
            last = choose_next(runs, [inventory.task("summarize", gaps[variant], states=states)])
            found = NextRun(last.task, [*found.notes, *last.notes], last.attempt)
        yield variant, found


def _check(into: Tick) -> None:
    """Ask for the checks when all work is done and files have come or gone since they were last made."""
    now = into.seen
    mark = fingerprint_json(now.marks)[:16]
    if mark != now.checked and any(now.marks.values()):
        now.checked = mark
        reason = "all work is done, and files have come or gone since the last check"
        into.tasks.append((Task(CHECK, "", names=(), request=mark, size=0, reason=reason), now.event))
