"""The printed figures of reports."""

from __future__ import annotations

import numpy as np

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import AnyMark, Axis, Line, Points
from tdw.drawing.matplotlib_pen import svg
from tdw.drawing.style import looks, short_labels
from tdw.recipes.evidence import Evidence
from tdw.recipes.family import Family
from tdw.recipes.measures import Picture


def pictures_of(family: Family) -> dict[str, Picture]:
    """Every printed figure of a family by name."""
    return dict(family.pictures)


def draw(picture: Picture, evidence: Evidence) -> bytes:
    """One figure as SVG, 7 inches wide."""
    return svg(picture.chart(evidence), height=picture.height)


def over_epochs(evidence: Evidence, table: str, column: str, *, axis: Axis) -> Chart:
    """One line per variant over epochs, with a dot at its outcome."""
    look, labels = looks(evidence.keys), short_labels(evidence.keys)
    marks: list[AnyMark] = []
    for key, (epochs, values) in evidence.series(table, column).items():
        if not len(epochs):
            continue
        marks.append(Line(epochs, values, name=labels[key], color=look[key].color, dash=look[key].dash))
        at = int(np.searchsorted(epochs, evidence.outcomes.get(key, np.inf)))
        if at < len(values):
            reached = np.array([evidence.outcomes[key]])
            marks.append(Points(reached, values[at : at + 1], color=look[key].color, size=9))
    return Chart("", (Panel(marks, y=axis),))
