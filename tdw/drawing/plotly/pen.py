"""The interactive pen: a chart as a Plotly figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tdw.drawing import labels, style
from tdw.drawing.chart import Chart
from tdw.drawing.marks import AnyMark, Heat, Line, Moving, Scale, at_last
from tdw.drawing.plotly.controls import frames, menus, page_layout, slider
from tdw.drawing.plotly.layout import Drawn, bars, coloraxis, margin, shapes, texts
from tdw.drawing.plotly.marks import Trace, changes, traces
from tdw.drawing.plotly.subplots import SubplotGrid, axes, layout_name

_ALL_POINTS, _MOST_POINTS, _FEWEST_POINTS = 16_000, 2000, 150
"""Of all lines of a figure, and of one."""


def figure(chart: Chart) -> style.Figure:
    """The interactive figure, in the house style."""
    grid = SubplotGrid(chart)
    marks = [at_last(mark) for panel in chart.panels for mark in panel.marks]
    scales = list(dict.fromkeys(mark.scale for mark in marks if isinstance(mark, Heat)))
    drawn = list(_drawn(grid, scales, limit=_limit(marks)))
    names = [each.name for each in drawn if each.name]
    legend = names if len(names) > 1 else []
    layout: dict[str, Any] = {
        **axes(grid),
        **bars(scales),
        "hovermode": "x unified" if chart.unified else "closest",
        "showlegend": bool(legend),
        "margin": margin(chart, legend, bar=bool(scales)),
        "annotations": texts(grid, grid.pages[0]),
        "shapes": shapes(grid, grid.pages[0]),
        "updatemenus": menus(grid, drawn, scales),
    }
    for panel in grid.right:
        # An axis without a mark says nothing; the buttons that show its marks show it, too.
        if all(chart.hides(each.mark) for each in drawn if each.panel == panel and each.mark.right):
            layout[layout_name(grid.y_of(panel, right=True))]["visible"] = False
    if chart.epochs:
        layout["sliders"] = [slider(chart)]
    if any(each.trace["type"] == "bar" for each in drawn):
        layout["bargap"] = 0.08
    if chart.pages:
        for name, value in page_layout(grid, chart.pages[0]).items():
            axis, _, attribute = name.partition(".")
            if attribute:
                layout[axis][attribute] = value
    return style.figure(
        chart.title,
        [each.trace for each in drawn],
        subtitle=chart.subtitle,
        frames=frames(grid, drawn),
        **layout,
    )


def _limit(marks: Sequence[AnyMark]) -> int:
    """How many points each line may have, so that a figure of many stays quick."""
    long = sum(isinstance(mark, Line) and len(mark.x) > _FEWEST_POINTS for mark in marks)
    return min(max(_ALL_POINTS // max(long, 1), _FEWEST_POINTS), _MOST_POINTS)


def _drawn(grid: SubplotGrid, scales: Sequence[Scale], *, limit: int) -> Iterator[Drawn]:
    shown = grid.on(grid.pages[0])
    for place, slot in grid.first.items():
        panel = grid.chart.panels[place]
        beside = labels.of(panel)
        for i, mark in enumerate(panel.marks):
            last = at_last(mark)
            where = {"xaxis": grid.x(slot), "yaxis": grid.y_of(place, right=last.right)}
            extra: Trace = {name: axis for name, axis in where.items() if axis not in ("x", "y")}
            if isinstance(last, Heat):
                extra["coloraxis"] = coloraxis(scales.index(last.scale))
            if last.tag or grid.chart.pages:
                extra["visible"] = place in shown and not grid.chart.hides(last)
            stops = [
                traces(each, panel, places=beside.get(i, ()), unified=grid.chart.unified, limit=limit)
                for each in (mark.stops if isinstance(mark, Moving) else (mark,))
            ]
            moved = changes([each[0] for each in stops]) if isinstance(mark, Moving) else ()
            for trace in stops[-1]:
                yield Drawn(place, last, {**trace, **extra}, moved)
