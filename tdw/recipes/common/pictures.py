"""The printed figures of reports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.crowd import Course, crowd, group_of
from tdw.drawing.marks import AnyMark, Axis, Line, Points
from tdw.drawing.matplotlib.pen import svg
from tdw.drawing.style import COLORS, MUTED, looks, palette, short_labels
from tdw.recipes.common.outcome_figures import outcome_pictures
from tdw.recipes.family import Family
from tdw.recipes.measures import Picture
from tdw.recipes.reading.evidence import Evidence, Float64


def pictures_of(family: Family) -> dict[str, Picture]:
    """Every printed figure of a family by name."""
    return {**outcome_pictures(family), **family.pictures}


def draw(picture: Picture, evidence: Evidence) -> bytes:
    """One figure as SVG, 7 inches wide."""
    return svg(picture.chart(evidence), height=picture.height)


def over_epochs(evidence: Evidence, table: str, column: str, *, axis: Axis) -> Chart:
    """A column's `lines`, with a dot at each outcome."""
    return lines(evidence, evidence.series(table, column), axis=axis, dots=True)


def lines(
    evidence: Evidence, series: Mapping[str, tuple[Float64, Float64]], *, axis: Axis, dots: bool = False
) -> Chart:
    """A line per variant over epochs; many variants and replicates as bands, without dots.

    Args:
        evidence: about the variants.
        series: key -> epochs and values (n,) each.
        axis: of the values.
        dots: whether each outcome is marked.
    """
    if evidence.crowded:
        return Chart("", (Panel(crowd(courses(evidence, series), colors=group_colors(evidence)), y=axis),))
    look, labels = looks(evidence.keys), short_labels(evidence.keys)
    marks: list[AnyMark] = []
    for key, (epochs, values) in series.items():
        if not len(epochs):
            continue
        marks.append(Line(epochs, values, name=labels[key], color=look[key].color, dash=look[key].dash))
        at = int(np.searchsorted(epochs, evidence.outcomes.get(key, np.inf)))
        if dots and at < len(values):
            reached = np.array([evidence.outcomes[key]])
            marks.append(Points(reached, values[at : at + 1], color=look[key].color, size=9))
    return Chart("", (Panel(marks, y=axis),))


def groups(evidence: Evidence) -> dict[str, str]:
    """Key -> the group that it is drawn in where single variants are not; see `tdw.drawing.crowd`."""
    labels = short_labels(list(evidence.by_base))
    event = evidence.outcome
    words = (event.did, event.did_not, "not known yet") if event else ("", "", "all variants")
    return {
        row.key: group_of(labels[row.base_key], row.reached, bases=len(labels), words=words)
        for row in evidence.rows
    }


def group_colors(evidence: Evidence) -> dict[str, str]:
    """Group -> color: the same in every figure, whichever variants it has; not known is gray."""
    found = groups(evidence)
    event = evidence.outcome
    if event is None or not set(found.values()) & {event.did, event.did_not}:
        return palette(found.values())
    return {event.did: COLORS[0], event.did_not: COLORS[3], "not known yet": MUTED}


def courses(evidence: Evidence, series: Mapping[str, tuple[Float64, Float64]]) -> list[Course]:
    """Series by key as the members of their groups; those without a value are left out."""
    group, labels = groups(evidence), short_labels(evidence.keys)
    order = {name: i for i, name in enumerate(group_colors(evidence))}
    found = [
        Course(epochs, values, labels[key], group[key])
        for key, (epochs, values) in series.items()
        if len(epochs)
    ]
    return sorted(found, key=lambda course: order.get(course.group, len(order)))
