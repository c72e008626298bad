"""What the dead leave behind: locks that they held, runs that stay STARTED, files half written."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tdw.store import commit

from .checks import Watch
from .crowds import expect_success, fork
from .dagster_work import EventWatch, definitions, fill_one, prepare, runs_undisturbed
from .killing import run_child, undisturbed
from .outcome import Outcome, Run
from .work import fill_by_library

_STEPS_OF_A_LIBRARY, _STEPS_OF_RUNS = 250, 450


def stale_locks(run: Run) -> Outcome:
    """Frozen with a lock in hand, then killed; a second process on the same variant waits meanwhile."""
    outcome = Outcome(
        "a process frozen at a random step with its locks, and killed while another one waits (library)",
        "the one that waits goes on and completes the work with the bytes of undisturbed work",
    )
    reference = undisturbed(run)
    round_ = 0
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        _freeze_and_kill(run, outcome, root, fill_by_library, _STEPS_OF_A_LIBRARY)
        Watch(root, reference, outcome).finish()
    return outcome


def stale_runs(run: Run) -> Outcome:
    """The same with Dagster runs: the dead one's run stays STARTED while the other works."""
    outcome = Outcome(
        "a run frozen at a random step while STARTED, and killed while another run waits for its locks",
        "the one that waits goes on; the dead one's run is marked as failed, no cell is recorded twice, and "
        "the study is completed with the bytes of undisturbed work",
    )
    reference = runs_undisturbed(run, fill_one)
    round_ = 0
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        prepare(root)
        definitions(root)
        events = EventWatch(root)
        _freeze_and_kill(run, outcome, root, fill_one, _STEPS_OF_RUNS)
        events.look(outcome.lose, when="after the death")
        ended = run_child(lambda root=root: fill_one(root), root)
        outcome.require(ended.code == 0, f"the fill after it failed: {ended.words}")
        Watch(root, reference, outcome).finish()
        events.finish(outcome.lose, reference)
    return outcome


def _freeze_and_kill(
    run: Run, outcome: Outcome, root: Path, work: Callable[[Path], None], steps: int
) -> None:
    number = run.random.randint(1, steps)
    holder = fork(lambda: _freeze_at(number, lambda: work(root)), root, 0)
    _, status = os.waitpid(holder, os.WUNTRACED)
    frozen = os.WIFSTOPPED(status)
    waiter = fork(lambda: work(root), root, 1)
    if frozen:
        time.sleep(2 * run.random.random())
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        outcome.injected += 1
        outcome.deaths += 1
        outcome.died_at["frozen, a lock in hand", "random step"] += 1
    expect_success(outcome, [waiter], root)


def _freeze_at(number: int, work: Callable[[], None]) -> None:
    """In a child: stop at a step, with all that it holds."""
    count = 0

    def reached(step: str, path: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGSTOP)

    commit.on_step = reached
    work()
