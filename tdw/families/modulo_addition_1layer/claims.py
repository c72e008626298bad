"""What claims about this family's variants may name: measures of a variant, and the relabelling control.

The control. Multiplying every residue by a unit c turns a run into another run of the same task: the
initialization draws its rows alike, the split is uniform, so the renamed run is as probable as the observed
one, learns the same function and groks at the same epoch. Its neurons are those of the observed run with the
energies of their frequencies permuted. A claim that holds for the observed labels and not for the renamed
runs is a claim about names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from tdw.families.modulo_addition_1layer.comparison import frequencies_of
from tdw.families.modulo_addition_1layer.maths.fourier.gini import gini
from tdw.recipes.measures import (
    Choices,
    Control,
    Measure,
    Members,
    Number,
    Quantity,
    Series,
    column,
    early,
    series,
)
from tdw.recipes.reading.evidence import Float64, Row


def low_share(p: int, radius_fraction: float = 0.125) -> float:
    """Share of the pairs of frequencies of p, the constant left out, that lie in the low disc of A8.

    It is the coarseness of a map without structure. The radius is a whole number, so it depends on p.
    """
    radius = int(radius_fraction * p)
    shifts = np.arange(p) - p // 2
    inside = int((shifts[:, None] ** 2 + shifts**2 <= radius**2).sum()) - 1
    return inside / (p * p - 1)


def initial_norms(row: Row) -> Float64:
    """Norms of the frequencies of W_E at epoch 0, (n,); empty where they are not there."""
    table = row.tables.get("frequencies")
    if table is None or not (table["epoch"] == 0).any():
        return np.empty(0)
    names = [name for name in table.columns if str(name).startswith("norm_")]
    return table.loc[table["epoch"] == 0, names].to_numpy(np.float64)[0]


def _of_norms(label: str, measure: Callable[[Float64], float]) -> Number:
    def read(row: Row) -> float:
        norms = initial_norms(row)
        return float(measure(norms)) if len(norms) else math.nan

    return Number(label, read)


def draws(row: Row, series: str) -> tuple[Float64, Float64]:
    """A series under every labeling: epochs (n,) and values (n, labelings), the observed one first."""
    table = row.tables.get("relabelling")
    if table is None:
        return np.empty(0), np.empty((0, 0))
    values = table.pivot(index="epoch", columns="c", values=series)
    return values.index.to_numpy(np.float64), values.to_numpy(np.float64)


def over_labels(row: Row, name: str) -> tuple[Float64, Float64]:
    """Epochs, and the mean of a series over all labelings: a number that no renaming changes."""
    epochs, values = draws(row, name)
    return epochs, values.mean(axis=1) if len(epochs) else np.empty(0)


def early_contrast(row: Row) -> float:
    """Standard deviation of mean coarseness over the labelings, early; high when few frequencies hold the
    neurons.
    """
    epochs, values = draws(row, "mean_coarseness")
    found = values[epochs == row.early_epoch]
    return float(found[0].std()) if len(found) else math.nan


def _early_average(name: str) -> Callable[[Row], float]:
    """The mean of a series over all labelings, early."""

    def read(row: Row) -> float:
        epochs, values = over_labels(row, name)
        found = values[epochs == row.early_epoch]
        return float(found[0]) if len(found) else math.nan

    return read


def _early_num_frequencies(row: Row) -> float:
    """How many frequencies are dominant early."""
    table = row.tables.get("frequencies")
    if table is None:
        return math.nan
    found = dict(zip(table["epoch"], table["dominant_frequencies"], strict=True))
    return float(len(frequencies_of(found[row.early_epoch]))) if row.early_epoch in found else math.nan


def _average_blobs(row: Row) -> tuple[Float64, Float64]:
    return over_labels(row, "num_blob_neurons")


def _average_blobs_at_grokking(row: Row) -> float:
    epochs, blobs = _average_blobs(row)
    found = blobs[epochs == row.epoch_at("outcome", epochs)] if len(epochs) else blobs
    return float(found[0]) if len(found) else math.nan


def first_average_blob_epoch(row: Row) -> float:
    """First analyzed epoch with at least one blob on average over the labelings; infinite for none."""
    epochs, blobs = _average_blobs(row)
    if not len(epochs):
        return math.nan
    found = epochs[blobs >= 1]
    return float(found[0]) if len(found) else math.inf


def key_frequencies(row: Row) -> frozenset[int] | None:
    """Key frequencies at the last analyzed epoch, by the rule that the study sets; None without them."""
    table = row.tables.get("progress_measures")
    if table is None or table.empty or "key_frequencies" not in table:
        return None
    return frequencies_of(table["key_frequencies"].iloc[-1])


NAMES = "the names of the residues"

MEASURES: Mapping[str, Measure] = {
    "num_neurons": column("num_neurons", "neurons"),
    "initial_mean_coarseness": column("initial_mean_coarseness", "mean coarseness", NAMES),
    "early_mean_coarseness": column("early_mean_coarseness", "mean coarseness", NAMES),
    "early_num_blobs": column("early_num_blobs", "blobs", NAMES),
    "early_num_half_blobs": column("early_num_blobs_0.5", "neurons ≥ 0.5", NAMES),
    "grokking_num_blobs": column("grokking_num_blobs", "blobs at grokking", NAMES),
    "max_num_blobs": column("max_num_blobs", "blobs", NAMES),
    "final_num_blobs": column("final_num_blobs", "blobs at the end", NAMES),
    "num_stays_blob": column("num_stays_blob", "neurons that stay blobs", NAMES),
    "early_frequency_overlap": column("early_frequency_overlap", "overlap"),
    "random_frequency_overlap": Number(
        "overlap of random frequencies", lambda row: row.get("num_frequencies") / ((row.fields["p"] - 1) / 2)
    ),
    "frequencies_settled_epoch": column("frequencies_settled_epoch", "epoch from which the frequencies stay"),
    "early_test_loss": early("progress_measures", "test_loss", "test loss"),
    "early_train_loss": early("progress_measures", "train_loss", "train loss"),
    "early_restricted_loss": early("progress_measures", "restricted_loss_test", "restricted loss"),
    "early_embedding_gini": early("progress_measures", "gini_W_E_components", "Gini of W_E"),
    "early_weight_norm": early("progress_measures", "sum_squared_weights", "sum of squared weights"),
    "initial_norm_spread": _of_norms("spread of norms", lambda norms: norms.std() / norms.mean()),
    "initial_norm_peak": _of_norms("highest / median", lambda norms: norms.max() / np.median(norms)),
    "initial_norm_gini": _of_norms("Gini of norms", gini),
    "random_norm_spread": Number(
        "spread of norms of random weights",
        lambda row: 0.5 / math.sqrt(row.fields["architecture"]["d_model"]),
    ),
    "unstructured_coarseness": Number("coarseness without structure", lambda row: low_share(row.fields["p"])),
    "early_frequency_gini": early("progress_measures", "gini_W_E_frequencies", "Gini of W_E's frequencies"),
    "early_average_coarseness": Number("average coarseness", _early_average("mean_coarseness")),
    "early_average_blobs": Number("average blobs", _early_average("num_blob_neurons")),
    "early_num_frequencies": Number("dominant frequencies", _early_num_frequencies),
    "early_contrast": Number("contrast", early_contrast),
    "grokking_average_blobs": Number("average blobs at grokking", _average_blobs_at_grokking),
    "max_average_blobs": Number("average blobs", lambda row: max(_average_blobs(row)[1], default=math.nan)),
    "first_average_blob_epoch": Number("epoch of the first blob on average", first_average_blob_epoch),
    "mean_coarseness": series("mean coarseness", "coarseness", "mean_coarseness", NAMES),
    "average_coarseness": Series("average coarseness", lambda row: over_labels(row, "mean_coarseness")),
    "key_frequencies": Choices("key frequencies", key_frequencies, lambda row: (row.fields["p"] - 1) // 2),
    "final_blobs": Members("neurons that end as blobs", "neurons", "blob_since_epoch"),
}

CONTROLS: Mapping[str, Control] = {
    "relabelling": Control(
        title="Relabelling control",
        adjective="renamed",
        series=("mean_coarseness", "num_blob_neurons"),
        draws=draws,
        caution="Mean coarseness and blobs depend on the names of the residues: the study report has the "
        "relabelling control.",
    )
}

QUANTITIES = (
    Quantity("final_test_loss", "final test loss (nats)", decides=True),
    Quantity("final_test_accuracy", "final test accuracy", decides=True),
    Quantity("initial_mean_coarseness", "mean coarseness, epoch 0"),
    Quantity(
        "early_mean_coarseness", "mean coarseness, early", overview=True, panel="mean coarseness,\nearly"
    ),
    Quantity("grokking_mean_coarseness", "mean coarseness, at grokking"),
    Quantity("final_mean_coarseness", "mean coarseness, last"),
    Quantity("early_num_blobs", "blobs, early", overview=True),
    Quantity("grokking_num_blobs", "blobs, at grokking"),
    Quantity("max_num_blobs", "blobs, most", overview=True, panel="blobs, most"),
    Quantity("final_num_blobs", "blobs, last", overview=True),
    Quantity("num_stays_blob", "neurons that stay blobs"),
    Quantity("num_frequencies", "dominant frequencies, last"),
    Quantity(
        "early_frequency_overlap",
        "final frequencies among the strongest, early",
        panel="final frequencies\nstrongest early",
    ),
    Quantity("early_label_rank", "rank of the labels, early", overview=True, of="num_labellings"),
    Quantity("final_label_rank", "rank of the labels, last"),
    Quantity("num_dead_at_end", "dead neurons, last"),
)
