"""Where more checkpoints pay: where the test loss of a variant falls fastest (T5).

A second pass, after training: the rule reads the histories of all variants that are to be compared and gives
one list of extra epochs for all of them, which replay then fills in. So the series stay comparable, and the
rule never changes what an epoch's weights are.

How far a variant has fallen by epoch e is the fall of its running minimum in log10,

    F(e) = log10 L(first) - min over e' <= e of log10 L(e'),

so that noise and spikes count nothing. Between two evaluated epochs the largest rise of F among the variants
is added up; an extra checkpoint is put wherever the sum has grown by another `decades_per_checkpoint`. No
variant then falls further than that between two checkpoints, except where one evaluation jumps further, where
`min_gap` forbids it, or where `max_extra` limits the list: then the steps are wider everywhere alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class AdaptiveRule:
    """Settings of the rule.

    Attributes:
        decades_per_checkpoint: fall of the test loss, in powers of ten, that deserves a checkpoint.
        max_extra: extra epochs at most.
        min_gap: an extra epoch keeps at least this distance from every other checkpoint.
    """

    decades_per_checkpoint: float = 0.1
    max_extra: int = 60
    min_gap: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.decades_per_checkpoint < float("inf"):
            raise BadConfig(
                f"decades_per_checkpoint is {self.decades_per_checkpoint}",
                "use a number above 0, such as 0.1",
            )
        for name in ("max_extra", "min_gap"):
            if getattr(self, name) < 1:
                raise BadConfig(f"{name} is {getattr(self, name)}", f"use a {name} of at least 1")


def adaptive_epochs(
    histories: Mapping[str, pd.DataFrame], scheduled: Collection[int], *, rule: AdaptiveRule | None = None
) -> tuple[int, ...]:
    """Extra epochs for all variants of a comparison.

    Args:
        histories: by variant, with columns epoch and test_loss (NaN where it was not evaluated). Only epochs
            up to the last that all variants have reached count.
        scheduled: epochs that are checkpoints already.
        rule: the default one when None.

    Returns:
        Ascending epochs, none of them scheduled; all are epochs at which some variant was evaluated.
    """
    rule = rule or AdaptiveRule()
    if not histories:
        return ()
    evaluated = [history[history["test_loss"].notna()] for history in histories.values()]
    if any(table.empty for table in evaluated):
        return ()
    last = min(int(table["epoch"].max()) for table in evaluated)
    epochs: npt.NDArray[np.int64] = np.unique(np.concatenate([table["epoch"] for table in evaluated]))
    epochs = epochs[epochs <= last]
    falls = np.stack(
        [_fallen(table["epoch"].to_numpy(), table["test_loss"].to_numpy(), epochs) for table in evaluated]
    )
    fallen = np.concatenate([[0.0], np.cumsum(np.diff(falls, axis=1).max(axis=0))])
    step = max(rule.decades_per_checkpoint, fallen[-1] / (rule.max_extra + 1))
    chosen: list[int] = []
    taken = set(scheduled)
    for target in np.arange(step, fallen[-1] - step / 2, step):
        epoch = int(epochs[min(np.searchsorted(fallen, target), len(epochs) - 1)])
        if all(abs(epoch - other) >= rule.min_gap for other in taken):
            chosen.append(epoch)
            taken.add(epoch)
    return tuple(sorted(chosen[: rule.max_extra]))


def _fallen(
    at: npt.NDArray[np.int64], test_loss: npt.NDArray[np.float64], epochs: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """F of one variant at `epochs`, interpolated between its evaluations."""
    order = np.argsort(at)
    tiny = np.finfo(np.float64).tiny
    log = np.log10(np.maximum(test_loss[order], tiny))
    fall = log[0] - np.minimum.accumulate(log)
    return np.asarray(np.interp(epochs, at[order], fall), np.float64)
