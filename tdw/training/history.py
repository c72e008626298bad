"""The history of a variant: train loss and metrics by epoch.

Row e is about the weights after exactly e optimizer steps. The train loss is there for every epoch; the
family's metrics for those that were evaluated, NaN elsewhere. Visiting an epoch again gives the same bits, so
merging is filling in, and the table depends on which checkpoints exist, not on when they were asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

TRAIN_LOSS = "train_loss"


class History:
    """Values by epoch, float64, NaN where there is none; grows as epochs are recorded.

    Attributes:
        columns: train_loss, then the metrics of the family.
    """

    def __init__(self, metrics: tuple[str, ...], table: pd.DataFrame | None = None) -> None:
        self.columns = (TRAIN_LOSS, *metrics)
        last = -1 if table is None or table.empty else int(table["epoch"].max())
        self._values = np.full((max(last + 1, 1), len(self.columns)), np.nan)
        if table is not None and last >= 0:
            self._values[table["epoch"].to_numpy()] = table[list(self.columns)].to_numpy(np.float64)

    @classmethod
    def of_values(cls, columns: tuple[str, ...], values: npt.NDArray[np.float64]) -> History:
        """From what `values` gave. Raises ValueError when the array does not fit the columns."""
        if columns[:1] != (TRAIN_LOSS,) or values.ndim != 2 or values.shape[1] != len(columns):
            raise ValueError(f"values of shape {values.shape} for the columns {columns}")
        found = cls(columns[1:])
        found._values = np.asarray(values, np.float64)
        return found

    def values(self) -> npt.NDArray[np.float64]:
        """Float64 (epochs, columns) up to the last visited epoch, NaN where unknown; a view."""
        visited = np.flatnonzero(~np.isnan(self._values[:, 0]))
        return self._values[: visited[-1] + 1 if len(visited) else 0]

    def record(self, epoch: int, train_loss: float, metrics: tuple[float, ...] | None) -> None:
        """Fill in a row; None leaves the metrics that are there."""
        if epoch >= len(self._values):
            grown = np.full((max(epoch + 1, 2 * len(self._values)), len(self.columns)), np.nan)
            grown[: len(self._values)] = self._values
            self._values = grown
        self._values[epoch, 0] = train_loss
        if metrics is not None:
            self._values[epoch, 1:] = metrics

    def row(self, epoch: int) -> tuple[float, ...]:
        """Train loss and metrics at `epoch`, NaN where unknown."""
        if epoch >= len(self._values):
            return (np.nan,) * len(self.columns)
        return tuple(self._values[epoch].tolist())

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
            evaluated: (last_epoch + 1,): where the metrics belong.
        """
        have = np.full((last_epoch + 1, len(self.columns)), np.nan)
        known = self._values[: last_epoch + 1]
        have[: len(known)] = known
        missing = np.isnan(have[:, 0]) | (np.isnan(have[:, 1:2]).any(axis=1) & evaluated)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
        return [(int(first), int(after) - 1) for first, after in zip(edges[::2], edges[1::2], strict=True)]

    def to_frame(self) -> pd.DataFrame:
        """One row per epoch visited: epoch (int64), train_loss, and the metrics of the family (float64)."""
        import pandas as pd

        visited = np.flatnonzero(~np.isnan(self._values[:, 0]))
        table = pd.DataFrame({"epoch": visited.astype(np.int64)})
        for i, name in enumerate(self.columns):
            table[name] = self._values[visited, i]
        return table
