"""A curve as a small inline picture: SVG, no axes, its range said in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 132, 30, 2
MOST_POINTS = 96
Points = Sequence[tuple[float, float]]


def sparkline(
    points: Points, *, label: str, last: float, low: float, high: float, log: bool = False
) -> Markup:
    """A curve over epochs 0..last; it breaks where a value is NaN.

    Args:
        points: (epoch, value), ascending.
        label: what it shows, for a reader who does not see it and as its tooltip.
        last: the epoch at the right edge, the same for all curves beside one another.
        low, high: values at the bottom and the top, likewise.
        log: logarithmic height; values must then be positive.
    """
    place = (lambda v: math.log10(max(v, 1e-300))) if log else float
    bottom, top = place(low), place(high)
    path: list[str] = []
    pen = "M"
    for epoch, value in points:
        if math.isnan(value):
            pen = "M"
            continue
        x = MARGIN + (WIDTH - 2 * MARGIN) * (epoch / last if last else 0)
        share = min(max((place(value) - bottom) / (top - bottom or 1), 0), 1)
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share
        path.append(f"{pen}{x:.1f} {y:.1f}" + ("h0" if pen == "M" else ""))  # a single point is a dot
        pen = "L"
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img">'
        '<title>{}</title><path d="{}"/></svg>'
    ).format(WIDTH, HEIGHT, WIDTH, HEIGHT, label, " ".join(path))
