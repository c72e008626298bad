"""Processes that work by turns: each goes on for a counted number of points, then waits for its next turn.

A point is an operation on a file of the store (which Python reports as audit events), a named step of a
commit, a write to the event log, or a wait for somebody else. Nothing is left to the clock: it is set with
every turn and moves on by a millisecond a point, and who waits gives its turn away. So whoever hands out the
turns decides the order of everything that several processes do, and can have the same order again.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NoReturn

import sqlalchemy as sa

from tdw.errors import TdwError
from tdw.store import commit

_EVENTS = frozenset(
    {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "sqlite3.connect"}
)
_WRITES = frozenset({"os.mkdir", "os.rename", "opened", "written", "synced"})
_HANDED_OUT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\.)\d+(?=\.tmp)")
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


class Seat:
    """In the process itself: counts its points and waits for its turns.

    Attributes:
        here: the one of this process.
        lose: the next materializations are to be lost on their way to the event log.
    """

    here: ClassVar[Seat]

    def __init__(self, root: Path, orders: int, reports: int, seed: str) -> None:
        self._root, self._prefix = root, f"{root}/"
        self._orders, self._reports = os.fdopen(orders, "r"), reports
        self._random = random.Random(seed)
        self._left, self._end = 0, "pause"
        self._now = self._shift = 0.0
        self._fail: dict[str, int] = {}
        self._busy = False
        self._undivided = False
        self._transactions = set[sa.Connection]()
        self.lose = False
        self._main = threading.get_ident()

    def take(self, work: Callable[[], None], hooks: Sequence[Callable[[Seat], None]]) -> NoReturn:
        """Work to the end."""
        Seat.here = self
        try:
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(os.open(os.devnull, os.O_RDWR), 2)
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # pytest has put others there
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            self._settle_in()
            for hook in hooks:
                hook(self)
            self._wait()
            try:
                work()
                self._say("done")
            except BaseException as error:
                self._busy = True
                self._say("failed", isinstance(error, TdwError), traceback.format_exc()[-1500:])
        finally:
            os._exit(0)

    def point(self, step: str, what: object, *, kind: str = "") -> None:
        """Reach a point; the turn may end here, and a fault may befall it.

        Args:
            kind: "write" or "read", for what can fail here.
        """
        if self._busy or threading.get_ident() != self._main:
            return
        self._busy = True
        try:
            self._say("point", step, self._named(what))
            self._now += 1e-3
            self._left -= 1
            divided = not (self._undivided or self._transactions)
            if self._left <= 0 and (divided or self._end == "kill"):
                self._end_turn()
            number = self._fail.pop(kind, None)
        finally:
            self._busy = False
        if number is not None:
            raise OSError(number, os.strerror(number))

    @contextmanager
    def undivided(self) -> Iterator[None]:
        """Others have no turn until this is over; it may die in the middle."""
        self._undivided = True
        try:
            yield
        finally:
            self._undivided = False

    def _end_turn(self) -> None:
        if self._end == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        self._say(self._end)
        if self._end == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        self._wait()

    def _wait(self) -> None:
        now, self._left, self._end, faults = json.loads(self._orders.readline())
        self._now = max(self._now, now)
        for name, value in faults:
            if name in ("fail", "unreadable"):
                self._fail["write" if name == "fail" else "read"] = int(value)
            elif name == "clock":
                self._shift += value
            elif name == "lose":
                self.lose = True
            else:
                hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL if name == "torn" else signal.SIG_IGN)
                limit = resource.RLIM_INFINITY if name == "room" else int(value)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

    def _say(self, *words: object) -> None:
        os.write(self._reports, json.dumps(words).encode() + b"\n")

    def _named(self, what: object) -> str:
        """Below the store's root, without what the system hands out: ids of processes and of runs."""
        name = "." if str(what) == str(self._root) else str(what).removeprefix(self._prefix)
        return _HANDED_OUT.sub("*", name)

    # What has to be the same each time

    def _settle_in(self) -> None:
        for module in (random, sys.modules["numpy"].random):
            module.seed(self._random.getrandbits(32))
        uuid.uuid4 = lambda: uuid.UUID(int=self._random.getrandbits(128), version=4)
        tempfile._name_sequence = iter(lambda: f"{self._random.getrandbits(40):010x}", "")  # type: ignore
        time.time = lambda: self._now + self._shift
        time.monotonic = time.perf_counter = lambda: self._now
        self._sleep, time.sleep = time.sleep, self._sleep_by_turns
        threading.Thread.start = _started_at_once(threading.Thread.start)  # type: ignore[method-assign]
        commit.on_step = lambda step, path: self.point(step, path, kind="write" if step in _WRITES else "")
        sys.addaudithook(self._hear)
        self._finish_transactions()

    def _finish_transactions(self) -> None:
        """Who waits for its turn inside a transaction makes others wait for it by the real clock."""
        sa.event.listen(sa.Engine, "begin", self._transactions.add)
        sa.event.listen(sa.Engine, "commit", self._transactions.discard)
        sa.event.listen(sa.Engine, "rollback", self._transactions.discard)

    def _sleep_by_turns(self, seconds: float) -> None:
        if threading.get_ident() != self._main:
            self._sleep(seconds)
            return
        self._now += seconds
        self._busy = True
        self._say("wait")
        self._wait()
        self._busy = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        path = os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes, os.PathLike)) else ""
        if not path.startswith(self._prefix) and path != str(self._root):
            return
        kind = "write" if event in _WRITES else ""
        if event == "open":
            writes = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
            kind = "write" if writes else "read" if path.endswith((".safetensors", ".parquet")) else ""
            event = "open to write" if writes else "open"
        self.point(event.removeprefix("os."), path, kind=kind)


def _started_at_once(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """The threads that write events work in the main one: two threads of a process can't be given turns."""

    def run(thread: threading.Thread) -> None:
        if thread.name != "tdw-events":
            start(thread)
            return
        thread.join = lambda timeout=None: None  # type: ignore[method-assign]
        thread.run()

    return run
