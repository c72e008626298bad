"""P11: variants side by side on shared axes, those that differ in one parameter at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import preview, series, style
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.families.modulo_addition_1layer.figures.side_by_side import (
    MOST,
    Choice,
    Column,
    Data,
    Parameters,
    load,
)
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

_ROWS = ((0.66, 1.0), (0.33, 0.60), (0.0, 0.27))
_GAP = 0.012
_SMALL = {"size": 12}


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    limit = max(8000 // max(len(data.columns), 1), 150)
    per_column = [_traces(column, limit=limit) for column in data.columns]
    of = [i for i, traces in enumerate(per_column) for _ in traces]
    rows = [row for traces in per_column for row, _ in traces]
    traces = [trace for traces in per_column for _, trace in traces]
    views = [_view(data, choice, of=of, rows=rows) for choice in data.choices]
    first_traces, first_layout = views[0]
    for i, trace in enumerate(traces):
        trace |= {key: first_traces[key][i] for key in ("visible", "xaxis", "yaxis")}
    slots = max(len(choice.places) for choice in data.choices)
    entries = [
        {"label": choice.label, "method": "update", "args": [{**changes}, {**layout}]}
        for choice, (changes, layout) in zip(data.choices, views, strict=True)
    ]
    menu = style.buttons(entries, type="dropdown", direction="down", pad={"b": 44})
    left_out = "not analyzed yet: " + ", ".join(data.left_out) if data.left_out else ""
    legend = "test loss thick, train loss thin; mean coarseness with quartiles; dashed: grokking epoch"
    return style.figure(
        "Variants side by side",
        traces,
        subtitle=" · ".join(part for part in (legend, left_out) if part),
        hovermode="closest",
        showlegend=False,
        margin=style.fixed(t=148),
        updatemenus=[menu] if len(entries) > 1 else [],
        **_nested(first_layout, _axes(data, slots)),
    )


def _axes(data: Data, slots: int) -> dict[str, Any]:
    """Axes of every slot: a horizontal one, and a vertical one a row that follows the row's first."""
    top = max(
        float(np.nanmax(column.coarseness["blobs"].to_numpy(np.float64), initial=1))
        for column in data.columns
    )
    axes: dict[str, Any] = {}
    for slot in range(slots):
        axes[f"xaxis{_tag(slot)}"] = {
            **style.epoch_axis(anchor=f"y{_tag(_place(2, slot))}", nticks=4),
            "title": {"text": "epoch", "font": _SMALL},
            "tickformat": "~s",
            "tickangle": 0,
            **({"matches": "x"} if slot else {}),
        }
        kinds: tuple[dict[str, Any], ...] = (
            {**style.loss_axis("loss (nats)"), "dtick": 2},
            style.coarseness_axis(title={"text": "coarseness"}, nticks=4),
            {
                "title": {"text": f"blobs ≥ {data.parameters.threshold:g}"},
                "range": [0, top * 1.05],
                "nticks": 4,
            },
        )
        for row, axis in enumerate(kinds):
            first = _tag(_place(row, 0))
            later = {"matches": f"y{first}", "title": {"text": ""}, "showticklabels": False, "ticks": ""}
            axis["title"] |= {"font": _SMALL}
            axes[f"yaxis{_tag(_place(row, slot))}"] = {
                **axis,
                "domain": _ROWS[row],
                "anchor": f"x{_tag(slot)}",
                **(later if slot else {}),
            }
    return axes


def _view(
    data: Data, choice: Choice, *, of: Sequence[int], rows: Sequence[int]
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Changes of every trace, and of the layout, that show a choice."""
    slot = {place: i for i, place in enumerate(choice.places)}
    changes: dict[str, list[Any]] = {
        "visible": [place in slot for place in of],
        "xaxis": [f"x{_tag(slot.get(place, 0))}" for place in of],
        "yaxis": [f"y{_tag(_place(row, slot.get(place, 0)))}" for place, row in zip(of, rows, strict=True)],
    }
    layout: dict[str, Any] = {}
    n = len(choice.places)
    width = (1 - _GAP * (n - 1)) / n
    for i in range(max(len(each.places) for each in data.choices)):
        start = min(i, n - 1) * (width + _GAP)
        layout[f"xaxis{_tag(i)}.domain"] = [start, min(start + width, 1.0)]
        layout[f"xaxis{_tag(i)}.visible"] = i < n
        for row in range(3):
            layout[f"yaxis{_tag(_place(row, i))}.visible"] = i < n
    layout["annotations"] = [_heading(data.columns[place], i) for place, i in slot.items()]
    layout["shapes"] = [
        {**shape, "xref": f"x{_tag(i)}"}
        for place, i in slot.items()
        for shape in grokking.marks(data.columns[place].grokking)["shapes"]
    ]
    return changes, layout


def _nested(layout: dict[str, Any], axes: dict[str, Any]) -> dict[str, Any]:
    """The first view's changes ("xaxis2.domain") put into the axes themselves."""
    for key, value in layout.items():
        name, _, attribute = key.partition(".")
        if attribute:
            axes[name][attribute] = value
        else:
            axes[name] = value
    return axes


def _place(row: int, slot: int) -> int:
    return row * MOST + slot


def _tag(place: int) -> str:
    return "" if place == 0 else str(place + 1)


def _heading(column: Column, slot: int) -> dict[str, Any]:
    return {
        "text": column.heading,
        "xref": f"x{_tag(slot)} domain",
        "yref": "paper",
        "x": 0.02,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 12},
    }


def _traces(column: Column, *, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Traces, each with its row."""
    color = column.look.color
    table = column.coarseness
    x = table["epoch"].to_numpy(np.int64)
    base = {"type": "scatter", "name": column.label, "connectgaps": False}
    epochs = column.losses["epoch"].to_numpy(np.int64)
    found: list[tuple[int, dict[str, Any]]] = []
    for name, width, opacity in (("train_loss", 1, 0.55), ("test_loss", 2, 1)):
        xs, ys = series.curve(epochs, column.losses[name].to_numpy(np.float64))
        xs, ys = series.thin_line(xs, ys, limit=limit)
        what = name.replace("_", " ")
        line = {
            "x": xs,
            "y": ys,
            "mode": "lines",
            "line": {"color": color, "width": width},
            "opacity": opacity,
        }
        hover = f"{what} %{{y}} nats<br>epoch %{{x}}<extra>%{{fullData.name}}</extra>"
        found.append((0, {**base, **line, "hovertemplate": hover}))
    low, high = (table[name].to_numpy(np.float64) for name in ("low", "high"))
    xs, ys = series.band(x, low, high)
    band = {"x": xs, "y": ys, "mode": "lines", "fill": "toself", "line": {"width": 0, "color": color}}
    found.append((1, {**base, **band, "fillcolor": style.rgba(color, 0.2), "hoverinfo": "skip"}))
    for row, name, what in ((1, "mean", "mean coarseness %{y}"), (2, "blobs", "%{y:,d} neurons")):
        line = {
            "x": x,
            "y": table[name].to_numpy(np.float64),
            "mode": "lines+markers",
            "line": {"color": color, "width": 2},
            "marker": {"size": 3, "symbol": column.look.symbol},
        }
        hover = what + "<br>epoch %{x}<extra>%{fullData.name}</extra>"
        found.append((row, {**base, **line, "hovertemplate": hover}))
    return found


def draw_preview(data: Data) -> bytes:
    """Test loss and mean coarseness of the first choice, small."""
    figure, (left, right) = preview.canvas("Variants side by side", columns=2)
    for place in data.choices[0].places:
        column = data.columns[place]
        epochs = column.losses["epoch"].to_numpy(np.int64)
        x, y = series.curve(epochs, column.losses["test_loss"].to_numpy(np.float64))
        left.plot(x, y, color=column.look.color, linewidth=1.1)
        right.plot(
            column.coarseness["epoch"],
            column.coarseness["mean"].to_numpy(np.float64),
            color=column.look.color,
            linewidth=1.1,
            label=column.label,
        )
    left.set_yscale("log")
    right.set_ylim(0, 1)
    for axis, name in ((left, "test loss (nats)"), (right, "mean coarseness")):
        preview.epochs(axis)
        preview.label(axis, y=name)
    preview.legend(right, loc="upper left", ncols=2, columnspacing=0.8)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, train_loss, test_loss (nats), mean, low, high (quartiles), blobs (neurons)."""
    import pandas as pd

    tables = [
        column.coarseness.merge(column.losses, on="epoch", how="left").assign(variant=column.variant)
        for column in data.columns
    ]
    columns = ["variant", "epoch", "train_loss", "test_loss", "mean", "low", "high", "blobs"]
    return pd.concat(tables, ignore_index=True)[columns]


PLOT = Plot(
    name="comparison",
    title="Variants side by side",
    description="""\
Up to eight variants side by side, a column each, on shared axes: train (thin) and test loss (thick), mean
coarseness with its quartiles, and the number of blob neurons (coarseness at or above 0.7). The menu chooses
variants that share a parameter, so that what differs between the columns is the other one: *p = 113* shows
its seeds, *seed = 999* its moduli.

**How to read it.** All columns have the same axes, and zooming one zooms all. The dashed line is the
variant's grokking epoch; *no grok* stands above a column that never got there. Gaps are missing epochs.
""",
    code_version="2",
    scope="comparison",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/coarseness",),
    uses=("history", "summaries/grokking"),
    parameters=Parameters,
)
