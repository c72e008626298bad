"""The axes that a chart's panels have in Plotly: their numbers, where they lie, how they look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tdw.drawing.chart import Chart, Page, Panel
from tdw.drawing.marks import Axis, Heat, at_last
from tdw.drawing.style import FONT

Slot = tuple[int, int]
"""Row and column on a page."""
_BARE = {
    "showgrid": False, "zeroline": False, "showline": False, "ticks": "", "showticklabels": False,
    "constrain": "domain",
}  # fmt: skip


class SubplotGrid:
    """Slots of a chart. Pages share the axes of a slot: hidden axes cost as much as others.

    Attributes:
        chart: what is drawn.
        pages: its pages, or one of all columns.
        slots: slot -> number of its vertical axis, row by row.
        right: panel -> number of its right axis.
    """

    def __init__(self, chart: Chart) -> None:
        columns = 1 + max(panel.column for panel in chart.panels)
        self.chart = chart
        self.pages = chart.pages or (Page("", tuple(range(columns))),)
        found = {slot for page in self.pages for slot in self.on(page).values()}
        self.slots = {slot: number for number, slot in enumerate(sorted(found), start=1)}
        second = [i for i, panel in enumerate(chart.panels) if panel.right is not None]
        self.right = {place: len(self.slots) + number for number, place in enumerate(second, start=1)}

    def on(self, page: Page) -> dict[int, Slot]:
        """Panel -> slot, of the panels on a page."""
        return {
            i: (panel.row, page.columns.index(panel.column))
            for i, panel in enumerate(self.chart.panels)
            if panel.column in page.columns
        }

    @cached_property
    def first(self) -> dict[int, Slot]:
        """Panel -> its slot on the first page that it is on."""
        found = {place: slot for page in reversed(self.pages) for place, slot in self.on(page).items()}
        return dict(sorted(found.items()))

    def x(self, slot: Slot) -> str:
        """The horizontal axis, as traces name it: one for each column, or for each map."""
        own = self.chart.square or not self.chart.share_x
        return f"x{tag(self.slots[slot] if own else slot[1] + 1)}"

    def y(self, slot: Slot) -> str:
        """The vertical axis."""
        return f"y{tag(self.slots[slot])}"

    def y_of(self, place: int, *, right: bool = False) -> str:
        """The vertical axis of a panel."""
        return f"y{tag(self.right[place])}" if right else self.y(self.first[place])

    def lowest(self, column: int) -> Slot:
        """The slot with a column's horizontal axis."""
        return max(slot for slot in self.slots if slot[1] == column)

    def widths(self, page: Page) -> list[tuple[float, float]]:
        """From where to where the columns of a page go."""
        return _domains(self.chart.widths or (1.0,) * len(page.columns), self.chart.gaps[0])

    @cached_property
    def heights(self) -> list[tuple[float, float]]:
        """From where to where the rows go, from the top."""
        rows = 1 + max(row for row, _ in self.slots)
        found = _domains(self.chart.heights or (1.0,) * rows, self.chart.gaps[1])
        return [(1 - end, 1 - start) for start, end in found]


def _domains(sizes: Sequence[float], gap: float) -> list[tuple[float, float]]:
    ends = np.cumsum(sizes) / sum(sizes) * (1 - gap * (len(sizes) - 1))
    starts = [0.0, *ends[:-1].tolist()]
    return [
        (max(start + i * gap, 0.0), min(float(end) + i * gap, 1.0))
        for i, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def tag(number: int) -> str:
    """What Plotly puts behind "x", "y" and "coloraxis"."""
    return "" if number == 1 else str(number)


def layout_name(axis: str) -> str:
    """The axis of a trace, such as "x2", as the layout names it: "xaxis2"."""
    return f"{axis[0]}axis{axis[1:]}"


def axes(grid: SubplotGrid) -> dict[str, Any]:
    """All axes of a figure's layout, as the first page has them."""
    chart, found = grid.chart, dict[str, Any]()
    widths = grid.widths(grid.pages[0])
    for place, slot in grid.first.items():
        panel = chart.panels[place]
        row, column = slot
        x, y = grid.x(slot), grid.y(slot)
        if chart.square or not chart.share_x or slot == grid.lowest(column):
            across = _horizontal(panel, grid, slot) | {"domain": widths[min(column, len(widths) - 1)]}
            found.setdefault(layout_name(x), across | ({"anchor": y} if y != "y" else {}))
        beside = {"anchor": x} if x != "x" else {}
        up = _vertical(panel, grid, slot) | {"domain": grid.heights[row]} | beside
        found.setdefault(layout_name(y), up)
        if panel.right is not None:
            # Its own ticks, not those of the first axis.
            second = {"side": "right", "tickmode": "auto", "showgrid": False, "overlaying": y}
            found[layout_name(grid.y_of(place, right=True))] = plotly_axis(panel.right) | second | beside
    return found


def _horizontal(panel: Panel, grid: SubplotGrid, slot: Slot) -> dict[str, Any]:
    found = plotly_axis(panel.x) | ({"showgrid": False} if has_heat(panel) else {})
    if grid.chart.square:
        below = slot != grid.lowest(slot[1])
        return found | _BARE | {"title": {"text": "" if below else panel.x.text, "standoff": 2}}
    if not grid.chart.share_x:
        below = slot != grid.lowest(slot[1])
        return found | ({"title": {"text": ""}, "showticklabels": False} if below else {})
    first = next(each for each in grid.chart.panels if each.column == 0)
    return found | ({"matches": "x"} if slot[1] and panel.x == first.x else {})


def _vertical(panel: Panel, grid: SubplotGrid, slot: Slot) -> dict[str, Any]:
    found = plotly_axis(panel.y) | ({"showgrid": False} if has_heat(panel) else {})
    row, column = slot
    if grid.chart.square:
        title = {"text": "" if column else panel.y.text, "standoff": 2}
        return found | _BARE | {"title": title, "scaleanchor": grid.x(slot)}
    if column and grid.chart.share_y:
        found |= {"matches": grid.y((row, 0)), "title": {"text": ""}, "showticklabels": False, "ticks": ""}
    return found


def has_heat(panel: Panel) -> bool:
    """Whether a panel holds a heat map."""
    return any(isinstance(at_last(mark), Heat) for mark in panel.marks)


def plotly_axis(axis: Axis) -> dict[str, Any]:
    """An axis as Plotly describes it; what it does not say is left out."""
    found: dict[str, Any] = {"title": {"text": axis.text if axis.labels else ""}}
    if axis.log:
        # Plotly makes powers a quarter larger than other labels.
        found |= {"type": "log", "dtick": axis.step or 1, "exponentformat": "power"}
        found["tickfont"] = {"size": FONT / 1.25}
    elif axis.step is not None:
        found["dtick"] = axis.step
    if axis.range is not None:
        found["range"] = list(axis.range)
    if axis.zero:
        found["rangemode"] = "tozero"
    if axis.form:
        found["hoverformat"] = axis.form
    if axis.ticks:
        found["tickformat"] = axis.ticks
    if axis.most is not None:
        found["nticks"] = axis.most
    if axis.names:
        found |= {"tickvals": list(range(len(axis.names))), "ticktext": list(axis.names)}
    if axis.categories:
        found |= {"type": "category", "categoryorder": "array", "categoryarray": list(axis.categories)}
    if axis.places:
        at = round_places(len(axis.categories), axis.most or 10)
        found |= {"tickvals": at, "ticktext": [f"{place:,}" for place in at]}
    if axis.reverse:
        found["autorange"] = "reversed"
    if not axis.labels:
        found |= {"showticklabels": False, "ticks": ""}
    if axis.hidden:
        found |= {"visible": False, "fixedrange": True}
    return found


def round_places(count: int, most: int) -> list[int]:
    """From 0 to below `count` in steps of 1, 2 or 5 times a power of ten, about `most` of them at most."""
    least = max(count / most, 1)
    power = 10 ** int(np.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    return list(range(0, count, step))
