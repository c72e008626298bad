"""The columns of modular addition in the comparison table (S5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers import (
    coarseness,
    coarseness_stats,
    dominant_frequencies,
    neuron_frequencies,
)
from tdw.families.modulo_addition_1layer.association import association_table
from tdw.recipes.comparison import Comparison
from tdw.recipes.outcome import Outcome
from tdw.recipes.reading.variant_tables import VariantTables

BLOBS = "num_blob_neurons_0.7"
TABLES = (
    "grokking", "coarseness", "frequencies", "neurons", "relabelling", "blob_onset", "progress_measures",
)  # fmt: skip


def columns(variant: VariantTables, early_epoch: int) -> Mapping[str, Any]:
    """Columns of one variant; see `DESCRIPTION`."""
    return {
        **_grokking(variant),
        "early_epoch": early_epoch,
        **_coarseness(variant, early_epoch),
        **_frequencies(variant, early_epoch),
        **_neurons(variant),
        **_labels(variant, early_epoch),
        **_onset(variant),
    }


def _grokking(variant: VariantTables) -> dict[str, Any]:
    table = variant.get("grokking")
    row: dict[Any, Any] = {} if table is None or table.empty else table.iloc[0].to_dict()
    return {
        "grokked": bool(row["grokked"]) if row else None,
        "grokking_epoch": row.get("grokking_epoch"),
        "censored_at": row.get("censored_at"),
        "rule": row.get("rule", ""),
        "final_test_loss": row.get("final_test_loss", math.nan),
        "final_test_accuracy": row.get("final_test_accuracy", math.nan),
    }


def _coarseness(variant: VariantTables, early_epoch: int) -> dict[str, Any]:
    """Blobs and mean coarseness at epoch 0, early, at grokking and at the end; NaN where not analyzed."""
    import pandas as pd

    table, grokking = variant.get("coarseness"), variant.get("grokking")
    columns = ("mean_coarseness", BLOBS, "num_blob_neurons_0.5", "num_neurons")
    if table is None or table.empty or not set(columns) <= set(table.columns):
        table = pd.DataFrame({"epoch": [], **{name: [] for name in columns}}, dtype=np.float64)
    epochs = table["epoch"].to_numpy(np.float64)
    means, blobs = table["mean_coarseness"].to_numpy(np.float64), table[BLOBS].to_numpy(np.float64)
    grokked_at = math.nan
    if grokking is not None and not grokking.empty and not pd.isna(grokking["grokking_epoch"].iloc[0]):
        grokked_at = float(grokking["grokking_epoch"].iloc[0])
    # The first analyzed epoch at or after grokking.
    after = epochs[epochs >= grokked_at]
    grokking_row = epochs == (after[0] if len(after) else math.nan)
    half = table["num_blob_neurons_0.5"].to_numpy(np.float64)
    return {
        "num_neurons": _at(table["num_neurons"].to_numpy(np.float64), epochs == epochs.max(initial=-1)),
        "initial_mean_coarseness": _at(means, epochs == 0),
        "initial_num_blobs": _at(blobs, epochs == 0),
        "early_mean_coarseness": _at(means, epochs == early_epoch),
        "early_num_blobs": _at(blobs, epochs == early_epoch),
        "early_num_blobs_0.5": _at(half, epochs == early_epoch),
        "grokking_mean_coarseness": _at(means, grokking_row),
        "grokking_num_blobs": _at(blobs, grokking_row),
        "final_mean_coarseness": _at(means, epochs == epochs.max(initial=-1)),
        "final_num_blobs": _at(blobs, epochs == epochs.max(initial=-1)),
        "max_num_blobs": float(blobs.max()) if len(blobs) else math.nan,
        "first_blob_epoch": int(epochs[blobs > 0][0]) if (blobs > 0).any() else None,
    }


def _frequencies(variant: VariantTables, early_epoch: int) -> dict[str, Any]:
    table = variant.get("frequencies")
    if table is None or table.empty:
        return {
            "final_frequencies": "",
            "early_frequencies": "",
            "num_frequencies": math.nan,
            "early_frequency_overlap": math.nan,
            "frequencies_settled_epoch": None,
        }
    listed = [frequencies_of(text) for text in table["dominant_frequencies"]]
    epochs = table["epoch"].to_numpy(np.int64)
    settled = next(i for i in range(len(listed)) if all(s == listed[-1] for s in listed[i:]))
    # A set that is first seen at the last epoch has not been seen to stay.
    stays = bool(listed[-1]) and settled < len(listed) - 1
    early = np.flatnonzero(epochs == early_epoch)
    names = [column for column in table.columns if column.startswith("norm_")]
    overlap = math.nan
    if early.size and listed[-1]:
        norms = table[names].to_numpy(np.float64)[early[0]]
        strongest = {int(k) + 1 for k in np.argsort(-norms, kind="stable")[: len(listed[-1])]}
        overlap = len(strongest & listed[-1]) / len(listed[-1])
    return {
        "final_frequencies": _text(listed[-1]),
        "early_frequencies": _text(listed[int(early[0])]) if early.size else "",
        "num_frequencies": float(len(listed[-1])),
        "early_frequency_overlap": overlap,
        "frequencies_settled_epoch": int(epochs[settled]) if stays else None,
    }


def frequencies_of(text: object) -> frozenset[int]:
    """The frequencies in a cell of the `frequencies` summary, such as "4 11 30"."""
    return frozenset(map(int, str(text).split())) if isinstance(text, str) else frozenset()


def _text(found: frozenset[int]) -> str:
    return " ".join(map(str, sorted(found)))


def _neurons(variant: VariantTables) -> dict[str, float]:
    table = variant.get("neurons")
    names = ("num_ever_blob", "num_stays_blob", "num_frequency_settled", "num_dead_at_end")
    if table is None:
        return dict.fromkeys(names, math.nan)
    columns = ("stays_blob", "frequency_settled", "dead_at_end")
    sums = [float(table[column].to_numpy(np.bool_).sum()) for column in columns]
    return dict(zip(names, [float(table["first_blob_epoch"].notna().sum()), *sums], strict=True))


def _labels(variant: VariantTables, early_epoch: int) -> dict[str, float]:
    """Where the observed labels rank among all of them (A12), 1 for the coarsest."""
    table = variant.get("relabelling")
    names = ("num_labellings", "early_label_rank", "final_label_rank")
    if table is None or table.empty:
        return dict.fromkeys(names, math.nan)
    observed = table[table["c"] == 1]
    epochs = observed["epoch"].to_numpy(np.int64)
    found = observed["rank_mean_coarseness"].to_numpy(np.float64)
    return {
        "num_labellings": float(table["c"].to_numpy(np.int64).max()),
        "early_label_rank": _at(found, epochs == early_epoch),
        "final_label_rank": _at(found, epochs == epochs.max()),
    }


def _onset(variant: VariantTables) -> dict[str, Any]:
    """When blobs appear to stay, and when the first one does over all labels."""
    table = variant.get("blob_onset")
    names = {
        "lasting_blob_epoch": "lasting_blob_epoch",
        "relabelled_first_blob_epoch": "relabelled_first_blob_epoch",
        "relabelled_mean_first_blob_epoch": "relabelled_mean_first_blob_epoch",
        "first_blob_label_rank": "first_blob_rank",
    }
    if table is None or table.empty:
        return {name: None if name.endswith("_blob_epoch") else math.nan for name in names}
    return {name: table[column].iloc[0] for name, column in names.items()}


def _at(values: npt.NDArray[np.float64], where: npt.NDArray[np.bool_]) -> float:
    return float(values[where][0]) if where.any() else math.nan


DESCRIPTION = """\
One row per variant.

- `grokked`, `grokking_epoch`, `censored_at`: by the rule in `rule`; `grokking_epoch` is empty for *no grok*,
  which is censored at `censored_at`
- `early_*`: at `early_epoch`; `initial_*`: at epoch 0; `grokking_*`: at the first analyzed epoch at or after
  grokking; `final_*`: at the last analyzed epoch. `*_num_blobs`: neurons with coarseness ≥ 0.7
- `final_frequencies`, `early_frequencies`: dominant frequencies of W_E; `early_frequency_overlap`: share of
  the final ones among as many that are strongest at the early epoch; `frequencies_settled_epoch`: from when
  on the dominant ones are the final ones at every analyzed epoch, two at least; empty where they changed at
  the last one
- `num_ever_blob`, `num_stays_blob`, `num_frequency_settled`, `num_dead_at_end`: neurons
- `early_label_rank`, `final_label_rank` of `num_labellings`: place of the observed labels by mean coarseness
  among all relabellings, 1 for the coarsest
- `first_blob_epoch`: first analyzed epoch with a blob; `lasting_blob_epoch`: from which on some neuron is one
  to the end. Over all relabellings: `relabelled_first_blob_epoch`, by which at least half have had a blob;
  `relabelled_mean_first_blob_epoch`, mean of those that ever have one; `first_blob_label_rank`, how many have
  it at or before the observed labels do
- `missing`: summaries that the variant does not have yet
"""


COMPARISON = Comparison(
    tables=TABLES,
    alike=tuple(
        module.ANALYZER.name
        for module in (coarseness, coarseness_stats, dominant_frequencies, neuron_frequencies)
    ),
    columns=columns,
    whole=(
        "grokking_epoch",
        "censored_at",
        "first_blob_epoch",
        "frequencies_settled_epoch",
        "lasting_blob_epoch",
        "relabelled_first_blob_epoch",
    ),
    description=DESCRIPTION,
    code_version="3",
    outcome=Outcome(
        reached="grokked",
        epoch="grokking_epoch",
        censored="censored_at",
        rule="rule",
        epoch_label="grokking epoch",
        did="grokked",
        did_not="did not grok",
        none="no grok",
    ),
    associate=association_table,
)
