"""Worker processes of `tdw fill`: one a core, fed with variants, replaced when one dies."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tdw_resources.runs.liveness import SUPERVISOR_VARIABLE, identity
from tdw_workbench.children import child_environment, python_command
from tdw_workbench.fill.request import FillRequest

_DEATHS = 2  # a variant whose worker dies this often is given up
_GRACE_S = 20.0
STOPPED = 130
"""Exit code of a worker that was interrupted: a person stopped its run, in Dagster or on a page."""


@dataclass
class _Worker:
    process: subprocess.Popen[str]
    variant: str = ""


@dataclass
class Answer:
    """What a worker said.

    Attributes:
        done: a finished run (`StageDone` as a mapping); None when the variant is through.
        busy: another fill works on the variant; it is asked for again later.
        given_up: why the variant is left: its worker died too often over it, or a person stopped it.
    """

    variant: str
    done: dict[str, Any] | None = None
    busy: bool = False
    given_up: str = ""


@dataclass
class Workers:
    """Runs the variants of a fill. Use as a context manager: leaving it stops the workers.

    Attributes:
        count: how many at a time.
        log: file that takes the workers' output.
        on_death: called when a worker died, before the next one is given its variant.
        command: what a worker is started with.
    """

    request: FillRequest
    count: int
    log: Path
    on_death: Callable[[], object]
    command: Sequence[str] = field(
        default_factory=lambda: python_command("tdw_workbench.fill.worker_process")
    )
    _waiting: deque[str] = field(default_factory=deque)
    _running: dict[int, _Worker] = field(default_factory=dict)
    _events: queue.Queue[tuple[int, str | None]] = field(default_factory=queue.Queue)
    _deaths: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Workers:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(gently=kind is None)

    def run(self, variants: Sequence[str], *, every_s: float) -> Iterator[Answer | None]:
        """Work on all variants; yields answers as they come, and None at least every `every_s` seconds."""
        self._waiting.extend(variants)
        for _ in range(min(self.count, len(variants))):
            self._start()
        while self._running:
            try:
                pid, line = self._events.get(timeout=every_s)
            except queue.Empty:
                yield None
                continue
            answer = self._died(pid) if line is None else self._heard(pid, line)
            if answer is not None:
                yield answer

    def _heard(self, pid: int, line: str) -> Answer | None:
        worker, said = self._running[pid], json.loads(line)
        if "done" in said:
            return Answer(worker.variant, done=said["done"])
        variant = worker.variant
        if "busy" in said:
            self._waiting.append(variant)  # another fill works on it: everything else comes first
            self._give_next(worker)
            return Answer(variant, busy=True)
        self._give_next(worker)
        return Answer(variant)

    def _died(self, pid: int) -> Answer | None:
        worker = self._running.pop(pid)
        code = worker.process.wait()
        if not worker.variant:
            return None  # it had nothing more to do
        self.on_death()
        if code == STOPPED:
            if self._waiting:
                self._start()
            return Answer(
                worker.variant, given_up="stopped by a person; the next `tdw fill` takes it up again"
            )
        variant, self._deaths[worker.variant] = worker.variant, self._deaths.get(worker.variant, 0) + 1
        if self._deaths[variant] >= _DEATHS:
            if self._waiting:
                self._start()
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            last = f": {self._last_words()}" if code > 0 else ""
            return Answer(variant, given_up=f"its worker died {_DEATHS} times ({how}){last}; see {self.log}")
        self._waiting.appendleft(variant)
        self._start()
        return None

    def _last_words(self) -> str:
        """The last line that the workers wrote."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()
            return lines[-1].strip() if lines else ""
        return ""

    def _start(self) -> None:
        environment = child_environment({SUPERVISOR_VARIABLE: identity(), "DAGSTER_HOME": self.request.home})
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which passes it on once
            )
        worker = self._running[process.pid] = _Worker(process)
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        self._say(worker, self.request.to_json())
        self._give_next(worker)

    def _give_next(self, worker: _Worker) -> None:
        if self._waiting:
            worker.variant = self._waiting.popleft()
            self._say(worker, worker.variant)
            return
        worker.variant = ""
        assert worker.process.stdin is not None
        with contextlib.suppress(OSError):
            worker.process.stdin.close()

    def _say(self, worker: _Worker, line: str) -> None:
        assert worker.process.stdin is not None
        with contextlib.suppress(OSError):  # a dead worker is noticed by its listener
            worker.process.stdin.write(line + "\n")

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._events.put((process.pid, line))
        self._events.put((process.pid, None))

    def stop(self, *, gently: bool) -> None:
        """End the workers: what they have finished is kept, and recorded before they go."""
        for worker in self._running.values():
            if worker.process.stdin is not None:
                with contextlib.suppress(OSError):
                    worker.process.stdin.close()
            if not gently:
                with contextlib.suppress(ProcessLookupError):
                    worker.process.send_signal(signal.SIGINT)
        for worker in self._running.values():
            try:
                worker.process.wait(timeout=_GRACE_S)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._running.clear()
