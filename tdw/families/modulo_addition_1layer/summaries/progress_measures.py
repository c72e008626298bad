"""S1: the progress measures by epoch, with the key frequencies of each epoch and with those of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import progress_measures
from tdw.families.modulo_addition_1layer.analyzers.progress_measures import EXCLUDED, RESTRICTED
from tdw.families.modulo_addition_1layer.maths.fourier.logit_fourier import PAIRS
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

MEASURES = progress_measures.NAME
NUMBERS = (
    *(f"{pairs}_{name}" for name in ("loss", "accuracy") for pairs in PAIRS[:2]),
    *(f"{name}_{pairs}" for name in (*RESTRICTED, *EXCLUDED) for pairs in PAIRS),
    *(f"gini_{name}_{by}" for name in ("W_E", "W_L") for by in ("components", "frequencies")),
    "sum_squared_weights",
)


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch; see `SUMMARY`."""
    import pandas as pd

    artifacts = inputs.artifacts[MEASURES]
    keys = [arrays["key_frequencies"].tolist() for arrays in artifacts]
    last = keys[-1]
    columns: dict[str, Any] = {"epoch": np.array(inputs.epochs, np.int64)}
    columns |= {name: inputs.stack(MEASURES, name) for name in NUMBERS}
    columns |= {
        "num_key_frequencies": [len(found) for found in keys],
        "key_frequencies": [" ".join(map(str, found)) for found in keys],
        "last_key_frequencies": " ".join(map(str, last)),
    }
    restricted = np.stack([progress_measures.restricted_losses(arrays, last) for arrays in artifacts])
    pick = np.array(last, np.intp) - 1
    excluded = np.stack([arrays["excluded_loss_each"][:, pick] for arrays in artifacts])
    for i, pairs in enumerate(PAIRS):
        columns[f"restricted_loss_last_keys_{pairs}"] = restricted[:, i]
        # Without a key frequency nothing is excluded.
        columns[f"excluded_loss_last_keys_{pairs}"] = (
            excluded[:, i].mean(axis=1) if last else columns[f"excluded_loss_{pairs}"]
        )
    norms = inputs.stack(MEASURES, "logit_norm")[:, None]
    similarity = inputs.stack(MEASURES, "cosine_coefficients")
    similarity = np.divide(similarity, norms, out=np.zeros_like(similarity), where=norms > 0)
    columns |= {f"cosine_{k + 1}": similarity[:, k] for k in range(similarity.shape[1])}
    return pd.DataFrame(columns)


def describe(table: pd.DataFrame) -> Metadata:
    """The last epoch's numbers."""
    last: Any = table.iloc[-1]
    return {
        "last_epoch": int(last["epoch"]),
        "final_key_frequencies": str(last["key_frequencies"]) or "none",
        "final_restricted_loss_test": float(last["restricted_loss_test"]),
        "final_excluded_loss_train": float(last["excluded_loss_train"]),
    }


SUMMARY = Summary(
    name="progress_measures",
    title="Progress measures over epochs",
    description="""\
One row per epoch: losses (nats), accuracies, every variant of restricted and excluded loss over `train`,
`test` and `all` pairs, Gini coefficients, `sum_squared_weights`, as the analyzer `progress_measures` defines
them. `key_frequencies` are those of the epoch, as text (`"4 11 30"`, empty for none).

`restricted_loss_last_keys_*` has the key frequencies of the last epoch for all epochs, as in Nanda et al.
2023; `excluded_loss_last_keys_*` the mean over them, each excluded alone. They look ahead: to predict, use
the others. `cosine_1`, `cosine_2`, ...: cosine similarity of the logits with cos(w_k(a+b-c)).
""",
    code_version="1",
    needs=(MEASURES,),
    function=compute,
    describe=describe,
)
