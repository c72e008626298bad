"""S1: the embedding's frequencies and the neurons' clusters by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import dominant_frequencies, neuron_frequencies
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

EMBEDDING = dominant_frequencies.ANALYZER.name
NEURONS = neuron_frequencies.ANALYZER.name


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch; see `SUMMARY`."""
    import pandas as pd

    dominant = [arrays["dominant_frequencies"].tolist() for arrays in inputs.artifacts[EMBEDDING]]
    norms = inputs.stack(EMBEDDING, "frequency_norms")
    sizes = inputs.stack(NEURONS, "cluster_sizes")
    columns: dict[str, object] = {
        "epoch": np.array(inputs.epochs, np.int64),
        "num_dominant_frequencies": [len(found) for found in dominant],
        "dominant_frequencies": [" ".join(map(str, found)) for found in dominant],
        "median_norm": inputs.stack(EMBEDDING, "median_norm"),
        "threshold_norm": inputs.stack(EMBEDDING, "threshold_norm"),
        "constant_norm": inputs.stack(EMBEDDING, "fourier_norms")[:, 0],
        "num_clustered_neurons": sizes.sum(axis=1),
        "num_clusters": (sizes > 0).sum(axis=1),
        "mean_best_fraction": inputs.stack(NEURONS, "best_fraction").mean(axis=1, dtype=np.float64),
    }
    columns |= {f"norm_{k + 1}": norms[:, k] for k in range(norms.shape[1])}
    columns |= {f"neurons_{k + 1}": sizes[:, k] for k in range(sizes.shape[1])}
    return pd.DataFrame(columns)


def describe(table: pd.DataFrame) -> Metadata:
    """The last epoch's frequencies."""
    last: Any = table.iloc[-1]
    return {
        "last_epoch": int(last["epoch"]),
        "final_dominant_frequencies": str(last["dominant_frequencies"]) or "none",
        "final_num_clustered_neurons": int(last["num_clustered_neurons"]),
    }


SUMMARY = Summary(
    name="frequencies",
    title="Frequencies over epochs",
    description="""\
One row per epoch. `dominant_frequencies` of W_E, ascending, as text (`"4 11 30"`, empty for none); `norm_1`,
`norm_2`, ... of each frequency, `constant_norm`, `median_norm` and what a dominant one has to reach,
`threshold_norm`.
`neurons_1`, `neurons_2`, ...: neurons in each frequency's cluster; `num_clustered_neurons`, `num_clusters`;
`mean_best_fraction`: how much of a neuron's variance its best frequency explains, on average.
""",
    code_version="1",
    needs=(EMBEDDING, NEURONS),
    function=compute,
    describe=describe,
)
