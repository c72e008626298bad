"""P3: the coarseness of every neuron over training, a facet a variant."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.drawing import preview, series, style
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.families.modulo_addition_1layer.figures.neuron_matrix import Data, Facet, Parameters, load, orders
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

_MOST_COLUMNS = 4
_GAP_X, _GAP_Y = 0.03, 0.12


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    facets = data.facets
    one = len(facets) == 1
    axes: dict[str, Any] = {}
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    traces: list[dict[str, Any]] = []
    columns = min(len(facets), _MOST_COLUMNS)
    rows = -(-len(facets) // columns)
    for i, facet in enumerate(facets):
        row, column = divmod(i, columns)
        tag = "" if i == 0 else str(i + 1)
        x_domain, y_domain = _cell(column, columns, _GAP_X), _cell(rows - 1 - row, rows, _GAP_Y)
        bottom = i + columns >= len(facets)
        axes[f"xaxis{tag}"] = {
            **style.epoch_axis(domain=x_domain, anchor=f"y{tag}", showgrid=False),
            **({} if i == 0 else {"matches": "x"}),
            **({} if one else {"tickformat": "~s", "nticks": 5}),
            **({} if bottom else {"title": {"text": ""}, "showticklabels": False}),
        }
        axes[f"yaxis{tag}"] = {
            "title": {"text": "neuron" if column == 0 else ""},
            "domain": y_domain,
            "anchor": f"x{tag}",
            "type": "category",
            "categoryorder": "array",
            "categoryarray": _names(np.arange(len(facet.values))),
            "showticklabels": column == 0,
            "ticks": "outside" if column == 0 else "",
            "showgrid": False,
            "nticks": 12,
        }
        traces += _heatmaps(facet, tag)
        marked = grokking.marks(facet.grokking, xref=f"x{tag}", over_map=True)
        shapes += [{**shape, "yref": f"y{tag} domain"} for shape in marked["shapes"]]
        if one:
            annotations += marked["annotations"]
        else:
            annotations.append(_heading(facet, tag))
    subtitle = [facets[0].grokking.text, facets[0].missing] if one else ["dashed: grokking epoch"]
    if data.left_out:
        subtitle.append("not analyzed yet: " + ", ".join(data.left_out))
    return style.figure(
        f"Coarseness by neuron · {facets[0].label}" if one else "Coarseness by neuron and variant",
        traces,
        subtitle=" · ".join(part for part in subtitle if part),
        hovermode="closest",
        margin=style.fixed(bar=True),
        coloraxis={
            "cmin": 0,
            "cmax": 1,
            "colorscale": style.COARSENESS_SCALE,
            "colorbar": {
                "title": {"text": "coarseness", "side": "right"},
                "thickness": 14,
                "outlinewidth": 0,
            },
        },
        shapes=shapes,
        annotations=annotations,
        updatemenus=[_menu(data)],
        **axes,
    )


def _cell(place: int, count: int, gap: float) -> list[float]:
    width = (1 - gap * (count - 1)) / count
    start = place * (width + gap)
    return [start, min(start + width, 1.0)]


def _names(order: npt.NDArray[np.intp]) -> list[str]:
    return [f"n{i}" for i in order.tolist()]


def _heatmaps(facet: Facet, tag: str) -> list[dict[str, Any]]:
    hover = "neuron %{y}<br>epoch %{x:,d}<br>coarseness %{z:.3f}<extra>%{fullData.name}</extra>"
    return [
        {
            "type": "heatmap",
            "x": facet.epochs[run],
            "y": _names(np.arange(len(facet.values))),
            "z": np.ascontiguousarray(facet.values[:, run]),
            "xaxis": f"x{tag}",
            "yaxis": f"y{tag}",
            "coloraxis": "coloraxis",
            "name": facet.label,
            "hoverongaps": False,
            "hovertemplate": hover,
        }
        for run in series.even_runs(facet.epochs)
    ]


def _heading(facet: Facet, tag: str) -> dict[str, Any]:
    known = facet.grokking.known and facet.grokking.epoch is None
    text = f"<b>{facet.label}</b>" + (" · no grok" if known else "") + (" · gaps" if facet.missing else "")
    return {
        "text": text,
        "xref": f"x{tag} domain",
        "yref": f"y{tag} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12},
    }


def _menu(data: Data) -> dict[str, Any]:
    by_facet = [orders(facet, blob_from=data.blob_from) for facet in data.facets]
    common = [name for name in by_facet[0] if all(name in found for found in by_facet)]
    entries = [
        {
            "label": f"by {name}",
            "method": "relayout",
            "args": [
                {
                    f"yaxis{'' if i == 0 else i + 1}.categoryarray": _names(found[name])
                    for i, found in enumerate(by_facet)
                }
            ],
        }
        for name in common
    ]
    return style.buttons(entries, pad={"b": 24, "t": 0})


def draw_preview(data: Data) -> bytes:
    """The first facets, sorted by first blob epoch, small."""
    shown = data.facets[:4]
    one = len(shown) == 1
    title = f"Coarseness by neuron · {shown[0].label}" if one else "Coarseness by neuron"
    figure, axes = preview.canvas(title, columns=len(shown))
    for i, (axis, facet) in enumerate(zip(axes, shown, strict=True)):
        order = orders(facet, blob_from=data.blob_from)["first blob epoch"]
        preview.heatmap(
            axis,
            facet.epochs,
            np.arange(len(order)),
            z=facet.values[order],
            scale=style.COARSENESS_SCALE,
            top=1,
            bar=i == len(shown) - 1,
        )
        if one:
            preview.label(axis, y="neurons, by first blob epoch")
        else:
            preview.heading(axis, facet.label)
            axis.set_yticks([])
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, then a column a neuron (n0, n1, ...)."""
    import pandas as pd

    tables: list[pd.DataFrame] = []
    for facet in data.facets:
        wide = pd.DataFrame(facet.values.T, columns=_names(np.arange(len(facet.values))))
        wide.insert(0, "epoch", facet.epochs)
        wide.insert(0, "variant", facet.variant)
        tables.append(wide)
    return pd.concat(tables, ignore_index=True)


DESCRIPTION = """\
Coarseness of each MLP neuron (row) at each epoch (column), color fixed from 0 to 1.

Coarseness is the share of a neuron's non-constant 2-D Fourier power over (a, b) within the disc of radius
int(p / 8); at 0.7 or above a neuron is a *blob*, below 0.5 *plaid*; a dead neuron has 0.

The buttons sort the rows: by index, by the frequency that explains most of the neuron at the last epoch, by
the first epoch at which it is a blob (those that never are come last), or by coarseness at the last epoch.

**How to read it.** Sorted by first blob epoch, the edge between dark and bright is the course of blob
formation; a bright row that turns dark again did not stay a blob. Sorted by final frequency, neurons of one
cluster stand together. Empty columns are missing epochs; the dashed line is the grokking epoch.
"""

PLOT = Plot(
    name="neuron_coarseness",
    title="Coarseness by neuron",
    description=DESCRIPTION,
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/neuron_coarseness",),
    uses=("summaries/neurons", "summaries/grokking"),
    parameters=Parameters,
)

COMPARISON = dataclasses.replace(
    PLOT,
    name="neuron_coarseness_comparison",
    title="Coarseness by neuron and variant",
    description=DESCRIPTION + "\nA facet a variant, on shared axes and one color scale.\n",
    scope="comparison",
)
