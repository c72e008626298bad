"""Processes that work by turns: each goes on for a counted number of points, then waits for its next turn.

A point is an operation on a file of the store (which Python reports as audit events), a named step of a
commit, a write to the event log, or a wait for somebody else. Nothing is left to the clock: it is set with
every turn and moves on by a millisecond a point, and who waits gives its turn away. So whoever hands out the
turns decides the order of everything that several processes do, and can have the same order again.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .seat import Seat

_HANGS_S = 600.0
Fault = tuple[Literal["fail", "unreadable", "full", "room", "torn", "clock", "lose"], float]
"""What goes wrong, and how: an errno, a size in bytes, seconds.

    fail        the next write, open for writing, rename or mkdir gives this errno
    unreadable  the next open of an artifact or table for reading gives this errno
    full, room  no file may grow beyond so many bytes; any may again
    torn        the process dies in the middle of the write that would grow a file beyond so many bytes
    clock       the wall clock jumps
    lose        the next materializations are not written to the event log, and nobody is told
"""


@dataclass(frozen=True)
class Turn:
    """What a process may do next.

    Attributes:
        points: so many, and then `end`.
        end: "pause" for the next turn, "stop" by SIGSTOP, "kill" by SIGKILL.
        faults: that befall it in the meantime.
    """

    points: int
    end: Literal["pause", "stop", "kill"]
    faults: tuple[Fault, ...] = ()


@dataclass
class Report:
    """What became of a turn.

    Attributes:
        points: (step, name), in order.
        end: "pause", "wait" (for somebody else), "stop", "done", "failed", "dead", or "hangs".
        ours: of what failed: whether it did so with an error of ours.
        words: of what failed.
    """

    points: list[tuple[str, str]] = field(default_factory=list)
    end: str = "dead"
    ours: bool = False
    words: str = ""


class Worker:
    """A forked process that does a piece of work by turns.

    Args:
        work: what it does.
        root: the folder whose files count.
        seed: of everything that it draws, ids and names of temporary files included.
        hooks: called in the process with what takes points, so that they can add some of their own.
    """

    def __init__(
        self,
        work: Callable[[], None],
        root: Path,
        *,
        seed: str,
        hooks: Sequence[Callable[[Seat], None]] = (),
    ) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        orders, self._orders = os.pipe()
        self._reports, reports = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._orders)
            os.close(self._reports)
            Seat(root, orders, reports, seed).take(work, hooks)
        os.close(orders)
        os.close(reports)
        self._stopped = self._reaped = False
        self._left = b""

    def turn(self, turn: Turn, *, now: float) -> Report:
        """Hand out a turn that begins at `now`, and wait until it is over."""
        if self._stopped:
            os.kill(self.pid, signal.SIGCONT)
            self._stopped = False
        os.write(self._orders, json.dumps([now, turn.points, turn.end, turn.faults]).encode() + b"\n")
        report = Report()
        while report.end == "dead":
            if not select.select([self._reports], [], [], _HANGS_S)[0]:
                report.end = "hangs"
                self.kill()
                return report
            some = os.read(self._reports, 1 << 16)
            if not some:
                self._reap()
                break
            *lines, self._left = (self._left + some).split(b"\n")
            for line in lines:
                self._take(json.loads(line), report)
        if report.end == "stop":
            os.waitpid(self.pid, os.WUNTRACED)
            self._stopped = True
        elif report.end in ("done", "failed"):
            self._reap()
        return report

    def kill(self) -> None:
        """Put it to death where it is, stopped or not."""
        if not self._reaped:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()

    def _take(self, said: list[Any], report: Report) -> None:
        if said[0] == "point":
            report.points.append((said[1], said[2]))
        else:
            report.end = said[0]
            if report.end == "failed":
                report.ours, report.words = said[1:]

    def _reap(self) -> None:
        os.waitpid(self.pid, 0)
        os.close(self._orders)
        os.close(self._reports)
        self._reaped = True
