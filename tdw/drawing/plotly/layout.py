"""What stands around the traces of an interactive chart: margins, bars of colors, titles, rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdw.drawing.chart import Chart, Page, Panel
from tdw.drawing.marks import AnyMark, Rule, Scale
from tdw.drawing.plotly.marks import Trace
from tdw.drawing.plotly.subplots import Slot, SubplotGrid, has_heat, tag
from tdw.drawing.style import MUTED

# Pixels: letters, rows and keys of a legend, the width of one in a window of 700, an axis without its labels.
_LETTER, _ROW, _KEY, _NARROW, _TITLE = 7, 20, 45, 580, 34
_LINE = 15  # of small text
_TICKS = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)


@dataclass(frozen=True)
class Drawn:
    """A trace, the panel and the mark it is of, and what each stop of the slider changes in it."""

    panel: int
    mark: AnyMark
    trace: Trace
    stops: Sequence[Trace] = ()

    @property
    def name(self) -> str:
        """In the legend; "" where it is not in it at first."""
        shown = self.trace.get("showlegend", True) and self.trace.get("visible", True)
        return str(self.trace.get("name", "")) if shown and self.trace["type"] != "heatmap" else ""


def margin(chart: Chart, names: Sequence[str], *, bar: bool) -> dict[str, Any]:
    """Room by hand, in pixels: Plotly's `automargin` measures labels and draws everything again.

    Args:
        chart: what is drawn.
        names: in the legend, which stands below the axis.
        bar: whether a color bar is at the right.
    """
    titles = [str(panel.title) for panel in chart.panels if panel.title]
    right = any(panel.right is not None for panel in chart.panels)
    wide = any(panel.y.ticks == ",d" for panel in chart.panels)
    longest = max(
        (len(name) for panel in chart.panels if not panel.column for name in panel.y.names), default=0
    )
    below = 60 if not chart.epochs else 130 if chart.square else 150
    legend = 0
    if names:
        columns = max(_NARROW // (_LETTER * max(map(len, names)) + _KEY), 1)
        legend = _ROW * -(-len(names) // columns)
    return {
        "l": 40 if chart.square else max(86 if wide else 70, _TITLE + _LETTER * longest),
        "r": 105 if bar else 80 if right else 30,
        "t": (132 if titles or bar else 108) + 16 * max((text.count("<br>") for text in titles), default=0),
        "b": below + legend,
        **({} if names else {"autoexpand": False}),
    }


def coloraxis(place: int) -> str:
    """The name of a chart's scale of colors."""
    return f"coloraxis{tag(place + 1)}"


def bars(scales: Sequence[Scale]) -> dict[str, Any]:
    """Scales of colors with their bars, one above the other."""
    return {coloraxis(i): _bar(scale, i, len(scales)) for i, scale in enumerate(scales)}


def _bar(scale: Scale, place: int, count: int) -> dict[str, Any]:
    bar: dict[str, Any] = {
        "title": {"text": scale.title, "side": "right"},
        "thickness": 14,
        "outlinewidth": 0,
        "ticksuffix": scale.unit,
        "len": 1 / count,
        "y": 1 - (place + 0.5) / count,
        "yanchor": "middle",
    }
    if scale.log:
        ticks = [tick for tick in _TICKS if tick <= scale.top]
        bar |= {"tickvals": [float(np.log10(1 + t)) for t in ticks], "ticktext": [f"{t:,}" for t in ticks]}
    top = float(np.log10(1 + scale.top)) if scale.log else scale.top
    return {"cmin": scale.bottom, "cmax": top or 1, "colorscale": scale.colors, "colorbar": bar}


def texts(grid: SubplotGrid, page: Page, *, stop: int = -1) -> list[dict[str, Any]]:
    """Titles of panels and texts of rules on a page, at a stop of the slider."""
    found: list[dict[str, Any]] = []
    for place, slot in grid.on(page).items():
        panel = grid.chart.panels[place]
        title = panel.title[stop] if isinstance(panel.title, tuple) else panel.title
        if title:
            at = {"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "align": "left"}
            found.append(_text(title, grid, slot, at, size=11 if grid.chart.square else 12))
        across = grid.chart.across if place == 0 else ()
        found += _notes(grid, panel, slot, [rule for rule in (*across, *panel.rules) if rule.text])
    return found


def _text(text: str, grid: SubplotGrid, slot: Slot, at: dict[str, Any], *, size: int = 12) -> dict[str, Any]:
    where = {"xref": f"{grid.x(slot)} domain", "yref": f"{grid.y(slot)} domain"}
    return {"text": text, **where, "showarrow": False, "font": {"size": size}, **at}


def _notes(grid: SubplotGrid, panel: Panel, slot: Slot, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Texts of rules; those at epochs stand one below the other, since the epochs may be close together."""
    upright = sorted(rule.x for rule in rules if rule.x is not None)
    return [
        _note(grid, panel, slot, rule, line=0 if rule.x is None else upright.index(rule.x)) for rule in rules
    ]


def _note(grid: SubplotGrid, panel: Panel, slot: Slot, rule: Rule, *, line: int) -> dict[str, Any]:
    if rule.x is None:
        at = {"x": 1, "y": rule.y, "yref": grid.y(slot), "xanchor": "right", "yanchor": "bottom"}
        # On a heat map of any color.
        plate = {"bgcolor": "rgba(20,23,26,0.65)", "font": {"size": 12, "color": "#ffffff"}}
        return _text(rule.text, grid, slot, at) | (plate if has_heat(panel) else {})
    # Above a heat map, where it can be read; else inside, beside the line.
    above = has_heat(panel)
    shifts = {} if above else {"xshift": 4, "yshift": -_LINE * line}
    at = {"x": rule.x, "xref": grid.x(slot), "y": 1, **shifts}
    anchors = {"xanchor": "center", "yanchor": "bottom"} if above else {"xanchor": "left", "yanchor": "top"}
    return _text(rule.text, grid, slot, at | anchors)


def shapes(grid: SubplotGrid, page: Page) -> list[dict[str, Any]]:
    """Rules on a page: dashed lines, white above heat maps."""
    chart = grid.chart
    slots = grid.on(page)
    found = [_shape(rule, chart.panels[0], x=grid.x(slots[0]), up="paper") for rule in chart.across]
    for place, slot in slots.items():
        panel = chart.panels[place]
        for rule in panel.rules:
            found.append(_shape(rule, panel, x=grid.x(slot), up=f"{grid.y(slot)} domain", y=grid.y(slot)))
    return found


def _shape(rule: Rule, panel: Panel, *, x: str, up: str, y: str = "") -> dict[str, Any]:
    heat = has_heat(panel)
    if rule.x is not None:
        ends = {"x0": rule.x, "x1": rule.x, "xref": x, "y0": 0, "y1": 1, "yref": up}
    else:
        ends = {"x0": 0, "x1": 1, "xref": f"{x} domain", "y0": rule.y, "y1": rule.y, "yref": y}
    line = {"color": "#ffffff" if heat else MUTED, "width": 1.5, "dash": "dash"}
    return {"type": "line", **ends, "layer": "above" if heat else "below", "line": line}
