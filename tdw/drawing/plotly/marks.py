"""Plotly's traces of a chart's marks, as plain mappings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Panel
from tdw.drawing.marks import AnyMark, Axis, Band, Bars, Heat, Line, Mark, Numbers, Points, Steps
from tdw.drawing.style import MUTED, rgba

Trace = dict[str, Any]
_MANY_CELLS, _FEW = 10_000, 4
_SYMBOLS = {"tick": "line-ns"}


def traces(mark: AnyMark, panel: Panel, *, places: Sequence[str], unified: bool, limit: int) -> list[Trace]:
    """A mark as traces: a heat map can take several.

    Args:
        mark: what to draw.
        panel: where.
        places: where the text of each point stands, for points with texts.
        unified: whether the hover texts of all marks at a point of the horizontal axis stand together.
        limit: points of a line.
    """
    match mark:
        case Heat():
            return _heat(mark, panel)
        case Line():
            found = _line(mark, limit)
        case Band():
            found = _band(mark)
        case Points():
            found = _points(mark, places)
        case Bars():
            found = _bars(mark)
    y = panel.right if mark.right and panel.right is not None else panel.y
    across = panel.x if not (isinstance(mark, Bars) and mark.horizontal) else None
    return [{**found, **_shared(mark), **_hover(mark, y if across else panel.x, None if unified else across)}]


def _shared(mark: Mark) -> Trace:
    found: Trace = {"name": mark.name} if mark.name else {}
    if mark.opacity != 1 and not isinstance(mark, Band):
        found["opacity"] = mark.opacity
    if mark.group:
        found["legendgroup"] = mark.group
    if not (mark.legend and mark.name):
        found["showlegend"] = False
    return found


def _hover(mark: Mark, value: Axis, across: Axis | None) -> Trace:
    """The hover text; `across` names the point where no other text does."""
    if mark.hover is None:
        return {"hoverinfo": "skip"}
    along = "x" if isinstance(mark, Bars) and mark.horizontal else "y"
    text = mark.hover or _value(along, value)
    if across is not None and not mark.hover:
        text = f"{across.title} {_value('x', across)}<br>{value.title} {text}"
    told = "" if isinstance(mark, Bars) or not mark.name else "%{fullData.name}"
    extra = "" if across is None and told else f"<extra>{told}</extra>"
    return {"hovertemplate": template(text) + extra}


def template(text: str) -> str:
    """A hover text as Plotly writes it: "{y:.3f}" is "%{y:.3f}", "{detail}" is its `customdata`."""
    return re.sub(r"\{(x|y|z)(?=[:}])", r"%{\1", text).replace("{detail", "%{customdata")


def _value(name: str, axis: Axis) -> str:
    unit = f" {axis.unit}" if axis.unit and axis.title != "epoch" else ""
    return f"{{{name}:{axis.form}}}{unit}" if axis.form else f"{{{name}}}{unit}"


def _line(mark: Line, limit: int) -> Trace:
    x, y = series.thin_line(mark.x, mark.y, limit=limit)
    if len(x) < _FEW:  # a list is shorter than an array
        x, y = x.tolist(), y.tolist()
    found: Trace = {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines+markers" if mark.symbol else "lines",
        "connectgaps": False,
        "line": {"color": mark.color, "width": mark.width, "dash": mark.dash},
    }
    return {**found, "marker": {"size": mark.size, "symbol": mark.symbol}} if mark.symbol else found


def _band(mark: Band) -> Trace:
    x, y = series.band(mark.x, mark.low, mark.high)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "fill": "toself",
        "fillcolor": rgba(mark.color, mark.opacity),
        "line": {"width": 0, "color": mark.color},
    }


def _points(mark: Points, places: Sequence[str]) -> Trace:
    tick = mark.symbol in ("tick", "x-thin")  # made of lines alone
    marker: dict[str, Any] = {
        "color": mark.color,
        "size": mark.size,
        "symbol": _SYMBOLS.get(mark.symbol, mark.symbol) + ("-open" if tick or mark.hollow else ""),
    }
    if tick or mark.hollow:
        marker["line"] = {"width": 1.2 if tick else max(mark.size / 5, 1), "color": mark.color}
    found: Trace = {"type": "scatter", "x": mark.x, "y": mark.y, "mode": "markers", "marker": marker}
    if mark.detail is not None:
        found["customdata"] = mark.detail
    if mark.texts:
        found["text"] = [f"  {text}  " for text in mark.texts]
        found["cliponaxis"] = False
        if any(places):
            found |= {"mode": "markers+text", "textposition": list(places)}
    return found


def _bars(mark: Bars) -> Trace:
    places, values = ("y", "x") if mark.horizontal else ("x", "y")
    found: Trace = {"type": "bar", places: mark.places, values: mark.values}
    if mark.horizontal:
        found["orientation"] = "h"
    if mark.limit is None:
        return {**found, "marker": {"color": mark.color}}
    # 0 is the usual color, 1 that of what reaches the limit: numbers are a tenth of the size of color names.
    # A list: of an array in base64 Plotly's bars complain in the console.
    reached = (np.asarray(mark.values) >= mark.limit).astype(int).tolist()
    scale = [[0, MUTED], [1, mark.color]]
    return {**found, "marker": {"color": reached, "cmin": 0, "cmax": 1, "colorscale": scale}}


def _heat(mark: Heat, panel: Panel) -> list[Trace]:
    scale = mark.scale
    hover = mark.hover or (
        f"{panel.y.title} {_value('y', panel.y)}<br>{panel.x.title} {_value('x', panel.x)}"
        f"<br>{scale.title} {{z:{scale.form}}}{scale.unit}"
    )
    if scale.log:
        hover = hover.replace("{z", "{detail")
    told = "%{fullData.name}" if mark.name else ""
    found: Trace = {"type": "heatmap", **_centers("y", mark.y), "hoverongaps": False}
    found |= {"hovertemplate": f"{template(hover)}<extra>{told}</extra>"}
    if mark.name:
        found["name"] = mark.name
    if isinstance(mark.x, Steps):
        return [{**found, **_centers("x", mark.x), **_values(mark.z, log=scale.log)}]
    # Plotly draws evenly spaced columns as one picture, and others cell by cell.
    runs = series.even_runs(mark.x) if mark.z.size > _MANY_CELLS else [slice(None)]
    return [
        {**found, "x": mark.x[run], **_values(np.ascontiguousarray(mark.z[:, run]), log=scale.log)}
        for run in runs
    ]


def _values(z: Any, *, log: bool) -> Trace:
    if not log:
        return {"z": z if z.dtype in (np.uint8, np.uint16) else z.astype(np.float32)}
    return {"z": np.log10(1 + z).astype(np.float32), "customdata": z.astype(np.float32)}


def _centers(name: str, at: Any) -> Trace:
    return {f"{name}0": at.first, f"d{name}": at.step} if isinstance(at, Steps) else {name: at}


def changes(stops: list[Trace]) -> list[Trace]:
    """What each stop of the slider changes: every attribute that is not the same at all of them."""
    first = stops[0]
    varying = [key for key in first if not all(_same(first[key], stop[key]) for stop in stops[1:])]
    return [{"type": stop["type"], **{key: stop[key] for key in varying}} for stop in stops]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(_same(value, other[key]) for key, value in cast("Trace", one).items())
    if isinstance(one, np.ndarray):
        values = cast("Numbers", one)
        return values is other or np.array_equal(values, other, equal_nan=values.dtype.kind == "f")
    return one == other
