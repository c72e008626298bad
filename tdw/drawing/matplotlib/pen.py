"""The printing pen: a chart as a small PNG for asset pages and as SVG for reports, without a browser.

The same chart gives the same bytes: text stays text, and there are no dates or random ids. Matplotlib's own
annotations are incomplete, so its objects are `Any` here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import AnyMark, Heat, Moving, at_last
from tdw.drawing.matplotlib import axes as look
from tdw.drawing.matplotlib.marks import Pen
from tdw.drawing.style import MUTED

WIDTH, HEIGHT = 420, 240
"""Pixels of a small picture. Dagster's asset page clips wider ones."""
_DPI = 100
_PRINTED = {
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


@contextlib.contextmanager
def _style(changes: dict[str, Any]) -> Generator[None]:
    """Matplotlib's own defaults and some changes, whatever style the caller or a matplotlibrc has set."""
    import matplotlib

    styled: Any = matplotlib
    with styled.rc_context():
        styled.rcdefaults()
        styled.rcParams.update(changes)
        yield


def small_png(chart: Chart) -> bytes:
    """A picture of 420 × 240 pixels, without the panels and marks that are not for small ones."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    chart = chart.small or chart
    with _style({"font.size": 7.5, "grid.color": "#e6e9ed"}):
        figure = _figure(chart, WIDTH / _DPI, HEIGHT / _DPI, pen=Pen(small=True), canvas=FigureCanvasAgg)
        moving = [mark for panel in chart.panels if panel.small for mark in panel.marks if _moves(mark)]
        title = f"{chart.title} · epoch {chart.epochs[-1]:,}" if moving else chart.title
        figure.suptitle(title, fontsize=min(8.5, 500 / len(title)), x=0.02, ha="left")
        return _printed(figure.canvas.print_png, {"Software": None})


def _moves(mark: AnyMark | Moving) -> bool:
    return isinstance(mark, Moving) and mark.stops[-1].small


def svg(chart: Chart, *, height: float) -> bytes:
    """A picture for print, 7 inches wide and `height` inches high, without the chart's title."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with _style(_PRINTED):
        figure = _figure(chart, 7, height, pen=Pen(small=False), canvas=FigureCanvasSVG)
        return _printed(figure.canvas.print_svg, {"Date": None, "Creator": "tdw"})


def _printed(write: Callable[..., None], metadata: Mapping[str, str | None]) -> bytes:
    """By the canvas itself: `savefig` draws twice, the first time for the layout alone, with equal bytes."""
    buffer = BytesIO()
    write(buffer, metadata=metadata)
    return buffer.getvalue()


@dataclass(frozen=True)
class _Cell:
    """A panel, its place in the chart, its axes, and its row and column among those that are drawn."""

    panel: Panel
    place: int
    axis: Any
    row: int
    column: int


def _figure(chart: Chart, width: float, height: float, *, pen: Pen, canvas: Any) -> Any:
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    canvas(figure)
    cells = _cells(chart, figure, small=pen.small)
    for cell in cells:
        _draw(chart, cell, cells, pen)
    _legend(figure, cells, pen)
    _save_time(figure, small=pen.small)
    return figure


def _cells(chart: Chart, figure: Any, *, small: bool) -> list[_Cell]:
    shown = set(chart.pages[0].columns) if chart.pages else {panel.column for panel in chart.panels}
    panels = {
        place: panel
        for place, panel in enumerate(chart.panels)
        if panel.column in shown and (panel.small or not small)
    }
    rows = sorted({panel.row for panel in panels.values()})
    columns = sorted({panel.column for panel in panels.values()})
    sizes: dict[str, Any] = {}
    if chart.heights:
        sizes["height_ratios"] = [chart.heights[row] for row in rows]
    if chart.widths:
        sizes["width_ratios"] = [chart.widths[column] for column in columns]
    grid = figure.add_gridspec(len(rows), len(columns), **sizes)
    cells: list[_Cell] = []
    for place, panel in panels.items():
        row, column = rows.index(panel.row), columns.index(panel.column)
        above = next((cell.axis for cell in cells if cell.column == column and not chart.square), None)
        beside = next((cell.axis for cell in cells if cell.row == row and chart.share_y), None)
        axis = figure.add_subplot(grid[row, column], sharex=above, sharey=beside)
        cells.append(_Cell(panel, place, axis, row, column))
    return cells


def _draw(chart: Chart, cell: _Cell, cells: Sequence[_Cell], pen: Pen) -> None:
    panel, axis = cell.panel, cell.axis
    marks = [
        mark for mark in map(at_last, panel.marks) if not chart.hides(mark) and (mark.small or not pen.small)
    ]
    for choice in chart.choices:
        active = choice.small if pen.small and choice.small is not None else choice.active
        order = choice.options[active].orders.get(cell.place)
        if order:
            title = f"{panel.x.title}, {choice.options[active].label}"
            panel = replace(panel, x=replace(panel.x, title=title, categories=order))
    right = None
    if panel.right is not None and any(mark.right for mark in marks):
        right = axis.twinx()
        look.vertical(right, panel.right, pen)
    lowest = all(other.row <= cell.row for other in cells if other.column == cell.column)
    if chart.square:
        axis.set_axis_off()
    else:
        columns = 1 + max(other.column for other in cells)
        look.horizontal(axis, panel.x, pen, columns=columns, labels=lowest)
        look.vertical(axis, panel.y, pen, labels=not (cell.column and chart.share_y))
    last = cell is cells[-1]
    for mark in marks:
        on = right if mark.right and right is not None else axis
        drawn = pen.draw(on, mark, panel, square=chart.square)
        if isinstance(mark, Heat) and not chart.square and last:
            look.bar(drawn, axis, mark.scale, pen)
    pen.texts(axis, panel)
    if panel.y.zero and marks:
        axis.set_ylim(bottom=0)
    for rule in (*chart.across, *panel.rules):
        pen.rule(axis, rule, panel)
    title = panel.title[-1] if isinstance(panel.title, tuple) else panel.title
    if title and not (chart.square and pen.small):
        look.heading(axis, title, pen)
    if not marks and not pen.small:
        axis.text(0.5, 0.5, "no data yet", ha="center", transform=axis.transAxes, color=MUTED)


def _save_time(figure: Any, *, small: bool) -> None:
    """Leave out what shows next to nothing, but has matplotlib make ticks, or look through all once more."""
    for axis in figure.axes:
        for spine in axis.spines.values():
            spine.set_in_layout(False)
        for side in (axis.xaxis, axis.yaxis):
            if not side.get_label_text():
                side.set_label_coords(0.5, 0.5)  # else the place of the empty label is computed
            if small:
                look.leave_out_minor_ticks(side)


def _legend(figure: Any, cells: Sequence[_Cell], pen: Pen) -> None:
    """Below; in print beside the panels, where they don't stand side by side."""
    handles: dict[str, Any] = {}
    home: Any = None
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            home = home or axis
            handles.setdefault(label, handle)
    if len(handles) < 2:
        return
    entries: tuple[list[Any], list[str]] = (list(handles.values()), list(handles))
    if pen.small:
        columns = max(int(WIDTH // (5 * max(map(len, handles)) + 30)), 1)  # pixels of a letter, of a key
        figure.legend(
            *entries,
            loc="outside lower center",
            ncols=columns,
            fontsize=6.5,
            frameon=False,
            handlelength=1.6,
            columnspacing=0.9,
            borderpad=0,
            labelspacing=0.2,
        )
    elif any(cell.column for cell in cells):
        figure.legend(*entries, loc="outside lower center", ncols=4, fontsize=8)
    else:
        home.legend(*entries, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
