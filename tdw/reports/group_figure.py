"""The figure of a grouping: a point per variant, side by side, for the quantities that have a panel."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

import numpy as np

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.crowd import FEW
from tdw.drawing.marks import Axis, Points
from tdw.drawing.style import COLORS, looks, short_labels
from tdw.recipes.family import Family
from tdw.recipes.measures import Picture, Quantity
from tdw.recipes.reading.evidence import Evidence, Row
from tdw.reports.comparison_report import quantities_of

_CAPTION = "{one} and {other}: one point per variant."
_HOLLOW = "Hollow points: {outcome.none}, at the last epoch watched."

Sides = tuple[Collection[str], Collection[str]]


def group_picture(family: Family, names: tuple[str, str], keys: Sides) -> Picture:
    """Quantities of two groups, one point per variant; hollow: no outcome, at the last epoch watched."""
    groups = Axis(names=tuple(name.replace(" = ", "\n= ") for name in names), range=(-0.5, 1.5))
    drawn = [quantity for quantity in quantities_of(family) if quantity.panel]

    def panel(quantity: Quantity, column: int, evidence: Evidence) -> Panel:
        marks = list(_points(evidence, quantity.column, keys))
        top = max((float(mark.y[0]) for mark in marks), default=1.0)
        height = Axis(range=(0, 1.08 * top or 1))
        return Panel(marks, x=groups, y=height, title=quantity.panel, column=column)

    def chart(evidence: Evidence) -> Chart:
        return Chart("", tuple(panel(quantity, i, evidence) for i, quantity in enumerate(drawn)))

    caption = _CAPTION.format(one=names[0], other=names[1])
    if family.outcome:
        caption += f" {_HOLLOW.format(outcome=family.outcome)}"
    return Picture(caption, chart, height=2.8)


def _points(evidence: Evidence, quantity: str, keys: Sides) -> Iterator[Points]:
    look, labels = looks(evidence.keys), short_labels(evidence.keys)
    many = len(evidence.rows) > FEW
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
                    color=COLORS[place] if many else look[row.key].color,
                    symbol="circle" if many else look[row.key].symbol,
                    size=4 if many else 8,
                    legend=not many,
                    hollow=hollow,
                )


def _value(row: Row, quantity: str) -> tuple[float, bool]:
    """What to draw, and whether it is a censored epoch."""
    if row.outcome and quantity == row.outcome.epoch and row.reached is False:
        return row.censored, True
    return row.get(quantity), False
