"""What one call of `train` has to do, from what is asked and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.training.records import Present, Records
from tdw.training.stretches import Stretch, plan_stretches


@dataclass(frozen=True)
class TrainingPlan:
    """A plan.

    Attributes:
        reused: checkpoints that are there, with their metrics in the history.
        unmeasured: checkpoints that are there, but whose metrics were lost with the process that made them.
        missing: epochs whose checkpoint has to be committed.
        evaluated: bool (epochs,): where the metrics belong.
        stretches: what to train.
    """

    reused: dict[int, Present]
    unmeasured: dict[int, Present]
    missing: frozenset[int]
    evaluated: npt.NDArray[np.bool_]
    stretches: tuple[Stretch, ...]

    def first_commit(self, stretch: Stretch) -> int:
        """The first epoch of a stretch at which something is committed."""
        return min((e for e in self.missing if stretch.start <= e <= stretch.stop), default=stretch.stop)


def plan_training(
    records: Records, asked: Sequence[int], *, last_epoch: int, test_every: int, redo: bool
) -> TrainingPlan:
    """Plan the checkpoints `asked` and a history without gaps up to `last_epoch`.

    A history that was lost or cut short is made again as far as the variant was trained: beyond `last_epoch`
    too, where checkpoints and states show that it had been there.

    Args:
        records: what is there.
        asked: epochs of checkpoints.
        last_epoch: at least the last of them.
        test_every: test metrics belong to every such epoch, and to every checkpoint, asked for now or before.
        redo: what is there is missing too.
    """
    present = {} if redo else records.sound_checkpoints(asked)
    missing = frozenset(asked) - present.keys()
    trained = max([last_epoch, *records.checkpoints, *records.states.epochs()])
    epochs = np.arange(trained + 1)
    # Beyond what was asked for, another `test_every` is no reason to train again what is known.
    evaluated = (epochs % test_every == 0) & ((epochs <= last_epoch) | ~records.history.visited(trained))
    evaluated[[*asked, *records.checkpoints]] = True
    gaps = records.history.gaps(trained, evaluated)
    if not missing and "imported" in (records.environment() or {}):
        # Trained elsewhere: nothing between its checkpoints can be measured, and what is there is enough.
        gaps = [(first, stop) for first, stop in gaps if any(first <= epoch <= stop for epoch in asked)]
    unknown = np.zeros(trained + 1, np.bool_)
    for first, stop in gaps:
        unknown[first : stop + 1] = True
    return TrainingPlan(
        reused={epoch: found for epoch, found in present.items() if not unknown[epoch]},
        unmeasured={epoch: found for epoch, found in present.items() if unknown[epoch]},
        missing=missing,
        evaluated=evaluated,
        stretches=plan_stretches([*((epoch, epoch) for epoch in missing), *gaps], records.states.epochs()),
    )
