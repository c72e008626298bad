"""Where the labels of points stand, so that they can be read."""

from __future__ import annotations

from collections.abc import Sequence

from tdw.drawing.chart import Panel
from tdw.drawing.marks import Points, at_last

MOST = 16
"""Labels that a panel has room for; with more of them there are none."""
Box = tuple[float, float, float, float]
RIGHT, LEFT, ABOVE, BELOW = "middle right", "middle left", "top center", "bottom center"
# All in shares of a figure of about 600 by 450 pixels, a narrow one; a letter is about 8 by 16.
_LETTER, _HEIGHT = 0.013, 0.04
_POINT_X, _POINT_Y = 0.008, 0.016
_EDGES = (-0.16, 1.16)


def of(panel: Panel) -> dict[int, list[str]]:
    """Mark -> where the text of each of its points stands, of the marks of a panel that have texts."""
    marks = {
        i: mark for i, mark in enumerate(map(at_last, panel.marks)) if isinstance(mark, Points) and mark.texts
    }
    texts = [text for mark in marks.values() for text in mark.texts]
    if not 0 < len(texts) <= MOST:
        return {}
    x = [float(value) for mark in marks.values() for value in mark.x]
    y = [float(value) for mark in marks.values() for value in mark.y]
    found = iter(places(texts, x, y))
    return {i: [next(found) for _ in mark.texts] for i, mark in marks.items()}


def places(texts: Sequence[str], x: Sequence[float], y: Sequence[float]) -> list[str]:
    """Plotly's `textposition` of each label, that it cover no other label, no point and no edge.

    Args:
        texts: the labels.
        x, y: the points; the vertical axis starts at 0, the horizontal one has a margin of 0.16.

    Returns:
        Tried in turn for each point from the top down: right, left, above, below; where all are taken, right.
    """
    width = (max(x) - min(x)) or 1
    across = [(value - min(x)) / width for value in x]
    up = [value / (max(y) or 1) for value in y]
    taken: list[Box] = [
        (a - _POINT_X, a + _POINT_X, b - _POINT_Y, b + _POINT_Y) for a, b in zip(across, up, strict=True)
    ]
    found = [RIGHT] * len(texts)
    for i in sorted(range(len(texts)), key=lambda i: -up[i]):
        boxes = _boxes(across[i], up[i], length=_LETTER * len(texts[i]) + 0.01)
        free = [name for name, box in boxes.items() if _fits(box, taken)]
        found[i] = free[0] if free else RIGHT
        taken.append(boxes[found[i]])
    return found


def _boxes(x: float, y: float, *, length: float) -> dict[str, Box]:
    half, away = _HEIGHT / 2, _POINT_X + 0.002
    return {
        RIGHT: (x + away, x + away + length, y - half, y + half),
        LEFT: (x - away - length, x - away, y - half, y + half),
        ABOVE: (x - length / 2, x + length / 2, y + _POINT_Y, y + _POINT_Y + _HEIGHT),
        BELOW: (x - length / 2, x + length / 2, y - _POINT_Y - _HEIGHT, y - _POINT_Y),
    }


def _fits(box: Box, taken: Sequence[Box]) -> bool:
    inside = box[0] > _EDGES[0] and box[1] < _EDGES[1]
    return inside and not any(
        box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3] for other in taken
    )
