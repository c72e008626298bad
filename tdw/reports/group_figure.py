"""The figure of a grouping: a point per variant, side by side, for the quantities that have a panel."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from tdw.drawing.printed import MARKERS
from tdw.drawing.style import looks, short_labels
from tdw.recipes.evidence import Evidence, Row
from tdw.recipes.family import Family
from tdw.recipes.measures import Picture
from tdw.reports.comparison_report import quantities_of

_CAPTION = "{one} and {other}: one point per variant."
_HOLLOW = "Hollow points: {outcome.none}, at the last epoch watched."


def group_picture(
    family: Family,
    names: tuple[str, str],
    keys: tuple[Collection[str], Collection[str]],
) -> Picture:
    """Quantities of two groups, one point per variant; hollow: no outcome, at the last epoch watched."""
    panels = [(quantity.column, quantity.panel) for quantity in quantities_of(family) if quantity.panel]

    def paint(figure: Any, evidence: Evidence) -> None:
        _draw(figure, evidence, panels, names, keys)

    caption = _CAPTION.format(one=names[0], other=names[1])
    if family.outcome:
        caption += f" {_HOLLOW.format(outcome=family.outcome)}"
    return Picture(caption, paint, height=2.8)


def _draw(
    figure: Any,
    evidence: Evidence,
    panels: Sequence[tuple[str, str]],
    names: tuple[str, str],
    keys: tuple[Collection[str], Collection[str]],
) -> None:
    look = looks(evidence.keys)
    labels = short_labels(evidence.keys)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (quantity, title) in zip(axes, panels, strict=True):
        for place, side in enumerate(keys):
            rows = [row for row in evidence.rows if row.key in side]
            # Spread sideways in the study's order, so that equal values are seen.
            shifts = np.linspace(-0.22, 0.22, len(rows)) if len(rows) > 1 else np.zeros(1)
            for row, shift in zip(rows, shifts, strict=True):
                value, hollow = _value(row, quantity)
                if math.isnan(value):
                    continue
                style = look[row.key]
                axis.plot(
                    place + shift,
                    value,
                    MARKERS[style.symbol],
                    color=style.color,
                    markerfacecolor="none" if hollow else style.color,
                    markersize=5,
                    label=labels[row.key],
                )
        axis.set_xlim(-0.5, 1.5)
        highest = max((line.get_ydata()[0] for line in axis.lines), default=1)
        axis.set_ylim(0, 1.08 * highest or 1)
        axis.set_xticks([0, 1], [name.replace(" = ", "\n= ") for name in names], fontsize=8)
        axis.set_title(title, fontsize=9)
        axis.tick_params(axis="y", labelsize=8)
    handles = {
        label: line for axis in axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    order = [label for label in labels.values() if label in handles]
    if order:
        figure.legend(
            [handles[label] for label in order], order, loc="outside lower center", ncols=4, fontsize=8
        )


def _value(row: Row, quantity: str) -> tuple[float, bool]:
    """What to draw, and whether it is a censored epoch."""
    if row.outcome and quantity == row.outcome.epoch and row.reached is False:
        return row.censored, True
    return row.get(quantity), False
