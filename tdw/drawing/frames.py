"""A slider over epochs: frames, the slider, and buttons to play them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tdw.drawing.style import buttons

_NOW: Mapping[str, Any] = {
    "mode": "immediate",
    "frame": {"duration": 0, "redraw": True},
    "transition": {"duration": 0},
}


def frame(
    epoch: int, changes: Iterable[Mapping[str, Any]], *, traces: Sequence[int], **layout: Any
) -> dict[str, Any]:
    """One frame: what changes in each of `traces` (their type named again) and in the layout."""
    found: dict[str, Any] = {"name": str(epoch), "data": list(changes), "traces": list(traces)}
    return {**found, "layout": layout} if layout else found


def slider(epochs: Sequence[int], *, active: int) -> dict[str, Any]:
    """The slider below the figure; `active` is the place in `epochs` it starts at."""
    return {
        "active": active,
        "currentvalue": {"prefix": "epoch ", "xanchor": "left", "font": {"size": 14}},
        "pad": {"t": 44, "b": 4},
        "len": 1,
        "x": 0,
        "steps": [
            {"label": f"{epoch:,}", "method": "animate", "args": [[str(epoch)], dict(_NOW)]}
            for epoch in epochs
        ],
    }


def player(at: str = "right") -> dict[str, Any]:
    """Buttons that play the frames and stop."""
    play = {**_NOW, "mode": "next", "fromcurrent": True, "frame": {"duration": 150, "redraw": True}}
    return buttons(
        [
            {"label": "▶ play", "method": "animate", "args": [None, play]},
            {"label": "stop", "method": "animate", "args": [[None], dict(_NOW)]},
        ],
        at=at,
        showactive=False,
    )
