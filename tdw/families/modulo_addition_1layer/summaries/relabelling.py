"""A12 over epochs: coarseness under every labeling, and where the observed one ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import relabelling
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

CONTROL = relabelling.NAME


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch and labeling; see `SUMMARY`."""
    import pandas as pd

    means, blobs = (inputs.stack(CONTROL, name) for name in ("mean_coarseness", "num_blob_neurons"))
    epochs, labelings = means.shape
    # Equal values share the last of their places, as in the analyzer.
    rank_mean, rank_blobs = ((v[:, :, None] <= v[:, None, :]).sum(axis=2) for v in (means, blobs))
    columns: dict[str, Any] = {
        "epoch": np.repeat(np.array(inputs.epochs, np.int64), labelings),
        "c": [c + 1 for _ in range(epochs) for c in range(labelings)],
        "mean_coarseness": means.ravel(),
        "num_blob_neurons": blobs.ravel(),
        "rank_mean_coarseness": rank_mean.ravel(),
        "rank_num_blob_neurons": rank_blobs.ravel(),
    }
    return pd.DataFrame(columns)


def describe(table: pd.DataFrame) -> Metadata:
    """Where the observed labels rank at the last epoch."""
    row: Any = table[table["c"] == 1].iloc[-1]
    return {
        "last_epoch": int(row["epoch"]),
        "final_rank_mean_coarseness": int(row["rank_mean_coarseness"]),
        "final_rank_num_blob_neurons": int(row["rank_num_blob_neurons"]),
        "num_labellings": int(table["c"].to_numpy().max()),
    }


SUMMARY = Summary(
    name="relabelling",
    title="Relabelling control over epochs",
    description="""\
One row per epoch and labeling c = 1..(p-1)/2 (what was at residue c x is now at x; c = 1 is the observed
one): `mean_coarseness` and `num_blob_neurons` of the relabeled maps, and their ranks, 1 for the highest;
equal values share the last of their places, so rank / ((p-1)/2) is the share of labelings that reach the
value.
""",
    code_version="1",
    needs=(CONTROL,),
    function=compute,
    describe=describe,
)
