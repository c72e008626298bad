"""What a schedule's number draws: how far each turn goes, and what befalls it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from random import Random

from ..outcome import Outcome
from .turns import Fault, Turn

_ERRNOS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES)
_SAID = {
    "torn": "limits that kill in the middle of a write",
    "fail": "writes, opens, renames and mkdirs that fail",
    "unreadable": "reads that fail",
    "full": "disks that are full",
    "room": "disks with room again",
    "clock": "clock jumps",
    "lose": "lost events",
}


class Draws:
    """Turns, until all the faults that were drawn at first have happened.

    Args:
        random: of the schedule; decides all of it.
        outcome: counts the faults.
        of_runs: whether the work is Dagster runs, which have more points and events to lose.
    """

    def __init__(self, random: Random, outcome: Outcome, *, of_runs: bool) -> None:
        self._random, self._outcome, self._of_runs = random, outcome, of_runs
        self._faults = random.randint(10, 100)

    def draw(self) -> Turn:
        """A turn, and what befalls it: nothing when all that was to happen has happened."""
        points = int(10 ** self._random.uniform(0, 2.4 if self._of_runs else 1.6))
        if not self.spend(0.65):
            return Turn(points, "pause")
        kinds: list[tuple[int, Callable[[], Turn]]] = [
            (75, lambda: Turn(points, "kill")),
            (8, lambda: Turn(points, "stop")),
            (8, lambda: self._with(points, "torn", 10 ** self._random.uniform(1, 5.5))),
            (6, lambda: self._with(points, "fail", self._random.choice(_ERRNOS))),
            (3, lambda: self._with(points, "unreadable", errno.EIO)),
            (5, lambda: self._with(points, "full", 10 ** self._random.uniform(2, 5.5))),
            (4, lambda: self._with(points, "room", 0)),
            (5, lambda: self._with(points, "clock", self._random.choice([-86_400, -60, 60, 86_400]))),
        ]
        if self._of_runs:
            kinds.append((12, lambda: self._with(points, "lose", 0)))
        (draw,) = self._random.choices([d for _, d in kinds], weights=[w for w, _ in kinds])
        return draw()

    def _with(self, points: int, name: str, value: float) -> Turn:
        fault: Fault = (name, value)  # type: ignore[assignment]
        self._outcome.injected += 1
        self._outcome.notes[_SAID[name]] += 1
        return Turn(points, "pause", (fault,))

    def spend(self, probability: float) -> bool:
        """Whether one of the schedule's faults happens now."""
        if self._faults <= 0 or self._random.random() >= probability:
            return False
        self._faults -= 1
        return True
