"""The report's figures: still, for paper, drawn from the tables that the verdicts rest on.

SVG with text as text, and without dates or random ids, so that the same tables give the same bytes. Axes are
`Any` here: matplotlib's own annotations are incomplete.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from tdw.drawing.series import thin
from tdw.drawing.style import looks, short_labels
from tdw.families.modulo_addition_1layer.association import associate_early
from tdw.reports.evidence import Evidence, exactly, first_from, last

_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
MARKERS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "x": "X",
    "triangle-down": "v", "star": "*",
}  # fmt: skip
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tdw",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ed",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Picture:
    """A figure of the report: its caption and how to draw it."""

    caption: str
    draw: Callable[[Any, Evidence], None]
    height: float = 3.2


def draw_all(evidence: Evidence) -> dict[str, bytes]:
    """Every figure, name -> SVG."""
    return {name: draw(picture, evidence) for name, picture in PICTURES.items()}


def draw(picture: Picture, evidence: Evidence) -> bytes:
    """One figure as SVG, 7 inches wide."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    styled: Any = matplotlib
    with styled.rc_context(_STYLE):
        figure: Any = Figure(figsize=(7, picture.height), layout="constrained")
        FigureCanvasSVG(figure)
        picture.draw(figure, evidence)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "tdw"})
    return buffer.getvalue()


def _line(evidence: Evidence, key: str) -> dict[str, Any]:
    look = looks([row.key for row in evidence.rows])[key]
    label = short_labels([row.key for row in evidence.rows])[key]
    return {"color": look.color, "linestyle": _DASHES[look.dash], "linewidth": 1.3, "label": label}


def _legend(axis: Any) -> None:
    """Beside the axes; only where there is anything to name."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    else:
        axis.text(0.5, 0.5, "no data yet", ha="center", transform=axis.transAxes, color="#8C8C8C")


def _over_epochs(figure: Any, evidence: Evidence, name: str, column: str, title: str, *, log: bool) -> Any:
    axis = figure.subplots()
    for row in evidence.rows:
        epochs, values = evidence.series(row.key, name, column)
        if not len(epochs):
            continue
        keep = thin(epochs.astype(np.int64), values, limit=600)
        axis.plot(epochs[keep], values[keep], **_line(evidence, row.key))
        if row.grokked:
            at = int(np.searchsorted(epochs, row.epoch))
            if at < len(values):
                axis.plot(
                    row.epoch, values[at], "o", color=looks([r.key for r in evidence.rows])[row.key].color
                )
    if log:
        axis.set_yscale("log")
    axis.set_xlabel("epoch (optimizer steps)")
    axis.set_ylabel(title)
    _legend(axis)
    return axis


def _test_loss(figure: Any, evidence: Evidence) -> None:
    axis = _over_epochs(figure, evidence, "history", "test_loss", "test loss (nats)", log=True)
    if axis.lines:
        axis.axhline(0.01, color="#8C8C8C", linewidth=0.8)


def _coarseness(figure: Any, evidence: Evidence) -> None:
    _over_epochs(figure, evidence, "coarseness", "mean_coarseness", "mean coarseness (0 to 1)", log=False)


def _blobs(figure: Any, evidence: Evidence) -> None:
    _over_epochs(figure, evidence, "coarseness", "num_blob_neurons_0.7", "blobs (neurons ≥ 0.7)", log=False)


def _early(figure: Any, evidence: Evidence) -> None:
    axis = figure.subplots()
    look = looks([row.key for row in evidence.rows])
    labels = short_labels([row.key for row in evidence.rows])
    for row in evidence.rows:
        value, epoch = row.get("early_mean_coarseness"), row.epoch if row.grokked else row.censored
        if math.isnan(value) or math.isnan(epoch):
            continue
        face = look[row.key].color if row.grokked else "none"
        axis.plot(
            value, epoch, MARKERS[look[row.key].symbol], color=look[row.key].color, markerfacecolor=face
        )
        name = labels[row.key] + ("" if row.grokked else " (no grok)")
        axis.annotate(name, (value, epoch), xytext=(5, 4), textcoords="offset points", fontsize=8)
    found = associate_early(evidence.table)
    if found.line is not None:
        ends = np.array(axis.get_xlim())
        axis.plot(ends, found.line.intercept + found.line.slope * ends, color="#8C8C8C", linewidth=1)
        axis.set_xlim(ends)
    if axis.lines:
        axis.set_ylim(bottom=0)
    axis.margins(x=0.15)
    axis.set_xlabel(f"mean coarseness at epoch {evidence.early_epoch:,} (0 to 1)")
    axis.set_ylabel("grokking epoch")


def _relabelling(figure: Any, evidence: Evidence) -> None:
    """Under every labelling: mean coarseness early and at the end, blobs at grokking; the observed one "
    "marked."""
    left, middle, right = figure.subplots(1, 3, sharey=True)
    panels = (
        (left, "mean_coarseness", f"mean coarseness,\nepoch {evidence.early_epoch:,}"),
        (middle, "mean_coarseness", "mean coarseness,\nlast epoch"),
        (right, "num_blob_neurons", "blobs at grokking\n(last epoch for no grok)"),
    )
    look = looks([row.key for row in evidence.rows])
    for place, row in enumerate(evidence.rows):
        at_grokking = first_from(row.epoch) if row.grokked else last
        picks = (exactly(evidence.early_epoch), last, at_grokking)
        for (axis, column, _), pick in zip(panels, picks, strict=True):
            values = evidence.labellings(row.key, column, pick=pick)
            if not len(values):
                continue
            axis.plot(values, np.full(len(values), place), "|", color="#8C8C8C", markersize=9, alpha=0.7)
            axis.plot(values[0], place, "o", color=look[row.key].color, markersize=5)
    left.set_yticks(range(len(evidence.rows)), short_labels([r.key for r in evidence.rows]).values())
    left.invert_yaxis()
    for axis, _, title in panels:
        axis.set_xlabel(title)


def _spectra(figure: Any, evidence: Evidence) -> None:
    """Frequency norms of W_E at epoch 0 over their median, one row of points a variant."""
    axis = figure.subplots()
    look = looks([row.key for row in evidence.rows])
    for place, row in enumerate(evidence.rows):
        table = evidence.summary(row.key, "frequencies")
        if table is None or not (table["epoch"] == 0).any():
            continue
        names = [name for name in table.columns if str(name).startswith("norm_")]
        norms = table.loc[table["epoch"] == 0, names].to_numpy(np.float64)[0]
        axis.plot(norms / np.median(norms), np.full(len(norms), place), "|", color=look[row.key].color)
    axis.set_yticks(range(len(evidence.rows)), short_labels([r.key for r in evidence.rows]).values())
    axis.invert_yaxis()
    axis.axvline(1, color="#8C8C8C", linewidth=0.8)
    axis.set_xlabel("norm of each frequency of W_E at epoch 0, over the median")


def _frequencies(figure: Any, evidence: Evidence) -> None:
    """Share of the final frequencies among as many that are strongest, by epoch."""
    axis = figure.subplots()
    for row in evidence.rows:
        table = evidence.summary(row.key, "frequencies")
        final = set[int]()
        if table is not None and len(table):
            final = {int(k) for k in str(table["dominant_frequencies"].iloc[-1] or "").split()}
        if table is None or not final:
            continue
        norms = table[[name for name in table.columns if str(name).startswith("norm_")]].to_numpy(np.float64)
        strongest = np.argsort(-norms, axis=1, kind="stable")[:, : len(final)] + 1
        share = np.isin(strongest, list(final)).mean(axis=1)
        axis.plot(table["epoch"].to_numpy(), share, **_line(evidence, row.key))
    axis.set_xlabel("epoch (optimizer steps)")
    axis.set_ylabel("share of the final frequencies\namong the strongest")
    axis.set_ylim(-0.03, 1.03)
    _legend(axis)


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
            epochs, values = evidence.series(row.key, "progress_measures", column)
            if len(epochs):
                axis.plot(epochs, values, **_line(evidence, row.key))
        axis.set_yscale("log")
        axis.set_ylabel(title)
    axes[1].set_xlabel("epoch (optimizer steps)")
    _legend(axes[0])


PICTURES: Mapping[str, Picture] = {
    "test_loss": Picture("Test loss; dots mark the grokking epoch, the gray line its threshold.", _test_loss),
    "coarseness": Picture("Mean coarseness over all neurons; dots mark the grokking epoch.", _coarseness),
    "blobs": Picture("Neurons with coarseness of at least 0.7; dots mark the grokking epoch.", _blobs),
    "early_coarseness": Picture(
        "Early coarseness against the grokking epoch. Hollow: no grok, at the last epoch watched. The line "
        "is "
        "fitted to the variants that grokked.",
        _early,
    ),
    "relabelling": Picture(
        "The relabelling control: each gray tick is the same model with its residues renamed, the dot the "
        "observed names.",
        _relabelling,
    ),
    "spectra": Picture("Spectra of the embedding at epoch 0.", _spectra, height=2.6),
    "frequencies": Picture("When the final frequencies of the embedding become the strongest.", _frequencies),
    "progress": Picture(
        "Progress measures (Nanda et al. 2023) with the key frequencies of each epoch.", _progress, height=4.2
    ),
}
