"""The figure of a grouping: a point per variant, side by side, for the quantities that have a panel."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Points
from tdw.drawing.style import looks, short_labels
from tdw.recipes.evidence import Evidence, Row
from tdw.recipes.measures import Picture, Quantity
from tdw.reports.comparison_report import OUTCOME

Sides = tuple[Collection[str], Collection[str]]


def group_picture(quantities: Sequence[Quantity], names: tuple[str, str], keys: Sides) -> Picture:
    """Quantities of two groups, a point per variant; hollow points: no grok, at the last epoch watched."""
    groups = Axis(names=tuple(name.replace(" = ", "\n= ") for name in names), range=(-0.5, 1.5))
    drawn = [quantity for quantity in quantities if quantity.panel]

    def panel(quantity: Quantity, column: int, evidence: Evidence) -> Panel:
        marks = list(_points(evidence, quantity.column, keys))
        top = max((float(mark.y[0]) for mark in marks), default=1.0)
        height = Axis(range=(0, 1.08 * top or 1))
        return Panel(marks, x=groups, y=height, title=quantity.panel, column=column)

    def chart(evidence: Evidence) -> Chart:
        return Chart("", tuple(panel(quantity, i, evidence) for i, quantity in enumerate(drawn)))

    caption = f"{names[0]} and {names[1]}: a point per variant; hollow: no grok, at the last epoch watched."
    return Picture(caption, chart, height=2.8)


def _points(evidence: Evidence, quantity: str, keys: Sides) -> Iterator[Points]:
    look, labels = looks(evidence.keys), short_labels(evidence.keys)
    for place, side in enumerate(keys):
        rows = [row for row in evidence.rows if row.key in side]
        # Spread sideways in the study's order, so that equal values are seen.
        shifts = np.linspace(-0.22, 0.22, len(rows)) if len(rows) > 1 else np.zeros(1)
        for row, shift in zip(rows, shifts, strict=True):
            value, hollow = _value(row, quantity)
            if not math.isnan(value):
                yield Points(
                    np.array([place + shift]),
                    np.array([value]),
                    name=labels[row.key],
                    color=look[row.key].color,
                    symbol=look[row.key].symbol,
                    size=8,
                    hollow=hollow,
                )


def _value(row: Row, quantity: str) -> tuple[float, bool]:
    """What to draw, and whether it is a censored epoch."""
    if quantity == OUTCOME and row.reached is False:
        return row.censored, True
    return row.get(quantity), False
