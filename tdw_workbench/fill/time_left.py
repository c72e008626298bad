"""How much work is left, in one currency, so that one "time left" can be given for all of it.

The currency is seconds of one core, guessed by the family (`recipes.cost`). Only their proportions matter:
what is left is divided by how much of it was done per second of late. So what is added meanwhile, variants or
epochs, counts as left and changes nothing of the rate.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tdw_workbench.terminal import overall

WINDOW_S = 300.0
"""The rate is that of the last minutes: stages differ in how good their guess is."""
_SOON = 0.01
Key = tuple[str, str]


@dataclass
class TimeLeft:
    """Work left by (variant, stage), in guessed seconds, updated as stages go on.

    Attributes:
        left: seconds left of each stage.
        done: seconds done since the beginning, in all.
        started: monotonic time.
    """

    left: dict[Key, float] = field(default_factory=dict[Key, float])
    done: float = 0.0
    started: float = field(default_factory=time.monotonic)
    _begun: dict[Key, tuple[float, float]] = field(default_factory=dict[Key, tuple[float, float]])
    """Where a stage was when its run was first seen: fraction, and seconds left then."""
    _marks: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """(monotonic time, done), ascending, of the last minutes."""

    def plan(self, variant: str, stage: str, seconds: float) -> None:
        """A stage will take so much from now on."""
        self.left[variant, stage] = seconds

    def advance(self, variant: str, stage: str, fraction: float) -> None:
        """The run of a stage has done so much (0-1) of what it began with."""
        key, fraction = (variant, stage), min(1.0, max(0.0, fraction))
        if key not in self.left:
            return
        # Starting the workers is not the rate: the clock runs from the first work that is seen.
        self._marks = self._marks or [(time.monotonic(), self.done)]
        if key not in self._begun or fraction < self._begun[key][0]:  # the first look at it, or another run
            self._begun[key] = fraction, self.left[key]
        first, whole = self._begun[key]
        self._set(key, whole * (1 - fraction) / (1 - first) if first < 1 else 0.0)

    def finish(self, variant: str, stage: str | None = None) -> None:
        """A stage, or all of a variant's, is over."""
        for key in self.left:
            if key[0] == variant and stage in (None, key[1]):
                self._set(key, 0.0)

    def follow(self, before: TimeLeft) -> None:
        """Go on from an earlier look at the same work: what is gone since was done."""
        gone = sum(max(0.0, left - self.left.get(key, 0.0)) for key, left in before.left.items())
        self.done, self.started, self._marks = before.done + gone, before.started, before._marks

    @classmethod
    def join(cls, times: Iterable[TimeLeft]) -> TimeLeft:
        """Of several studies. A stage of a variant that some share is done once, and then adopted."""
        found = cls()
        for time_left in times:
            for key, seconds in time_left.left.items():
                found.left[key] = max(seconds, found.left.get(key, 0.0))
        return found

    @property
    def done_fraction(self) -> float:
        """0 to 1."""
        whole = self.done + sum(self.left.values())
        return self.done / whole if whole else 1.0

    def seconds_left(self) -> float | None:
        """Extrapolated from the last minutes; None while too little is done to tell."""
        if self.done_fraction <= _SOON:
            return None
        now = time.monotonic()
        since, done = self._marks[0] if self._marks else (self.started, 0.0)
        self._marks.append((now, self.done))
        while len(self._marks) > 2 and self._marks[1][0] < now - WINDOW_S:
            self._marks.pop(0)
        if self.done <= done or now <= since:
            return None
        return sum(self.left.values()) * (now - since) / (self.done - done)

    def line(self) -> str:
        """How far all of it is, with the time left."""
        return overall(self.done_fraction, self.seconds_left(), time.monotonic() - self.started)

    def _set(self, key: Key, left: float) -> None:
        self.done += self.left[key] - left
        self.left[key] = left
