"""The shortest stretches of training, from saved states, that visit what is missing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Stretch:
    """Epochs `start` to `stop`, both visited. `start` is a saved state's epoch, or 0: the initialization."""

    start: int
    stop: int

    @property
    def steps(self) -> int:
        """Optimizer steps it takes."""
        return self.stop - self.start


def plan_stretches(wanted: Iterable[tuple[int, int]], states: Sequence[int]) -> tuple[Stretch, ...]:
    """Disjoint stretches, ascending, that visit every wanted epoch.

    Args:
        wanted: intervals of epochs to visit, both ends included; a checkpoint is (epoch, epoch).
        states: epochs of the saved states, in any order.
    """
    available = sorted({0, *states})
    stretches: list[Stretch] = []
    for first, last in sorted(wanted):
        start = available[bisect_right(available, first) - 1]
        if stretches and start <= stretches[-1].stop:
            previous = stretches.pop()
            start, last = previous.start, max(previous.stop, last)
        stretches.append(Stretch(start, last))
    return tuple(stretches)


def cheapest_witness(known: Collection[int], states: Sequence[int]) -> Stretch | None:
    """The shortest stretch that ends at a known result and has at least one step, or None without one.

    Args:
        known: epochs whose weights are in the store, states included.
        states: epochs of the saved states.
    """
    available = sorted({0, *states})
    candidates = [
        Stretch(available[bisect_right(available, epoch - 1) - 1], epoch) for epoch in known if epoch > 0
    ]
    return min(candidates, key=lambda stretch: (stretch.steps, stretch.stop), default=None)
