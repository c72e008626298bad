"""Marks of a printed chart. Matplotlib's own annotations are incomplete, so its objects are `Any` here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tdw.drawing import labels, series
from tdw.drawing.chart import Panel
from tdw.drawing.marks import AnyMark, Band, Bars, Heat, Line, Points, Rule, Steps, at_last
from tdw.drawing.style import MUTED

_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
_MARKERS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "x": "X",
    "triangle-down": "v", "star": "*", "tick": "|", "x-thin": "x",
}  # fmt: skip


@dataclass(frozen=True)
class Pen:
    """How thick and how large: for small pictures, or for print."""

    small: bool

    @property
    def font(self) -> float:
        """Points."""
        return 7.5 if self.small else 9

    @property
    def _thin(self) -> float:
        """Of what Plotly draws on a page, in points for a pixel."""
        return 0.65

    def draw(self, axis: Any, mark: AnyMark, panel: Panel, *, square: bool) -> Any:
        """A mark on matplotlib's axes; of a heat map what a bar of colors needs."""
        named = {"label": mark.name} if mark.name and mark.legend else {}
        match mark:
            case Line():
                x, y = series.thin_line(mark.x, mark.y, limit=400 if self.small else 600)
                dotted = {"marker": ".", "markersize": 2} if mark.symbol and self.small else {}
                axis.plot(
                    x, y, color=mark.color, linestyle=_DASHES[mark.dash], linewidth=self._thin * mark.width,
                    alpha=mark.opacity, **dotted, **named,
                )  # fmt: skip
            case Band():
                axis.fill_between(
                    mark.x, mark.low, mark.high, color=mark.color, alpha=mark.opacity, linewidth=0, **named
                )
            case Points():
                axis.plot(
                    mark.x, mark.y, _MARKERS[mark.symbol], color=mark.color, alpha=mark.opacity,
                    markersize=(0.45 if self.small else self._thin) * mark.size,
                    markerfacecolor="none" if mark.hollow else mark.color, **named,
                )  # fmt: skip
            case Bars():
                self._bars(axis, mark)
            case Heat():
                return self._heat(axis, mark, panel, square=square)
        return None

    def _bars(self, axis: Any, mark: Bars) -> None:
        colors: Any = mark.color
        if mark.limit is not None:
            colors = [mark.color if value >= mark.limit else MUTED for value in mark.values]
        thick = 0.92 * (float(mark.places[1] - mark.places[0]) if len(mark.places) > 1 else 1.0)
        draw = axis.barh if mark.horizontal else axis.bar
        draw(mark.places, mark.values, thick, color=colors)

    def _heat(self, axis: Any, mark: Heat, panel: Panel, *, square: bool) -> Any:
        scale = mark.scale
        z, top = np.ma.masked_invalid(mark.z), scale.top
        if scale.log:
            z, top = np.log10(1 + z), float(np.log10(1 + top))
        if panel.y.categories:
            rows = {name: i for i, name in enumerate(mark.y)}  # type: ignore[arg-type]
            z = z[[rows[name] for name in panel.y.categories]]
        if panel.x.categories:
            columns = {name: i for i, name in enumerate(mark.x)}  # type: ignore[arg-type]
            z = z[:, [columns[name] for name in panel.x.categories]]
        axis.grid(visible=False)
        colors = {"cmap": scale.colors.lower(), "vmin": scale.bottom, "vmax": top or 1}
        if square:  # reduced by area where there are more pixels than the picture has
            first = "upper" if panel.y.reverse else "lower"
            return axis.imshow(z, origin=first, interpolation="antialiased", **colors)
        x, y = (_centers(at, count) for at, count in ((mark.x, z.shape[1]), (mark.y, z.shape[0])))
        return axis.pcolormesh(x, y, z, shading="nearest", rasterized=True, **colors)

    def texts(self, axis: Any, panel: Panel) -> None:
        """The texts of a panel's points, where there is room for them."""
        beside = labels.of(panel)
        if beside:
            axis.margins(y=0.12)
        for i, places in beside.items():
            mark = at_last(panel.marks[i])
            assert isinstance(mark, Points)
            for x, y, text, place in zip(mark.x, mark.y, mark.texts, places, strict=True):
                _annotate(axis, text, x=x, y=y, place=place, font=self.font - 1)

    def rule(self, axis: Any, rule: Rule, panel: Panel) -> None:
        """A dashed line, white above a heat map."""
        heat = any(isinstance(at_last(mark), Heat) for mark in panel.marks)
        style = {"color": "white" if heat else MUTED, "linewidth": 0.8, "linestyle": "--"}
        if rule.x is not None:
            axis.axvline(rule.x, **style)
        else:
            axis.axhline(rule.y, **style)


def _centers(at: Any, count: int) -> Any:
    if isinstance(at, Steps):
        return at.first + at.step * np.arange(count)
    return np.arange(count) if isinstance(at[0], str) else at


def _annotate(axis: Any, text: str, *, x: float, y: float, place: str, font: float) -> None:
    """A small text beside a point, where Plotly's "middle right", "top center", ... say."""
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
        fontsize=font,
    )
