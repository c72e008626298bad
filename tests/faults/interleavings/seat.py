"""What a process that works by turns does with itself: it counts its points and waits for its turns."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import sqlalchemy as sa

from tdw.errors import TdwError
from tdw.store import commit

_EVENTS = frozenset(
    {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "sqlite3.connect"}
)
_WRITES = frozenset({"os.mkdir", "os.rename", "opened", "written", "synced"})
_HANDED_OUT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\.)\d+(?=\.tmp)")


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
