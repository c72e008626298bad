"""How far running work is: one small file per run in the instance's folder, for terminals to show.

The event log is too slow and too precious for something that changes twice a second. These files are written
by the worker, read by `tdw up`, `tdw fill` and `tdw status`, and count only while their worker lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tdw_resources.runs.liveness import identity, is_alive

_EVERY_S = 0.5


@dataclass(frozen=True)
class WorkProgress:
    """One run's progress.

    Attributes:
        stage: "train", "analyze", "summarize", "plot" or "compare".
        done, total: in the stage's own unit: optimizer steps, cells, tables.
        started: Unix time at which the work began.
        text: a line for people, such as epoch and losses.
        worker: identity of the process.
    """

    run_id: str
    variant: str
    stage: str
    done: int
    total: int
    started: float
    text: str
    worker: str

    @property
    def seconds_left(self) -> float | None:
        """Extrapolated from what is done so far; None while nothing is."""
        if self.done <= 0:
            return None
        return max(0.0, (time.time() - self.started) / self.done * (self.total - self.done))


OnProgress = Callable[[int, int, str], None]


@contextlib.contextmanager
def reporting(home: Path, run_id: str, *, variant: str, stage: str) -> Iterator[OnProgress]:
    """Yields `report(done, total, text)`, which writes at most twice a second; the file goes at the end."""
    path = _folder(home) / f"{run_id}.json"
    started, last, worker = time.time(), 0.0, identity()

    def report(done: int, total: int, text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY_S and done < total:
            return
        last = now
        record = WorkProgress(run_id, variant, stage, done, total, started, text, worker)
        # Only for show: a full disk must not stop the work.
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            scratch = path.with_suffix(f".{os.getpid()}.tmp")
            scratch.write_text(json.dumps(asdict(record)))
            scratch.replace(path)

    try:
        yield report
    finally:
        path.unlink(missing_ok=True)


def read_progress(home: Path) -> list[WorkProgress]:
    """What runs now, oldest first."""
    alive = (record for _, record in _records(home) if is_alive(record.worker) is not False)
    return sorted(alive, key=lambda record: record.started)


def clear_progress(home: Path) -> None:
    """Remove what dead workers left."""
    for path, record in _records(home):
        if is_alive(record.worker) is False:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _records(home: Path) -> Iterator[tuple[Path, WorkProgress]]:
    for path in _folder(home).glob("*.json"):
        with contextlib.suppress(OSError, ValidationError):
            yield path, TypeAdapter(WorkProgress).validate_json(path.read_bytes())


def _folder(home: Path) -> Path:
    return home / "progress"
