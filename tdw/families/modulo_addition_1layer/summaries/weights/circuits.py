"""A14 over training: effective rank, norm and copying score of each head's circuits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import weight_spectra
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

SPECTRA = weight_spectra.ANALYZER.name
COLUMNS = (
    "qk_effective_rank", "ov_effective_rank", "qk_weights_effective_rank", "ov_weights_effective_rank",
    "qk_norm", "ov_norm", "ov_copying", "qk_in_blocks", "ov_in_blocks",
)  # fmt: skip


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch and head; see `SUMMARY`."""
    import pandas as pd

    values = {name: inputs.stack(SPECTRA, name) for name in COLUMNS}
    epochs, heads = values["ov_copying"].shape
    columns: dict[str, Any] = {
        "epoch": np.repeat(np.array(inputs.epochs, np.int64), heads),
        "head": np.tile(np.arange(heads, dtype=np.int64), epochs),
    }
    for name in ("ov", "score"):
        shares = inputs.stack(SPECTRA, f"{name}_shares")
        columns[f"{name}_frequency"] = np.where(shares.any(axis=2), shares.argmax(axis=2) + 1, 0).ravel()
        columns[f"{name}_frequency_share"] = shares.max(axis=2).ravel()
    return pd.DataFrame(columns | {name: array.ravel() for name, array in values.items()})


def describe(table: Any) -> Metadata:
    """Mean ranks of the last epoch."""
    last = table[table["epoch"] == table["epoch"].max()]
    return {
        "mean_qk_effective_rank": float(last["qk_effective_rank"].mean()),
        "mean_ov_effective_rank": float(last["ov_effective_rank"].mean()),
    }


SUMMARY = Summary(
    name="circuits",
    title="Circuits of the heads over epochs",
    description="""\
One row per epoch and head: effective rank (Σ s)² / Σ s² of M_QK and M_OV over residues and of the weights
alone (`qk_weights_`, `ov_weights_`), norms (largest singular value), copying score of M_OV (0 to 1), the
share of the squares that lies in blocks of one frequency (`_in_blocks`), and the strongest frequency of
M_OV and of the scores of "=", with its share.
""",
    code_version="1",
    needs=(SPECTRA,),
    function=compute,
    describe=describe,
)
