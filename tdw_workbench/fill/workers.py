"""Worker processes of `tdw fill`: at most one per core, kept from study to study, replaced when one dies.

Where it is safe (Linux), they are forks of this process, so that Dagster is imported once. To be forks of a
process without connections and threads, they are started before the instance is opened; what else they need
(torch) they import while the work is planned.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

from tdw_resources.places import log_folder
from tdw_resources.runs.liveness import SUPERVISOR_VARIABLE, identity
from tdw_workbench.children import child_environment
from tdw_workbench.fill.answers import STOPPED, Answer
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.fill.worker_process import serve

_DEATHS = 2  # a variant whose worker dies this often is given up
_GRACE_S = 20.0


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    line: Connection
    request: FillRequest | None = None
    variant: str = ""


@dataclass
class Workers:
    """Runs the variants of a fill. Use as a context manager: leaving it stops the workers.

    Attributes:
        count: at most so many at a time.
        home: folder of the Dagster instance that they record in.
        log: file that takes the workers' output.
        serve: what a worker does: `tdw_workbench.fill.worker_process.serve`.
    """

    count: int
    home: str
    log: Path
    serve: Callable[[Connection], int] = serve
    _waiting: deque[str] = field(default_factory=deque)
    _workers: list[_Worker] = field(default_factory=list)
    _deaths: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Path, count: int) -> Workers:
        """Workers for a Dagster home, which is made when it is missing."""
        from tdw_resources.instance import prepare_home

        prepare_home(home)
        return cls(count, str(home), log_folder(home) / "fill.log")

    def __enter__(self) -> Workers:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(gently=kind is None)

    def start(self, count: int) -> None:
        """Have workers ready for so many variants, as far as there are to be any."""
        while len(self._workers) < min(self.count, count):
            self._workers.append(self._start())

    def run(
        self,
        request: FillRequest,
        variants: Sequence[str],
        *,
        every_s: float,
        on_death: Callable[[], object],
    ) -> Iterator[Answer | None]:
        """Work on all variants; yields answers as they come, and None at least every `every_s` seconds.

        Args:
            request: what is wanted of each.
            on_death: called when a worker died, before the next one is given its variant.
        """
        self._deaths.clear()
        self._waiting.extend(variants)
        self.start(len(variants))
        for worker in self._workers:
            self._give_next(worker, request)
        while any(worker.variant for worker in self._workers):
            answers = list(self._listen(request, every_s, on_death))
            yield from answers or [None]

    def _listen(
        self, request: FillRequest, every_s: float, on_death: Callable[[], object]
    ) -> Iterator[Answer]:
        ready = wait(
            [each for worker in self._workers for each in (worker.line, worker.process.sentinel)], every_s
        )
        for worker in list(self._workers):
            if worker.line in ready or worker.process.sentinel in ready:
                # Of a dead one, what it said comes first.
                with contextlib.suppress(EOFError, OSError):
                    while worker.line.poll():
                        yield self._heard(worker, worker.line.recv(), request)
            if not worker.process.is_alive():
                yield from self._died(worker, request, on_death)

    def _heard(self, worker: _Worker, answer: Answer, request: FillRequest) -> Answer:
        if answer.busy:
            self._waiting.append(answer.variant)  # another fill works on it: everything else comes first
        if answer.done is None:
            self._give_next(worker, request)
        return answer

    def _died(
        self, worker: _Worker, request: FillRequest, on_death: Callable[[], object]
    ) -> Iterator[Answer]:
        self._workers.remove(worker)
        worker.process.join()
        worker.line.close()
        if worker.variant:
            on_death()
            why = self._why_given_up(worker.variant, worker.process.exitcode or 0)
            if why:
                yield Answer(worker.variant, given_up=why)
            else:
                self._waiting.appendleft(worker.variant)
        if self._waiting:
            self._workers.append(self._start())
            self._give_next(self._workers[-1], request)

    def _why_given_up(self, variant: str, code: int) -> str:
        """Of a variant whose worker ended over it; "" where another one tries."""
        if code == STOPPED:
            return "stopped by a person; the next `tdw fill` takes it up again"
        self._deaths[variant] = self._deaths.get(variant, 0) + 1
        if self._deaths[variant] < _DEATHS:
            return ""
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        last = f": {self._last_words()}" if code > 0 else ""
        return f"its worker died {_DEATHS} times ({how}){last}; see {self.log}"

    def _last_words(self) -> str:
        """The last line that the workers wrote."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()
            return lines[-1].strip() if lines else ""
        return ""

    def _start(self) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        variables = child_environment({SUPERVISOR_VARIABLE: identity(), "DAGSTER_HOME": self.home})
        process = context.Process(target=_begin, args=(self.serve, theirs, str(self.log), variables))
        process.start()
        theirs.close()  # only the worker holds it: the line ends with it
        return _Worker(process, ours)

    def _give_next(self, worker: _Worker, request: FillRequest) -> None:
        worker.variant = ""
        if not self._waiting:
            return
        worker.variant = self._waiting.popleft()
        with contextlib.suppress(OSError):  # a dead worker is noticed when it is listened to
            if worker.request is not request:
                worker.request = request
                worker.line.send(request)
            worker.line.send(worker.variant)

    def stop(self, *, gently: bool) -> None:
        """End the workers: what they have finished is kept, and recorded before they go."""
        for worker in self._workers:
            if not worker.variant:
                worker.process.kill()  # it has nothing in hand
            elif not gently:
                _interrupt(worker.process)
        for worker in self._workers:
            worker.process.join(_GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.line.close()
        self._workers.clear()


def _context() -> ForkContext | SpawnContext:
    if sys.platform == "linux":
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


def _begin(serve: Callable[[Connection], int], line: Connection, log: str, variables: dict[str, str]) -> None:
    """The first words of a worker."""
    if sys.platform != "win32":
        os.setsid()  # Ctrl-C reaches the parent alone, which passes it on once
    os.environ.clear()
    os.environ.update(variables)
    with Path(log).open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    # Not the parent's: a fork has a copy of what they hold, and a program may have put others in their place.
    sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1, errors="backslashreplace") for n in (1, 2))
    sys.exit(serve(line))


def _interrupt(process: BaseProcess) -> None:
    if process.pid is not None and process.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
