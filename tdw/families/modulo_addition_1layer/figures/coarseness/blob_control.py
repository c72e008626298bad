"""The reference line of P5: blobs that renamed residues would give (A12), the task being the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import VariantReader

USES = "summaries/relabelling"


@dataclass(frozen=True)
class Control:
    """The relabelling control of one variant.

    Attributes:
        threshold: that a blob reaches there, as in the columns of the counts.
        labellings: how many there are, the observed one among them.
        counts: columns epoch, neurons: the mean over the labellings; a row per scheduled epoch, NaN where it
            is missing.
    """

    threshold: str
    labellings: int
    counts: pd.DataFrame

    @property
    def name(self) -> str:
        """For the legend."""
        return f"≥ {self.threshold}, mean of {self.labellings} relabellings"


def load(reader: VariantReader, counts: pd.DataFrame, *, preferred: str) -> Control | None:
    """The control, or None where there is no summary of it or it counts what the figure does not show.

    Args:
        reader: of the variant.
        counts: columns epoch, then a threshold each. The control's threshold is that whose counts its own
            labeling, c = 1, repeats.
        preferred: the threshold to take where several have the same counts.
    """
    table = reader.optional_summary("relabelling")
    if table is None:
        return None
    observed = table.loc[table["c"] == 1, ["epoch", "num_blob_neurons"]].merge(counts, on="epoch")
    same = [name for name in counts.columns if name != "epoch" and _is_same(observed, name)]
    if not same or observed.empty:
        return None
    mean = table.groupby("epoch")["num_blob_neurons"].mean().rename("neurons").reset_index()
    return Control(
        threshold=_closest(same, preferred),
        labellings=int(table["c"].nunique()),
        counts=series.on_schedule(mean, reader.scheduled),
    )


def _is_same(observed: pd.DataFrame, name: str) -> bool:
    return bool(np.array_equal(observed["num_blob_neurons"].to_numpy(), observed[name].to_numpy()))


def _closest(names: Sequence[str], preferred: str) -> str:
    return min(names, key=lambda name: abs(float(name) - float(preferred)))
