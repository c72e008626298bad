"""SIGKILL at every named step and at random times: of the library alone, and of Dagster runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..checks import Watch
from ..dagster_work import EventWatch, definitions, fill_one, prepare, runs_undisturbed, tell_of_events
from ..outcome import Outcome, Run
from ..work import VARIANTS, fill_by_library
from .killing import Step, Walk, run_child, steps_of, undisturbed

HELD = (
    "no corrupt file visible, no committed file lost, the history's values final; in the end every file "
    "equal to undisturbed work, byte for byte"
)


def every_step(run: Run) -> Outcome:
    """One death at each named step of each commit, training to plots; the next child goes on."""
    outcome = Outcome(
        "SIGKILL at each named step of each commit (training, analysis, summaries, plots)", HELD
    )
    variant = run.random.choice(VARIANTS)
    reference, root = undisturbed(run, variant), run.folder("store")
    walk = Walk(steps_of(lambda root: fill_by_library(root, variant), run.folder("walk")))
    watch = Watch(root, reference, outcome)
    for at in _stride(run, len(walk.steps), outcome):
        _die(
            outcome,
            watch,
            lambda: fill_by_library(root, variant),
            root,
            die=walk.die_from(at),
            when=str(walk.steps[at]),
        )
    _finish(outcome, watch, root, variant)
    return outcome


def _stride(run: Run, steps: int, outcome: Outcome) -> Iterator[int]:
    """All steps, one after another; where the time does not suffice, a random one of every few."""
    at, started, done = 0, time.monotonic(), 0
    while at < steps and not run.over:
        yield at
        done += 1
        each = (time.monotonic() - started) / done
        left = max(1.0, (started + run.seconds - time.monotonic()) / each)
        few = (steps - at) / left
        jump = 1 if few <= 1 else max(1, round(run.random.random() * 2 * few))
        outcome.notes["steps passed over for lack of time"] += min(jump, steps - at) - 1
        at += jump


def random_times(run: Run) -> Outcome:
    """Deaths at random times, which need not be at a step: in the middle of a write, a sum, an import."""
    outcome = Outcome("SIGKILL at random times", HELD)
    references = {variant: undisturbed(run, variant) for variant in VARIANTS}
    round_ = 0
    while not run.over:
        variant = VARIANTS[round_ % len(VARIANTS)]
        root = run.folder(f"store_{round_}")
        watch = Watch(root, references[variant], outcome)
        died = True
        while died and not run.over:
            after = run.random.random() ** 2 * 0.8
            work = partial(fill_by_library, root, variant)
            died = _die(outcome, watch, work, root, after_s=after, when=f"after {after:.3f} s")
        _finish(outcome, watch, root, variant)
        round_ += 1
    outcome.notes["works done to the end"] += round_
    return outcome


def _die(
    outcome: Outcome,
    watch: Watch,
    work: Callable[[], None],
    root: Path,
    *,
    when: str,
    die: Callable[[int, Step], bool] | None = None,
    after_s: float | None = None,
) -> bool:
    """One child; False when it ended on its own."""
    ended = run_child(work, root, die=die, after_s=after_s)
    if ended.killed:
        ended.count_death(outcome, at_step=die is not None)
    elif ended.code != 0:
        outcome.lose(f"{when}: the work failed after a restart: {ended.words}")
        return False
    watch.look(ended.committed, when=when)
    return ended.killed


def _finish(outcome: Outcome, watch: Watch, root: Path, variant: str) -> None:
    ended = run_child(lambda: fill_by_library(root, variant), root)
    outcome.require(ended.code == 0, f"the last fill failed: {ended.words}")
    watch.finish()


HELD_BY_RUNS = f"{HELD}; no event lost, no cell recorded twice, every cell recorded in the end"


def runs_at_every_step(run: Run) -> Outcome:
    """Run workers that die at each named step of each commit, and of each write to the event log."""
    outcome = Outcome(
        "SIGKILL of a run's worker at each named step of each commit and event (Dagster runs)", HELD_BY_RUNS
    )
    reference, root = runs_undisturbed(run, fill_one), run.folder("store")
    walk = Walk(_steps_of_runs(run.folder("walk")))
    prepare(root)
    definitions(root)
    watch, events = Watch(root, reference, outcome), EventWatch(root)
    for at in _stride(run, len(walk.steps), outcome):
        _die_in_run(outcome, watch, events, root, die=walk.die_from(at), when=str(walk.steps[at]))
    _finish_runs(outcome, watch, events, root, reference)
    return outcome


def _steps_of_runs(root: Path) -> list[Step]:
    prepare(root)
    definitions(root)
    return steps_of(fill_one, root, hooks=[tell_of_events])


def _die_in_run(
    outcome: Outcome,
    watch: Watch,
    events: EventWatch,
    root: Path,
    *,
    when: str,
    die: Callable[[int, Step], bool] | None = None,
    after_s: float | None = None,
) -> bool:
    ended = run_child(lambda: fill_one(root), root, die=die, after_s=after_s, hooks=[tell_of_events])
    if ended.killed:
        ended.count_death(outcome, at_step=die is not None)
    elif ended.code != 0:
        outcome.lose(f"{when}: the work failed after a restart: {ended.words}")
        return False
    watch.look([path for path in ended.committed if not path.startswith("event")], when=when)
    events.look(outcome.lose, when=when)
    return ended.killed


def _finish_runs(outcome: Outcome, watch: Watch, events: EventWatch, root: Path, reference: Path) -> None:
    ended = run_child(lambda: fill_one(root), root)
    outcome.require(ended.code == 0, f"the last fill failed: {ended.words}")
    watch.finish()
    events.finish(outcome.lose, reference)
