"""When the first blob appears: by the labels that residues have, and over all relabellings (A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import coarseness, relabelling
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.maths.coarseness.blob_onset import (
    first_blob,
    first_lasting_blob,
    onset_by_labelling,
)
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

NAME = "blob_onset"
_WHOLE = (
    "first_blob_epoch", "first_blob_neuron", "lasting_blob_epoch", "lasting_blob_neuron",
    "relabelled_first_blob_epoch",
)  # fmt: skip
_ROUNDING = 1e-5  # between the coarseness of the maps and that of the observed labels, more than enough


def compute(inputs: Inputs, parameters: BlobRule) -> pd.DataFrame:
    """One row; see `SUMMARY`."""
    import pandas as pd

    epochs = np.array(inputs.epochs, np.int64)
    values = inputs.stack(coarseness.NAME, coarseness.COARSENESS)
    first = first_blob(epochs, values, blob_from=parameters.blob_from)
    lasting = first_lasting_blob(epochs, values, blob_from=parameters.blob_from)
    counts = inputs.stack(relabelling.NAME, "num_blob_neurons")
    _require_one_rule(values, counts[:, 0], parameters.blob_from)
    over = onset_by_labelling(epochs, counts)
    row: dict[str, Any] = {
        "first_blob_epoch": None if first is None else first[0],
        "first_blob_neuron": None if first is None else first[1],
        "lasting_blob_epoch": None if lasting is None else lasting[0],
        "lasting_blob_neuron": None if lasting is None else lasting[1],
        "relabelled_first_blob_epoch": over.median,
        "relabelled_mean_first_blob_epoch": over.mean,
        "relabellings_without_blob": over.never,
        "num_labellings": over.labellings,
        "first_blob_rank": over.rank,
        "last_epoch": epochs[-1],
    }
    return pd.DataFrame([row]).astype(dict.fromkeys(_WHOLE, "Int64"))


def _require_one_rule(
    values: npt.NDArray[np.floating], counted: npt.NDArray[np.integer], blob_from: float
) -> None:
    """Raise BadConfig where the relabelling's blobs of the observed labels, (T,), are others than these."""
    least, most = ((values >= blob_from + by).sum(axis=1) for by in (_ROUNDING, -_ROUNDING))
    if ((counted < least) | (counted > most)).any():
        raise BadConfig(
            f"{NAME} has blobs from {blob_from:g} on, and {relabelling.NAME} from another coarseness",
            f"give {NAME} (under summaries) and {relabelling.NAME} (under analyzers) the same blob_from",
        )


def describe(table: Any) -> Metadata:
    """The two epochs, "none" where there is no blob."""
    row = table.iloc[0]
    return {
        name: "none" if row.isna()[name] else int(row[name])
        for name in ("first_blob_epoch", "relabelled_first_blob_epoch")
    }


SUMMARY = Summary(
    name=NAME,
    title="When the first blob appears",
    description="""\
One row. `first_blob_epoch`: the first analyzed epoch at which some neuron's coarseness is at least 0.7, with
the coarsest one there; `lasting_blob_epoch`: the first from which on some neuron is a blob to the end (two
epochs at least). Both depend on how residues are labeled, which the task can't see. So beside them, over all
(p-1)/2 labelings x → c x, the observed one among them: `relabelled_first_blob_epoch`, the first epoch by
which at least half of the labelings have a blob; `relabelled_mean_first_blob_epoch`, the mean over those
that ever have one; `relabellings_without_blob`, how many never do; and `first_blob_rank`, how many have
their first blob at or before the observed labels do: rank / `num_labellings` is the probability of being
that early if labels mean nothing. Empty where there is none. Epochs between checkpoints are not seen.
""",
    code_version="1",
    needs=(coarseness.NAME, relabelling.NAME),
    function=compute,
    parameters=BlobRule,
    describe=describe,
)
