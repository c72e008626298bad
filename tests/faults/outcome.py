"""What a scenario reports: what it injected, how often, and what was lost."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

_KEPT = 20


@dataclass
class Outcome:
    """One row of the table.

    Attributes:
        title: what was injected.
        held: what was checked after each.
        injected: how often.
        deaths: how many of these were killed processes.
        lost: how often a check failed; `losses` tells of the first few.
        notes: counts worth stating, such as how many deaths at each step.
    """

    title: str
    held: str
    injected: int = 0
    deaths: int = 0
    lost: int = 0
    losses: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
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
        deadline: monotonic time at which it should begin to end.
    """

    scratch: Path
    random: Random
    deadline: float

    @property
    def over(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() >= self.deadline

    def folder(self, name: str) -> Path:
        """A new folder."""
        made = self.scratch / name
        made.mkdir(parents=True)
        return made
