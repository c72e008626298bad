"""Tables of a variant, variants side by side, and what claims may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.quadratic_mlp.analyzers import NEURONS, SIDES, one_frequency
from tdw.recipes.analyzer import Metadata
from tdw.recipes.comparison import Comparison
from tdw.recipes.measures import Measure, Quantity, column, series
from tdw.recipes.overview import Curve, OverviewColumn
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.variant_tables import VariantTables

_METRICS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


def neurons(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See TABLE."""
    ipr, mismatch = inputs.stack(NEURONS.name, "ipr"), inputs.stack(NEURONS.name, "mismatch")
    known = one_frequency(frequency := inputs.stack(NEURONS.name, "frequency"))
    count = known.sum(axis=1)
    cosines = np.where(known, np.cos(np.where(known, mismatch, 0)), 0).sum(axis=1)
    return inputs.table(
        {
            "mean_ipr": ipr.mean(axis=(1, 2)),
            **{f"mean_ipr_{side}": ipr[:, :, i].mean(axis=1) for i, side in enumerate(SIDES)},
            "one_frequency": known.mean(axis=1),
            "phase_relation": np.divide(cosines, count, out=np.full(len(count), np.nan), where=count > 0),
            "num_frequencies": [len(np.unique(f[k][:, 0])) for f, k in zip(frequency, known, strict=True)],
        }
    )


def _describe(table: pd.DataFrame) -> Metadata:
    return {str(name): round(float(table[name].iloc[-1]), 4) for name in list(table.columns)[1:]}


def columns(variant: VariantTables, early: int) -> Mapping[str, Any]:
    """See DESCRIPTION."""
    names = ("mean_ipr", "one_frequency", "phase_relation", "num_frequencies")
    return {
        **{f"final_{name}": variant.number("history", name) for name in _METRICS},
        **{f"final_{name}": variant.number("neurons", name) for name in names},
    }


DESCRIPTION = """\
One row per variant, all at the last epoch: losses (mean squared error) and accuracies; `final_mean_ipr`, mean
inverse participation ratio of all weight vectors; `final_one_frequency`, share of the neurons whose three
vectors have the same frequency; `final_phase_relation`, mean cosine of their phase mismatch;
`final_num_frequencies`, how many frequencies they have together.
"""
TABLE = Summary(
    name="neurons",
    title="Neurons",
    description="""\
One row per epoch. `mean_ipr`: mean inverse participation ratio of the neurons' weight vectors, and of each of
the three alone; `one_frequency`: share of the neurons whose three vectors have the same strongest frequency;
`phase_relation`: mean cosine of their phase mismatch, 1 where all satisfy the published relation;
`num_frequencies`: different frequencies among them.
""",
    code_version="1",
    needs=(NEURONS.name,),
    function=neurons,
    describe=_describe,
)
COMPARISON = Comparison(
    tables=("history", "neurons"),
    alike=(NEURONS.name,),
    columns=columns,
    whole=("final_num_frequencies",),
    description=DESCRIPTION,
    code_version="1",
)
MEASURES: Mapping[str, Measure] = {
    "final_train_loss": column("final_train_loss", "final train loss"),
    "final_test_loss": column("final_test_loss", "final test loss"),
    "final_train_accuracy": column("final_train_accuracy", "final train accuracy"),
    "final_test_accuracy": column("final_test_accuracy", "final test accuracy"),
    "final_mean_ipr": column("final_mean_ipr", "final inverse participation ratio"),
    "final_one_frequency": column("final_one_frequency", "final share of neurons with one frequency"),
    "final_phase_relation": column("final_phase_relation", "final mean cosine of the phase mismatch"),
    "final_num_frequencies": column("final_num_frequencies", "final number of frequencies"),
    "mean_ipr": series("inverse participation ratio", "neurons", "mean_ipr"),
}
QUANTITIES = (
    Quantity("final_train_loss", "train loss", overview=True),
    Quantity("final_test_loss", "test loss", overview=True),
    Quantity("final_test_accuracy", "test accuracy", overview=True),
    Quantity("final_mean_ipr", "participation ratio", overview=True),
    Quantity("final_phase_relation", "cos of phase mismatch", overview=True),
)


def _curve(table: pd.DataFrame) -> Curve:
    return table["epoch"].to_numpy(np.int64), table["mean_ipr"].to_numpy(np.float64)


OVERVIEW = (OverviewColumn("participation ratio", "neurons", curve=_curve, note="0 to 1"),)
