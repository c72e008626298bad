"""What a scenario reports: what it injected, how often, and what was lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

_KEPT = 20
PATIENCE_S = 1800.0
"""How long nothing may happen before a scenario gives up: a busy machine is no fault."""


@dataclass
class Outcome:
    """One row of the table.

    Attributes:
        title: what was injected.
        held: what was checked after each.
        injected: how often.
        deaths: how many of these were killed processes.
        lost: how often a check failed; `losses` describes the first few.
        notes: counts worth stating.
        died_at: (what was being written, step) -> number of deaths there.
        seconds: wall time of the whole scenario.
    """

    title: str
    held: str
    injected: int = 0
    deaths: int = 0
    lost: int = 0
    losses: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    died_at: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0

    def lose(self, what: str) -> None:
        """A check failed."""
        self.lost += 1
        if len(self.losses) < _KEPT:
            self.losses.append(what)

    def require(self, held: bool, what: str) -> None:
        """A check: `what` describes its failure."""
        if not held:
            self.lose(what)


@dataclass
class Run:
    """What a scenario may use.

    Attributes:
        scratch: an empty folder of its own.
        random: seeded.
        seconds: how long it should inject; the clock starts when `over` is first asked for, after the
            preparations.
        rounds: how many rounds it goes at least, however slow the machine: tests count, they don't time.
        shared: undisturbed work that several scenarios are compared with, made by the first that needs it.
    """

    scratch: Path
    random: Random
    seconds: float
    shared: Path | None = None
    rounds: int = 0
    _asked: int = 0
    _deadline: float | None = None

    @property
    def over(self) -> bool:
        """Whether its time is up; asked once a round."""
        self._asked += 1
        if self._deadline is None:
            self._deadline = time.monotonic() + self.seconds
        return self._asked > self.rounds and time.monotonic() >= self._deadline

    def folder(self, name: str) -> Path:
        """A new folder."""
        made = self.scratch / name
        made.mkdir(parents=True)
        return made

    def undisturbed(self, name: str, work: Callable[[Path], None]) -> Path:
        """The folder of `work` that nobody disturbs; not to be written to."""
        place = (self.shared or self.scratch / "undisturbed") / name
        if not place.exists():
            # Two scenarios may make it at once: the same bytes, and the first one stays.
            scratch = self.folder(f"making_{name}")
            work(scratch)
            place.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                scratch.rename(place)
        return place


def fast_folder() -> str | None:
    """Memory, where it is a file system: the dead lose as little there as on a disk. None: the default."""
    memory = Path("/dev/shm")
    enough = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2e9
    return None if os.environ.get("TMPDIR") or not enough else str(memory)
