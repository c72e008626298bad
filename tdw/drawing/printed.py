"""Printed figures: SVG for reports, drawn with matplotlib from the tables that the verdicts rest on.

Text stays text, and there are no dates or random ids, so that the same tables give the same bytes. Axes are
`Any` here: matplotlib's own annotations are incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.drawing.preview import default_style
from tdw.drawing.series import thin
from tdw.drawing.style import looks, short_labels

Float64 = npt.NDArray[np.float64]
GRAY = "#8C8C8C"
_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
MARKERS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "x": "X",
    "triangle-down": "v", "star": "*",
}  # fmt: skip
_STYLE = {
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


def to_svg(draw: Callable[[Any], None], *, height: float) -> bytes:
    """What `draw` puts on a matplotlib figure, as SVG; 7 inches wide, `height` inches high."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    styled: Any = matplotlib
    with default_style(), styled.rc_context(_STYLE):
        figure: Any = Figure(figsize=(7, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "tdw"})
    return buffer.getvalue()


def line_style(keys: Sequence[str], key: str) -> dict[str, Any]:
    """How the line of one of some variants looks, with its label."""
    look = looks(keys)[key]
    label = short_labels(keys)[key]
    return {"color": look.color, "linestyle": _DASHES[look.dash], "linewidth": 1.3, "label": label}


def legend(axis: Any) -> None:
    """Beside the axes; "no data yet" where there is nothing to name."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    else:
        axis.text(0.5, 0.5, "no data yet", ha="center", transform=axis.transAxes, color=GRAY)


def over_epochs(
    figure: Any,
    series: Mapping[str, tuple[Float64, Float64]],
    *,
    dots: Mapping[str, float],
    title: str,
    log: bool = False,
) -> Any:
    """A line per variant over epochs; returns the axes.

    Args:
        figure: of matplotlib.
        series: key -> epochs and values, (n,) each, of every variant in the study's order; empty for no line.
        dots: key -> epoch at which the line has a dot.
        title: of the vertical axis.
        log: whether that axis is logarithmic.
    """
    axis = figure.subplots()
    keys = list(series)
    for key, (epochs, values) in series.items():
        if not len(epochs):
            continue
        keep = thin(epochs.astype(np.int64), values, limit=600)
        style = line_style(keys, key)
        axis.plot(epochs[keep], values[keep], **style)
        at = int(np.searchsorted(epochs, dots.get(key, np.inf)))
        if at < len(values):
            axis.plot(dots[key], values[at], "o", color=style["color"])
    if log:
        axis.set_yscale("log")
    axis.set_xlabel("epoch (optimizer steps)")
    axis.set_ylabel(title)
    legend(axis)
    return axis


def name_rows(axis: Any, keys: Sequence[str]) -> None:
    """Variants as the ticks of a vertical axis, the first at the top."""
    axis.set_yticks(range(len(keys)), short_labels(keys).values())
    axis.invert_yaxis()
