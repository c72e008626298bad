"""S1: every statistic of A9 by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers.coarseness_stats import ANALYZER
from tdw.recipes.analyzer import Metadata
from tdw.recipes.context import Arrays
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

_STATISTICS = tuple(f"{name}_coarseness" for name in ("mean", "std", "median", "min", "max", "p25", "p75"))
_COUNT = "num_blob_neurons_"
_REST = ("num_dead_neurons", "num_neurons", "fraction_plaid", "fraction_transitional", "fraction_blob")


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch: the numbers of `coarseness_stats` by name, the histogram as hist_00, hist_01, ..."""
    import pandas as pd

    names = _in_order(inputs.artifacts[ANALYZER.name][0])
    histogram = inputs.stack(ANALYZER.name, "histogram")
    columns = {name: inputs.stack(ANALYZER.name, name) for name in names}
    columns |= {f"hist_{i:02d}": histogram[:, i] for i in range(histogram.shape[1])}
    return pd.DataFrame({"epoch": np.array(inputs.epochs, np.int64), **columns})


def _in_order(arrays: Arrays) -> list[str]:
    """Names of the numbers: those that every artifact has, with the counts of its own thresholds between."""
    counts = sorted(
        (name for name in arrays if name.startswith(_COUNT)), key=lambda name: float(name[len(_COUNT) :])
    )
    return [*_STATISTICS, *counts, *_REST]


def describe(table: pd.DataFrame) -> Metadata:
    """The last epoch's numbers, and the highest mean."""
    last: Any = table.iloc[-1]
    highest: Any = table.iloc[int(table["mean_coarseness"].to_numpy().argmax())]
    return {
        "last_epoch": int(last["epoch"]),
        "final_mean_coarseness": float(last["mean_coarseness"]),
        "final_fraction_blob": float(last["fraction_blob"]),
        "highest_mean_coarseness": float(highest["mean_coarseness"]),
        "highest_at_epoch": int(highest["epoch"]),
    }


SUMMARY = Summary(
    name="coarseness",
    title="Coarseness over epochs",
    description="""\
One row per epoch. `mean_`, `std_` (population), `median_`, `min_`, `max_`, `p25_`, `p75_coarseness` over all
neurons; `num_blob_neurons_0.5` and so on, neurons at or above; `num_dead_neurons` (constant maps, in with
coarseness 0); `hist_00` to `hist_19`, neurons in each twentieth of [0, 1]; `fraction_plaid` (< 0.5),
`fraction_transitional`, `fraction_blob` (≥ 0.7).
""",
    code_version="1",
    needs=(ANALYZER.name,),
    function=compute,
    describe=describe,
)
