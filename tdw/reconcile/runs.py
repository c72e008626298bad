"""What reconciling has to know of runs; the package that starts them answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tdw.inventory.plan import Task


@dataclass(frozen=True)
class WorkInProgress:
    """What to leave alone for now.

    Attributes:
        variants: keys of the study's.
        comparison: whether something over all variants is being made.
        everything: work is in progress whose variants can't be told.
    """

    variants: frozenset[str]
    comparison: bool
    everything: bool

    @property
    def idle(self) -> bool:
        """Nothing is being worked on."""
        return not (self.variants or self.comparison or self.everything)


@dataclass(frozen=True)
class Tried:
    """The runs that there were for a task.

    Attributes:
        canceled: a person canceled the latest run of this stage and variant.
        runs: number of runs for the same gap.
        ended: those of them that are over, and were not stopped together with the workbench.
        worked: those of the ended that began to work.
        latest: id of the latest that has ended; "" for none.
    """

    canceled: bool
    runs: int
    ended: int
    worked: int
    latest: str


class Runs(Protocol):
    """The runs of a study."""

    def busy(self) -> WorkInProgress:
        """What is being worked on."""
        ...

    def tried(self, task: Task) -> Tried:
        """What runs there were for a task."""
        ...

    def newest_event(self) -> int:
        """A number that grows with every recorded event."""
        ...
