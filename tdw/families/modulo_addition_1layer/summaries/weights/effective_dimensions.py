"""A15 over training: how many directions each weight matrix uses, and when W_out falls below W_in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import weight_spectra
from tdw.recipes.analyzer import Metadata
from tdw.recipes.common.effective_rank import crossover_epoch
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

SPECTRA = weight_spectra.ANALYZER.name
MATRICES = tuple(weight_spectra.MATRICES)


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch; see `SUMMARY`."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in MATRICES:
        values = inputs.stack(SPECTRA, f"dimensions_{name}")
        columns[name] = values.mean(axis=1) if values.ndim == 2 else values
    table = inputs.table(columns)
    return table.assign(crossover_epoch=pd.array([_crossover(table)] * len(table), "Int64"))


def _crossover(table: pd.DataFrame) -> int | None:
    epochs = table["epoch"].to_numpy(np.int64)
    return crossover_epoch(epochs, table["W_out"].to_numpy(np.float64), table["W_in"].to_numpy(np.float64))


def describe(table: pd.DataFrame) -> Metadata:
    """Where W_out falls below W_in."""
    epoch = _crossover(table)
    return {"crossover_epoch": "none" if epoch is None else epoch}


SUMMARY = Summary(
    name="effective_dimensions",
    title="Effective dimensions of the weights over epochs",
    description="""\
One row per epoch: the participation ratio (Σ s)² / Σ s² of the singular values of each weight matrix; of
W_Q, W_K, W_V and W_O the mean of the heads. `crossover_epoch` is the first epoch at which W_out is at or
below W_in after it was above; empty where there is none.
""",
    code_version="1",
    needs=(SPECTRA,),
    function=compute,
    describe=describe,
)
