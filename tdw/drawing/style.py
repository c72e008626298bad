"""How every figure looks: colors of variants, color scales, templates for light and dark, axes.

The categorical colors are those of Okabe & Ito (2008, "Color universal design"), with black and yellow
replaced by a gray and an olive that can be seen on white and on black.
"""

# Plotly ships no types; all calls of it are here and in render.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8C8C8C", "#A69B00")
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "star")
TRAIN, TEST, ACCENT, MUTED = "#56B4E9", "#D55E00", "#009E73", "#8C8C8C"
DENSITY_SCALE = "Cividis"
MAP_SCALE = "Magma"

FONT = 13
"""Pixels of plain text."""

CONFIG: Mapping[str, Any] = {
    "responsive": True,
    "displaylogo": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["sendChartToCloud", "sendDataToCloud", "lasso2d", "select2d"],
}
"""Options of Plotly's tool bar: nothing in it leaves the machine."""


def palette(names: Iterable[str]) -> dict[str, str]:
    """A color for each name, in order; after the last one they begin again."""
    return dict(zip(dict.fromkeys(names), itertools.cycle(COLORS), strict=False))


@dataclass(frozen=True)
class Look:
    """How one variant is drawn in every figure: color first, dash and symbol as second channel."""

    color: str
    dash: str
    symbol: str


def looks(variants: Sequence[str]) -> dict[str, Look]:
    """A look for each variant by its place in `variants`, the study's order, the same in every figure."""
    return {
        variant: Look(
            COLORS[i % len(COLORS)],
            DASHES[(i + i // len(COLORS)) % len(DASHES)],
            SYMBOLS[(i + i // len(COLORS)) % len(SYMBOLS)],
        )
        for i, variant in enumerate(variants)
    }


def short_labels(variants: Sequence[str]) -> dict[str, str]:
    """Variant keys without the parts that all of them share: 'p113 s999'; one alone keeps its key."""
    parts = {variant: variant.split("_") for variant in variants}
    shared = set[str].intersection(*map(set, parts.values())) if len(parts) > 1 else set[str]()
    # The first part names the model's main parameter: kept, so that a label never starts in the middle.
    return {
        variant: " ".join(part for i, part in enumerate(p) if i == 0 or part not in shared)
        if len(parts) > 1
        else variant
        for variant, p in parts.items()
    }


def rgba(color: str, alpha: float) -> str:
    """A '#rrggbb' color with transparency."""
    r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{alpha:g})"


def template(*, dark: bool) -> dict[str, Any]:
    """A Plotly template, as plain JSON."""
    background, text, grid, line = (
        ("#14171a", "#d5dae0", "#2c3238", "#59626c") if dark else ("#ffffff", "#1f2730", "#e6e9ed", "#9aa4af")
    )
    axis = {
        "gridcolor": grid,
        "linecolor": line,
        "zerolinecolor": grid,
        "showline": True,
        "ticks": "outside",
        "tickcolor": line,
        "title": {"standoff": 8},
    }
    # Plotly paints the active button almost white in any theme, so buttons are light with dark text.
    button = {"bgcolor": "#dfe3e8", "bordercolor": line, "font": {"color": "#1f2730", "size": 12}}
    slider = {
        "bgcolor": grid,
        "bordercolor": line,
        "activebgcolor": "#8fa3b8",
        "tickcolor": line,
        "font": {"color": text},
    }
    bar = {"outlinewidth": 0, "ticks": "outside", "tickcolor": line, "thickness": 14}
    return {
        "layout": {
            "font": {
                "family": "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
                "size": FONT,
                "color": text,
            },
            "paper_bgcolor": background,
            "plot_bgcolor": background,
            "colorway": list(COLORS),
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"align": "left"},
            "legend": {"bgcolor": "rgba(0,0,0,0)"},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": line, "activecolor": text},
            "updatemenudefaults": button,
            "sliderdefaults": slider,
            "annotationdefaults": {"font": {"color": text}},
            "shapedefaults": {"line": {"color": text}},
        },
        "data": {"heatmap": [{"colorbar": bar, "hoverongaps": False}]},
    }


def figure(
    title: str,
    traces: Iterable[Mapping[str, Any]],
    *,
    subtitle: str = "",
    frames: Iterable[Mapping[str, Any]] = (),
    **layout: Any,
) -> Figure:
    """A figure in the house style: light template, the dark one in `layout.meta.dark` for pages that follow
    the reader's theme, no fixed height.

    Args:
        title: at the top left.
        traces: Plotly traces, plain mappings.
        subtitle: one line below the title; says what is missing.
        frames: Plotly frames.
        layout: anything else of Plotly's layout.
    """
    import plotly.graph_objects as go

    head = {
        "text": title,
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"l": 16, "t": 14},
        "font": {"size": 18},
        "subtitle": {"text": subtitle, "font": {"size": 13}},
    }
    return go.Figure(
        data=[dict(trace) for trace in traces],
        frames=[dict(frame) for frame in frames],
        layout={
            "template": template(dark=False),
            "meta": {"dark": template(dark=True)},
            "title": head,
            # At the bottom of the page, below the axis: the row above the figure belongs to buttons.
            "legend": {
                "orientation": "h",
                "x": 0.5,
                "xanchor": "center",
                "y": 0,
                "yanchor": "bottom",
                "yref": "container",
            },
            **layout,
        },
    )


def figure_json(figure: Figure) -> str:
    """A figure as Plotly's JSON; numeric arrays in base64; the same figure gives the same text."""
    import plotly.io as pio

    return pio.to_json(figure, validate=False, engine="json") or ""  # pyright: ignore[reportUnknownMemberType]
