"""S3: when each neuron becomes a blob, whether it stays one, when its frequency settles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers import coarseness, neuron_frequencies
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

SCALES = coarseness.ANALYZER.name
FREQUENCIES = neuron_frequencies.ANALYZER.name
Bools = npt.NDArray[np.bool_]


def compute(inputs: Inputs, parameters: BlobRule) -> pd.DataFrame:
    """One row per neuron; see `SUMMARY`."""
    import pandas as pd

    epochs = np.array(inputs.epochs, np.int64)
    values = inputs.stack(SCALES, coarseness.COARSENESS)
    dead = inputs.stack(SCALES, "neuron_dead")
    frequency = inputs.stack(FREQUENCIES, "best_frequency")
    blob: Bools = values >= parameters.blob_from
    ever: Bools = np.any(blob, axis=0)
    first = blob.argmax(axis=0)
    since = _first_of_last_run(blob)
    settled = _first_of_last_run(frequency == frequency[-1])
    # A frequency that is new at the last epoch has not been seen to stay.
    is_settled = (settled < len(epochs) - 1) & (frequency[-1] > 0) if len(epochs) > 1 else np.zeros_like(ever)
    columns: dict[str, Any] = {
        "neuron": np.arange(values.shape[1]),
        "first_blob_epoch": _epochs(epochs, first, ever),
        "stays_blob": ever & (since == first),
        "blob_since_epoch": _epochs(epochs, since, blob[-1]),
        "num_blob_epochs": blob.sum(axis=0),
        "final_coarseness": values[-1],
        "max_coarseness": values.max(axis=0),
        "max_coarseness_epoch": epochs[values.argmax(axis=0)],
        "frequency_settled": is_settled,
        "frequency_settled_epoch": _epochs(epochs, settled, is_settled),
        "final_frequency": frequency[-1],
        "final_fraction": inputs.stack(FREQUENCIES, "best_fraction")[-1],
        "final_cluster": inputs.stack(FREQUENCIES, "cluster")[-1],
        "num_dead_epochs": dead.sum(axis=0),
        "dead_at_end": dead[-1],
        "num_epochs": len(epochs),
        "last_epoch": epochs[-1],
    }
    return pd.DataFrame(columns)


def _first_of_last_run(holds: Bools) -> npt.NDArray[np.intp]:
    """Index from which on a column of (epochs, n) holds to the end; one past the last where it does not."""
    failures = ~holds[::-1]
    trailing = np.where(failures.any(axis=0), failures.argmax(axis=0), len(holds))
    return len(holds) - trailing


def _epochs(
    epochs: npt.NDArray[np.int64], index: npt.NDArray[np.intp], known: Bools
) -> pd.arrays.IntegerArray:
    """Epochs at `index`, empty where not `known`."""
    import pandas as pd

    chosen = epochs[np.minimum(index, len(epochs) - 1)]
    return pd.arrays.IntegerArray(chosen, ~known)


def describe(table: pd.DataFrame) -> Metadata:
    """How many became blobs, stayed, settled, died."""
    return {
        "num_ever_blob": int(table["first_blob_epoch"].notna().sum()),
        "num_stays_blob": int(table["stays_blob"].sum()),
        "num_frequency_settled": int(table["frequency_settled"].sum()),
        "num_dead_at_end": int(table["dead_at_end"].sum()),
    }


SUMMARY = Summary(
    name="neurons",
    title="Neurons over training",
    description="""\
One row per neuron, over the analyzed epochs. `first_blob_epoch`: the first at which its coarseness is at
least 0.7, empty when it never is; `stays_blob`: it is one at every analyzed epoch after that;
`blob_since_epoch`: from when on it is one to the end, empty when it is none at the end.
`frequency_settled_epoch`: from when on its best frequency is
the final one, empty when it changed at the last epoch (not seen to stay) or the neuron is dead at the end.
Epochs between
checkpoints are not seen: a first epoch is the first of those analyzed.
""",
    code_version="1",
    needs=(SCALES, FREQUENCIES),
    function=compute,
    parameters=BlobRule,
    describe=describe,
)
