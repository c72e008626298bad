"""Children that do the work and are put to death: at a named step, or when the parent likes.

Children are forked from a process that has imported everything, so that a thousand deaths take minutes. The
kill is a real SIGKILL: nothing of the child's runs after it, no handler, no `finally`, no buffered write.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tdw.store import commit

from ..outcome import Outcome, Run
from ..work import VARIANTS, fill_by_library

Step = tuple[str, str]
"""(what is being written, step): a path below the store's root, or "event <assets>"."""


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        killed: by the signal it was meant to get; otherwise `code` is its exit code.
        steps: the steps that it reached, in order.
        words: what it wrote, when it failed.
    """

    killed: bool
    code: int
    steps: tuple[Step, ...]
    words: str

    @property
    def committed(self) -> list[str]:
        """Files whose commit it has reported: these may never be lost."""
        return [path for path, step in self.steps if step == "committed"]

    def count_death(self, outcome: Outcome, *, at_step: bool) -> None:
        """Record where it died; at a random time it is the last step that says what it was at."""
        count_death(outcome, [(step, what) for what, step in self.steps], "" if at_step else "random time")


def count_death(outcome: Outcome, points: Sequence[tuple[str, str]], how: str = "") -> None:
    """Record where one died: at the last (step, name) that it reached, or otherwise, as `how` says."""
    step, what = points[-1] if points else ("start", "")
    outcome.injected += 1
    outcome.deaths += 1
    outcome.died_at[stage_of(what), how or step] += 1


def stage_of(what: str) -> str:
    """The stage of the work that writes `what`."""
    if what.startswith("event"):
        return "events"
    parts = what.split("/")
    if len(parts) < 3:
        return "nothing yet"
    kind = parts[2]
    if parts[1].startswith("_comparison"):
        return "comparison"
    if kind in ("checkpoints", "states") or what.endswith("history.parquet"):
        return "training"
    return kind if kind in ("summaries", "plots") else "analysis"


class Walk:
    """The steps of undisturbed work in order, for killing at each of them, one after another."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(dict.fromkeys(steps))
        self._at = {step: at for at, step in enumerate(self.steps)}

    def die_from(self, first: int) -> Callable[[int, Step], bool]:
        """Dies at the first step that stands at `first` or later."""
        return lambda count, step: self._at.get(step, -1) >= first


def run_child(
    work: Callable[[], None],
    root: Path,
    *,
    die: Callable[[int, Step], bool] | None = None,
    after_s: float | None = None,
    hooks: Sequence[Callable[[Callable[[str, object], None]], None]] = (),
) -> Ended:
    """Fork, work, and die: at the first step for which `die(count, step)` holds, or after some seconds.

    Args:
        work: what the child does; it may end on its own.
        root: the store, for the names of files.
        hooks: called in the child with the function that further steps report to.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # A pipe: what was written to it outlives the process, and no limit on files concerns it.
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(work, root, writing, die, hooks)
    os.close(writing)
    end = None if after_s is None else time.monotonic() + after_s
    journal = bytearray()
    with contextlib.closing(os.fdopen(reading, "rb", buffering=0)) as pipe:
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            if select.select([pipe], [], [], left)[0]:
                some = pipe.read(1 << 16)
                if not some:
                    break
                journal += some
            else:
                os.kill(pid, signal.SIGKILL)
                end = None
    return _ended(os.waitpid(pid, 0)[1], journal.decode(errors="replace"))


def steps_of(
    work: Callable[[Path], None],
    root: Path,
    *,
    hooks: Sequence[Callable[[Callable[[str, object], None]], None]] = (),
) -> list[Step]:
    """Do the work once, undisturbed; the steps that it takes.

    Raises:
        RuntimeError: it fails.
    """
    ended = run_child(lambda: work(root), root, hooks=hooks)
    if ended.code != 0:
        raise RuntimeError(f"undisturbed work fails:\n{ended.words}")
    return list(ended.steps)


def undisturbed(run: Run, variant: str = VARIANTS[0]) -> Path:
    """The store of a variant's work by the library, which nobody disturbs."""

    def work(root: Path) -> None:
        steps_of(lambda root: fill_by_library(root, variant), root)

    return run.undisturbed(variant, work)


def _ended(status: int, journal: str) -> Ended:
    steps: list[Step] = []
    words: list[str] = []
    for line in journal.splitlines():
        step, separator, path = line.partition("\t")
        if separator:
            steps.append((path, step))
        else:
            words.append(line)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    code = os.waitstatus_to_exitcode(status)
    return Ended(killed, code, tuple(steps), "\n".join(words[-12:]))


def _child(
    work: Callable[[], None],
    root: Path,
    log: int,
    die: Callable[[int, Step], bool] | None,
    hooks: Sequence[Callable[[Callable[[str, object], None]], None]],
) -> None:
    """Never returns, and runs none of the parent's handlers."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        count = 0

        def reached(step: str, path: object) -> None:
            nonlocal count
            try:
                name = str(Path(str(path)).relative_to(root))
            except ValueError:
                name = str(path)
            os.write(log, f"{step}\t{name}\n".encode())
            count += 1
            if die is not None and die(count, (name, step)):
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

        commit.on_step = reached
        for hook in hooks:
            hook(reached)
        try:
            work()
            code = 0
        except BaseException:
            os.write(log, traceback.format_exc().replace("\t", " ").encode())
    finally:
        os._exit(code)
