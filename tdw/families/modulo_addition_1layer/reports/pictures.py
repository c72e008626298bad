"""The family's printed figures, for reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.crowd import FEW
from tdw.drawing.marks import AnyMark, Axis, Line, Points, Rule, loss, share
from tdw.drawing.style import MUTED, looks, short_labels
from tdw.families.modulo_addition_1layer.claims import draws, initial_norms
from tdw.families.modulo_addition_1layer.reports.labelling_picture import (
    BY_LABELLING,
    by_labelling,
    has_common_names,
)
from tdw.recipes.common.pictures import group_colors, groups, lines, over_epochs
from tdw.recipes.measures import Picture
from tdw.recipes.reading.evidence import HISTORY, At, Evidence, Float64, Row
from tdw.statistics.exact import fit_line


def _coarseness(evidence: Evidence) -> Chart:
    return over_epochs(evidence, "coarseness", "mean_coarseness", axis=Axis("mean coarseness (0 to 1)"))


def _blobs(evidence: Evidence) -> Chart:
    return over_epochs(evidence, "coarseness", "num_blob_neurons_0.7", axis=Axis("blobs (neurons ≥ 0.7)"))


def _test_loss(evidence: Evidence) -> Chart:
    found = over_epochs(evidence, HISTORY, "test_loss", axis=loss("test loss"))
    panel = found.panels[0]
    return replace(found, panels=(replace(panel, rules=(Rule(y=0.01),) if panel.marks else ()),))


def _early(evidence: Evidence) -> Chart:
    look, labels = looks(evidence.keys), short_labels(evidence.keys)
    marks: list[AnyMark] = []
    known = [row for row in evidence.reached if not math.isnan(row.get("early_mean_coarseness"))]
    line = fit_line([row.get("early_mean_coarseness") for row in known], [row.epoch for row in known])
    shown = [
        (row, row.get("early_mean_coarseness"), row.epoch if row.reached else row.censored)
        for row in evidence.rows
    ]
    shown = [each for each in shown if not math.isnan(each[1] + each[2])]
    values = [value for _, value, _ in shown]
    margin = 0.16 * (max(values) - min(values)) or 0.05 if values else 0.0
    ends = (min(values) - margin, max(values) + margin) if values else None
    if line is not None and ends is not None:
        x = np.array(ends)
        marks.append(Line(x, line.intercept + line.slope * x, color=MUTED, width=1.5))
    color, many = _colors(evidence), evidence.crowded
    for row, value, epoch in shown:
        text = labels[row.key] + ("" if row.reached else " (no grok)")
        marks.append(
            Points(
                np.array([value]),
                np.array([epoch]),
                color=color[row.key],
                symbol="circle" if many else look[row.key].symbol,
                size=6 if many else 9,
                hollow=not row.reached,
                texts=() if many else (text,),
            )
        )
    early = Axis(f"mean coarseness at epoch {evidence.early_epoch:,} (0 to 1)", range=ends)
    return Chart("", (Panel(marks, x=early, y=Axis("grokking epoch", zero=True, ticks=",d")),))


def _relabelling(evidence: Evidence) -> Chart:
    """Under every labeling: mean coarseness early and last, blobs at grokking; the observed one marked."""
    if has_common_names(evidence):
        return by_labelling(evidence)
    panels: tuple[tuple[str, At, str], ...] = (
        ("mean_coarseness", "early", f"mean coarseness,\nepoch {evidence.early_epoch:,}"),
        ("mean_coarseness", "last", "mean coarseness,\nlast epoch"),
        ("num_blob_neurons", "outcome", "blobs at grokking\n(last epoch for no grok)"),
    )
    return Chart(
        "",
        tuple(
            Panel(_labellings(evidence, series, at), x=Axis(title), y=_variants(evidence), column=column)
            for column, (series, at, title) in enumerate(panels)
        ),
        share_y=True,
    )


def _labellings(evidence: Evidence, series: str, at: At) -> list[Points]:
    color, size = _colors(evidence), _size(evidence)
    found: list[Points] = []
    for place, row in enumerate(_in_order(evidence)):
        epochs, values = draws(row, series)
        when = epochs == row.epoch_at(at if row.reached or at == "early" else "last", epochs)
        if when.any():
            shown = values[when][0]
            height = np.full(len(shown), place)
            found += [
                Points(shown, height, symbol="tick", color=MUTED, size=14 * size, opacity=0.7),
                Points(shown[:1], height[:1], color=color[row.key], size=8 * size**0.5),
            ]
    return found


def _in_order(evidence: Evidence) -> Sequence[Row]:
    """The study's order; of many the earliest outcome first, as their names can't be read."""
    if len(evidence.rows) <= FEW:
        return evidence.rows
    return sorted(evidence.rows, key=lambda row: (evidence.times.get(row.key, math.inf), row.key))


def _colors(evidence: Evidence) -> dict[str, str]:
    """Key -> color: of the variant, or of its group where there are many."""
    if not evidence.crowded:
        return {key: look.color for key, look in looks(evidence.keys).items()}
    group, colors = groups(evidence), group_colors(evidence)
    return {key: colors[group[key]] for key in evidence.keys}


def _size(evidence: Evidence) -> float:
    """How large a row's marks are, 1 where a row has the room of eight."""
    return min(1.0, FEW / max(len(evidence.rows), 1))


def _variants(evidence: Evidence) -> Axis:
    """Variants as the ticks of a vertical axis, the first at the top; many are only counted."""
    if len(evidence.rows) > FEW:
        event = evidence.outcome
        title = f"variants by {event.epoch_label}" if event else "variants"
        return Axis(title, range=(-1.0, float(len(evidence.rows))), reverse=True)
    return Axis(names=tuple(short_labels(evidence.keys).values()), reverse=True)


def _spectra(evidence: Evidence) -> Chart:
    """Frequency norms of W_E at epoch 0 over their median, a row of points per variant."""
    color, size = _colors(evidence), _size(evidence)
    found = [(place, row, initial_norms(row)) for place, row in enumerate(_in_order(evidence))]
    marks = [
        Points(
            norms / np.median(norms), np.full(len(norms), place),
            symbol="tick", color=color[row.key], size=9 * size,
        )
        for place, row, norms in found
        if len(norms)
    ]  # fmt: skip
    norm = Axis("norm of each frequency of W_E at epoch 0, over the median")
    return Chart("", (Panel(marks, x=norm, y=_variants(evidence), rules=(Rule(x=1),)),))


def _frequencies(evidence: Evidence) -> Chart:
    """Share of the final frequencies among as many that are strongest, by epoch."""
    found = {row.key: series for row in evidence.rows if (series := _among_strongest(row)) is not None}
    y = replace(share("share of the final frequencies\namong the strongest"), range=(-0.03, 1.03))
    return lines(evidence, found, axis=y)


def _among_strongest(row: Row) -> tuple[Float64, Float64] | None:
    """Epochs and that share (n,) each; None without final frequencies."""
    table = row.tables.get("frequencies")
    if table is None or table.empty:
        return None
    final = {int(k) for k in str(table["dominant_frequencies"].iloc[-1] or "").split()}
    if not final:
        return None
    norms = table[[name for name in table.columns if str(name).startswith("norm_")]].to_numpy(np.float64)
    strongest = np.argsort(-norms, axis=1, kind="stable")[:, : len(final)] + 1
    return table["epoch"].to_numpy(np.float64), np.isin(strongest, list(final)).mean(axis=1)


def _progress(evidence: Evidence) -> Chart:
    """Restricted and excluded loss over epochs."""
    panels: list[Panel] = []
    for column, title in (
        ("restricted_loss_test", "restricted loss,\ntest"),
        ("excluded_loss_train", "excluded loss,\ntrain"),
    ):
        (panel,) = over_epochs(evidence, "progress_measures", column, axis=loss(title)).panels
        lines = [mark for mark in panel.marks if not isinstance(mark, Points)]
        panels.append(replace(panel, marks=lines, row=len(panels)))
    return Chart("", tuple(panels))


def _dotted(what: str) -> Callable[[Evidence], str]:
    """The caption of `over_epochs`, which draws no dots where it draws groups."""
    return lambda evidence: f"{what}{'' if evidence.crowded else '; dots mark the grokking epoch'}."


def _relabelling_caption(evidence: Evidence) -> str:
    if has_common_names(evidence):
        return BY_LABELLING
    return (
        "The relabelling control: each gray tick is the same model with its residues renamed, the dot the "
        "observed names."
    )


PICTURES: Mapping[str, Picture] = {
    "test_loss": Picture(_dotted("Test loss; the gray line is the threshold of grokking"), _test_loss),
    "coarseness": Picture(_dotted("Mean coarseness over all neurons"), _coarseness),
    "blobs": Picture(_dotted("Neurons with coarseness of at least 0.7"), _blobs),
    "early_coarseness": Picture(
        "Early coarseness against the grokking epoch. Hollow: no grok, at the last epoch watched. The line "
        "is fitted to the variants that grokked.",
        _early,
        groups=False,
    ),
    "relabelling": Picture(_relabelling_caption, _relabelling),
    "spectra": Picture("Spectra of the embedding at epoch 0.", _spectra, height=2.6, groups=False),
    "frequencies": Picture("When the final frequencies of the embedding become the strongest.", _frequencies),
    "progress": Picture(
        "Progress measures (Nanda et al. 2023) with the key frequencies of each epoch.", _progress, height=4.2
    ),
}
