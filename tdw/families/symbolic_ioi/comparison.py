"""Tables of a variant, variants side by side, and what claims may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.symbolic_ioi.analyzers import COMPOSITION, COPYING, INPUTS, REPLACEMENTS
from tdw.families.transformer.recipes.tables import head_columns
from tdw.recipes.comparison import Comparison
from tdw.recipes.measures import Measure, Quantity, column, series
from tdw.recipes.overview import Curve, OverviewColumn
from tdw.recipes.summary import HISTORY, Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.variant_tables import VariantTables


def composition(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See COMPOSITION_TABLE."""
    found: dict[str, Any] = {}
    for name in ("accuracy", "loss"):
        values = inputs.stack(COMPOSITION.name, name)
        found[name] = values[:, 0, 0]
        for i, replacement in enumerate(REPLACEMENTS):
            found |= {f"{name}_{x}_{replacement}": values[:, i, j] for j, x in enumerate(INPUTS) if j}
    return inputs.table(found)


def copying(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See COPYING_TABLE."""
    scores = inputs.stack(COPYING.name, "score")
    flat = scores.reshape(len(scores), -1)
    return inputs.table({head: flat[:, i] for i, head in enumerate(head_columns(*scores.shape[1:]))})


def solved(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See SOLVED_TABLE."""
    import pandas as pd

    assert inputs.history is not None
    known = inputs.history.dropna(subset=["accuracy"])
    right = known.loc[known["accuracy"] == 1.0, "epoch"]
    return pd.DataFrame({"solved_epoch": [float(right.iloc[0]) if len(right) else np.nan]})


def columns(variant: VariantTables, early: int) -> Mapping[str, Any]:
    """See DESCRIPTION."""
    copies = variant.get("copying")

    def last(name: str) -> float:
        return variant.number("composition", name)

    scores = np.array([]) if copies is None else copies.iloc[-1].drop("epoch").to_numpy(np.float64)
    accuracy = last("accuracy")
    return {
        "solved_epoch": variant.number("solved", "solved_epoch"),
        "final_accuracy": accuracy,
        "final_loss": last("loss"),
        **{f"drop_without_{x}": accuracy - last(f"accuracy_{x}_mean") for x in INPUTS[1:]},
        **{f"drop_without_{x}_zeroed": accuracy - last(f"accuracy_{x}_zero") for x in INPUTS[1:]},
        "highest_copying": scores.max() if len(scores) else np.nan,
        "lowest_copying": scores.min() if len(scores) else np.nan,
    }


DESCRIPTION = """\
One row per variant. `solved_epoch`: the first evaluated epoch at which all sequences are right, empty for
none. `final_*` at the last analyzed epoch. `drop_without_q`: how much of the accuracy (0 to 1) is lost there
when the queries of the later layers no longer see what earlier heads wrote, which is replaced by its mean, or
left out (`_zeroed`). `highest_copying`, `lowest_copying`: of all heads.
"""
COMPOSITION_TABLE = Summary(
    name="composition",
    title="Composition by ablation",
    description="""\
One row per epoch: accuracy (0 to 1) and loss (nats) of the whole model, and without the composition through
queries, keys or values, with what earlier heads wrote left out (`zero`) or replaced by its mean (`mean`).
""",
    code_version="1",
    needs=(COMPOSITION.name,),
    function=composition,
)
COPYING_TABLE = Summary(
    name="copying",
    title="What heads copy",
    description="One row per epoch: the copying score of each head, 0 to 1.",
    code_version="1",
    needs=(COPYING.name,),
    function=copying,
)
SOLVED_TABLE = Summary(
    name="solved",
    title="When all sequences are right",
    description="One row: the first evaluated epoch with accuracy 1, empty for none.",
    code_version="1",
    needs=(HISTORY,),
    function=solved,
)
SUMMARIES = (COMPOSITION_TABLE, COPYING_TABLE, SOLVED_TABLE)
COMPARISON = Comparison(
    tables=("composition", "copying", "solved"),
    alike=(COMPOSITION.name, COPYING.name),
    columns=columns,
    whole=("solved_epoch",),
    description=DESCRIPTION,
    code_version="1",
)
MEASURES: Mapping[str, Measure] = {
    "solved_epoch": column("solved_epoch", "the first epoch with all sequences right"),
    "final_accuracy": column("final_accuracy", "final accuracy"),
    "final_loss": column("final_loss", "final loss"),
    **{
        f"drop_without_{x}": column(f"drop_without_{x}", f"loss of accuracy without composition through {x}")
        for x in INPUTS[1:]
    },
    "highest_copying": column("highest_copying", "highest copying score"),
    "lowest_copying": column("lowest_copying", "lowest copying score"),
    "accuracy": series("accuracy", HISTORY, "accuracy"),
}
QUANTITIES = (
    Quantity("final_accuracy", "accuracy", overview=True),
    Quantity("solved_epoch", "all right from epoch", overview=True),
    *(Quantity(f"drop_without_{x}", f"lost without {x}", overview=True) for x in INPUTS[1:]),
)


def _accuracy(table: pd.DataFrame) -> Curve:
    known = table.dropna(subset=["accuracy"])
    return known["epoch"].to_numpy(np.int64), known["accuracy"].to_numpy(np.float64)


OVERVIEW = (OverviewColumn("accuracy", HISTORY, curve=_accuracy, note="0 to 1"),)
