"""The history of a variant: losses and accuracy by epoch.

Row e is about the weights after exactly e optimizer steps. The train loss is there for every epoch; test loss
and accuracy for those that were evaluated, NaN elsewhere. Visiting an epoch again gives the same bits, so
merging is filling in, and the table depends on which checkpoints exist, not on when they were asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("train_loss", "test_loss", "test_accuracy")


class History:
    """Values by epoch, float64, NaN where there is none; grows as epochs are recorded."""

    def __init__(self, table: pd.DataFrame | None = None) -> None:
        last = -1 if table is None or table.empty else int(table["epoch"].max())
        self._values = np.full((max(last + 1, 1), len(COLUMNS)), np.nan)
        if table is not None and last >= 0:
            self._values[table["epoch"].to_numpy()] = table[list(COLUMNS)].to_numpy(np.float64)

    def record(self, epoch: int, train_loss: float, test: tuple[float, float] | None) -> None:
        """Fill in a row; `test` is test loss and accuracy, None leaves what is there."""
        if epoch >= len(self._values):
            grown = np.full((max(epoch + 1, 2 * len(self._values)), len(COLUMNS)), np.nan)
            grown[: len(self._values)] = self._values
            self._values = grown
        self._values[epoch, 0] = train_loss
        if test is not None:
            self._values[epoch, 1:] = test

    def row(self, epoch: int) -> tuple[float, float, float]:
        """Train loss, test loss and test accuracy at `epoch`, NaN where unknown."""
        if epoch >= len(self._values):
            return (np.nan, np.nan, np.nan)
        train, test, accuracy = self._values[epoch].tolist()
        return (train, test, accuracy)

    def train_losses(self) -> npt.NDArray[np.float64]:
        """A copy of the train losses by epoch, NaN where unknown."""
        return self._values[:, 0].copy()

    def visited(self, last_epoch: int) -> npt.NDArray[np.bool_]:
        """Bool (last_epoch + 1,): where the train loss is known."""
        known = ~np.isnan(self._values[: last_epoch + 1, 0])
        return np.concatenate([known, np.zeros(last_epoch + 1 - len(known), np.bool_)])

    def gaps(self, last_epoch: int, evaluated: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Intervals of epochs up to `last_epoch` that lack a value they should have.

        Args:
            last_epoch: the last epoch the history has to cover.
            evaluated: (last_epoch + 1,): where test loss and accuracy belong.
        """
        have = np.full((last_epoch + 1, 2), np.nan)
        known = self._values[: last_epoch + 1, :2]
        have[: len(known)] = known
        missing = np.isnan(have[:, 0]) | (np.isnan(have[:, 1]) & evaluated)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
        return [(int(first), int(after) - 1) for first, after in zip(edges[::2], edges[1::2], strict=True)]

    def to_frame(self) -> pd.DataFrame:
        """One row an epoch visited: epoch (int64), train_loss and test_loss (nats), test_accuracy (0-1)."""
        import pandas as pd

        visited = np.flatnonzero(~np.isnan(self._values[:, 0]))
        table = pd.DataFrame({"epoch": visited.astype(np.int64)})
        for i, name in enumerate(COLUMNS):
            table[name] = self._values[visited, i]
        return table
