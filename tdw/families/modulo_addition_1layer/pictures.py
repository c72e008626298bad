"""The family's printed figures, for reports. Axes are `Any`: matplotlib's own annotations are incomplete."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tdw.drawing.printed import GRAY, MARKERS, legend, line_style, name_rows, over_epochs
from tdw.drawing.style import looks, short_labels
from tdw.families.modulo_addition_1layer.claims import draws, initial_norms
from tdw.recipes.evidence import HISTORY, At, Evidence
from tdw.recipes.measures import Picture
from tdw.statistics.exact import fit_line


def _coarseness(figure: Any, evidence: Evidence) -> None:
    series = evidence.series("coarseness", "mean_coarseness")
    over_epochs(figure, series, dots=evidence.outcomes, title="mean coarseness (0 to 1)")


def _blobs(figure: Any, evidence: Evidence) -> None:
    series = evidence.series("coarseness", "num_blob_neurons_0.7")
    over_epochs(figure, series, dots=evidence.outcomes, title="blobs (neurons ≥ 0.7)")


def _early(figure: Any, evidence: Evidence) -> None:
    axis = figure.subplots()
    look = looks(evidence.keys)
    labels = short_labels(evidence.keys)
    for row in evidence.rows:
        value, epoch = row.get("early_mean_coarseness"), row.epoch if row.reached else row.censored
        if math.isnan(value) or math.isnan(epoch):
            continue
        style = look[row.key]
        face = style.color if row.reached else "none"
        axis.plot(value, epoch, MARKERS[style.symbol], color=style.color, markerfacecolor=face)
        name = labels[row.key] + ("" if row.reached else " (no grok)")
        axis.annotate(name, (value, epoch), xytext=(5, 4), textcoords="offset points", fontsize=8)
    known = [row for row in evidence.reached if not math.isnan(row.get("early_mean_coarseness"))]
    line = fit_line([row.get("early_mean_coarseness") for row in known], [row.epoch for row in known])
    if line is not None:
        ends = np.array(axis.get_xlim())
        axis.plot(ends, line.intercept + line.slope * ends, color=GRAY, linewidth=1)
        axis.set_xlim(ends)
    if axis.lines:
        axis.set_ylim(bottom=0)
    axis.margins(x=0.15)
    axis.set_xlabel(f"mean coarseness at epoch {evidence.early_epoch:,} (0 to 1)")
    axis.set_ylabel("grokking epoch")


def _relabelling(figure: Any, evidence: Evidence) -> None:
    """Under every labelling: mean coarseness early and last, blobs at grokking; the observed one marked."""
    left, middle, right = figure.subplots(1, 3, sharey=True)
    panels: tuple[tuple[Any, str, At, str], ...] = (
        (left, "mean_coarseness", "early", f"mean coarseness,\nepoch {evidence.early_epoch:,}"),
        (middle, "mean_coarseness", "last", "mean coarseness,\nlast epoch"),
        (right, "num_blob_neurons", "outcome", "blobs at grokking\n(last epoch for no grok)"),
    )
    look = looks(evidence.keys)
    for place, row in enumerate(evidence.rows):
        for axis, series, at, _ in panels:
            epochs, values = draws(row, series)
            when = epochs == row.epoch_at(at if row.reached or at == "early" else "last", epochs)
            if not when.any():
                continue
            shown = values[when][0]
            axis.plot(shown, np.full(len(shown), place), "|", color=GRAY, markersize=9, alpha=0.7)
            axis.plot(shown[0], place, "o", color=look[row.key].color, markersize=5)
    name_rows(left, evidence.keys)
    for axis, _, _, title in panels:
        axis.set_xlabel(title)


def _spectra(figure: Any, evidence: Evidence) -> None:
    """Frequency norms of W_E at epoch 0 over their median, a row of points per variant."""
    axis = figure.subplots()
    look = looks(evidence.keys)
    for place, row in enumerate(evidence.rows):
        norms = initial_norms(row)
        if len(norms):
            axis.plot(norms / np.median(norms), np.full(len(norms), place), "|", color=look[row.key].color)
    name_rows(axis, evidence.keys)
    axis.axvline(1, color=GRAY, linewidth=0.8)
    axis.set_xlabel("norm of each frequency of W_E at epoch 0, over the median")


def _frequencies(figure: Any, evidence: Evidence) -> None:
    """Share of the final frequencies among as many that are strongest, by epoch."""
    axis = figure.subplots()
    for row in evidence.rows:
        table = row.tables.get("frequencies")
        final = set[int]()
        if table is not None and len(table):
            final = {int(k) for k in str(table["dominant_frequencies"].iloc[-1] or "").split()}
        if table is None or not final:
            continue
        norms = table[[name for name in table.columns if str(name).startswith("norm_")]].to_numpy(np.float64)
        strongest = np.argsort(-norms, axis=1, kind="stable")[:, : len(final)] + 1
        share = np.isin(strongest, list(final)).mean(axis=1)
        axis.plot(table["epoch"].to_numpy(), share, **line_style(evidence.keys, row.key))
    axis.set_xlabel("epoch (optimizer steps)")
    axis.set_ylabel("share of the final frequencies\namong the strongest")
    axis.set_ylim(-0.03, 1.03)
    legend(axis)


def _progress(figure: Any, evidence: Evidence) -> None:
    """Restricted and excluded loss over epochs."""
    axes = figure.subplots(2, 1, sharex=True)
    for axis, column, title in zip(
        axes,
        ("restricted_loss_test", "excluded_loss_train"),
        ("restricted loss,\ntest (nats)", "excluded loss,\ntrain (nats)"),
        strict=True,
    ):
        for row in evidence.rows:
            epochs, values = row.series("progress_measures", column)
            if len(epochs):
                axis.plot(epochs, values, **line_style(evidence.keys, row.key))
        axis.set_yscale("log")
        axis.set_ylabel(title)
    axes[1].set_xlabel("epoch (optimizer steps)")
    legend(axes[0])


def _test_loss(figure: Any, evidence: Evidence) -> None:
    series = evidence.series(HISTORY, "test_loss")
    axis = over_epochs(figure, series, dots=evidence.outcomes, title="test loss (nats)", log=True)
    if axis.lines:
        axis.axhline(0.01, color=GRAY, linewidth=0.8)


PICTURES: Mapping[str, Picture] = {
    "test_loss": Picture("Test loss; dots mark the grokking epoch, the gray line its threshold.", _test_loss),
    "coarseness": Picture("Mean coarseness over all neurons; dots mark the grokking epoch.", _coarseness),
    "blobs": Picture("Neurons with coarseness of at least 0.7; dots mark the grokking epoch.", _blobs),
    "early_coarseness": Picture(
        "Early coarseness against the grokking epoch. Hollow: no grok, at the last epoch watched. The line "
        "is fitted to the variants that grokked.",
        _early,
        groups=False,
    ),
    "relabelling": Picture(
        "The relabelling control: each gray tick is the same model with its residues renamed, the dot the "
        "observed names.",
        _relabelling,
    ),
    "spectra": Picture("Spectra of the embedding at epoch 0.", _spectra, height=2.6, groups=False),
    "frequencies": Picture("When the final frequencies of the embedding become the strongest.", _frequencies),
    "progress": Picture(
        "Progress measures (Nanda et al. 2023) with the key frequencies of each epoch.", _progress, height=4.2
    ),
}
