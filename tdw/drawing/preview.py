"""Small pictures for asset pages, drawn by matplotlib without a browser and without global state.

Axes are `Any` here: matplotlib's own annotations are incomplete.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 420, 240
"""Pixels. Dagster's asset page clips wider pictures."""

_DPI = 100
_FONT = 7.5


def canvas(title: str, *, columns: int = 1) -> tuple[Any, list[Any]]:
    """A figure of 420 × 240 pixels with panels side by side, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=_FONT + 1, x=0.02, ha="left")
    panels: list[Any] = list(figure.subplots(1, columns, squeeze=False)[0]) if columns else []
    for axis in panels:
        axis.tick_params(labelsize=_FONT - 0.5, length=2, pad=1.5)
        axis.spines[["top"]].set_visible(False)
        axis.grid(visible=True, color="#e6e9ed", linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, panels


def grid(title: str, *, rows: int, columns: int) -> tuple[Any, list[Any]]:
    """A figure of 420 × 240 pixels with bare panels in rows."""
    figure, _ = canvas(title, columns=0)
    axes: Any = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.ravel())


def label(axis: Any, *, x: str = "", y: str = "") -> None:
    """Axis titles at the size of a preview."""
    if x:
        axis.set_xlabel(x, fontsize=_FONT, labelpad=1)
    if y:
        axis.set_ylabel(y, fontsize=_FONT, labelpad=1)


def epochs(axis: Any) -> None:
    """A horizontal axis of epochs: few ticks, thousands separated."""
    from matplotlib.ticker import MaxNLocator

    # Panels side by side have room for two labels.
    panels = axis.get_subplotspec().get_gridspec().ncols
    axis.xaxis.set_major_locator(MaxNLocator(5 if panels == 1 else 2, integer=True))
    thousands(axis.xaxis)
    label(axis, x="epoch")


def heatmap(
    axis: Any,
    x: npt.NDArray[np.integer],
    y: npt.NDArray[Any],
    *,
    z: npt.NDArray[np.floating],
    scale: str,
    top: float | None = None,
    bar: bool = True,
) -> None:
    """Values (len(y), len(x)) over epochs from 0 to `top` (None: their largest); NaN stays white."""
    axis.grid(visible=False)
    mesh = axis.pcolormesh(
        x,
        y,
        np.ma.masked_invalid(z),
        shading="nearest",
        cmap=scale.lower(),
        vmin=0,
        vmax=top,
        rasterized=True,
    )
    if bar:
        scale_bar = axis.figure.colorbar(mesh, ax=axis, pad=0.02, aspect=30)
        scale_bar.ax.tick_params(labelsize=_FONT - 1, length=2, pad=1.5)
        scale_bar.outline.set_visible(False)
    epochs(axis)


def heading(axis: Any, text: str) -> None:
    """A small title above one panel."""
    axis.set_title(text, fontsize=_FONT, loc="left", pad=2)


def second(axis: Any, *, y: str) -> Any:
    """A second vertical axis at the right."""
    other = axis.twinx()
    other.tick_params(labelsize=_FONT - 0.5, length=2, pad=1.5)
    other.spines[["top"]].set_visible(False)
    label(other, y=y)
    return other


def legend(axis: Any, *handles: Any, **extra: Any) -> None:
    """A legend at the size of a preview."""
    options: dict[str, Any] = {"fontsize": _FONT - 1, "frameon": False, "handlelength": 1.6, **extra}
    if handles:
        options["handles"] = handles
    axis.legend(**options)


def to_png(figure: Any) -> bytes:
    """PNG bytes; the same figure gives the same bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def annotate(axis: Any, text: str, *, x: float, y: float, place: str) -> None:
    """A small text beside a point: "middle right", "top center", ..., or nowhere for ""."""
    if not place:
        return
    vertical, horizontal = place.split()
    axis.annotate(
        text,
        (x, y),
        xytext=(
            {"right": 4, "left": -4, "center": 0}[horizontal],
            {"top": 4, "bottom": -4, "middle": 0}[vertical],
        ),
        textcoords="offset points",
        ha={"right": "left", "left": "right", "center": "center"}[horizontal],
        va={"top": "bottom", "bottom": "top", "middle": "center"}[vertical],
        fontsize=_FONT - 1,
    )


def thousands(axis: Any) -> None:
    """Whole numbers with separated thousands along an axis."""
    from matplotlib.ticker import StrMethodFormatter

    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
