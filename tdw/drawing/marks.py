"""Axes and marks: what a panel of a `tdw.drawing.chart.Chart` is made of. What is NaN is a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from tdw.drawing.style import COLORS

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        title, unit: as in "loss (nats)".
        log: logarithmic.
        range: of values that are shown; None for what the marks take.
        zero: starts at 0.
        form, ticks: d3-format of values in hover texts, and of the labels at the ticks.
        step: between labeled ticks, in decades where `log`; most: how many ticks at most.
        names: labels of 0, 1, 2, ..., for what has no numbers.
        categories: the names that a heat map has as rows or columns, in the order in which they stand.
        places: the ticks of categories count them from 0, at round numbers, and do not name them.
        reverse: the first is at the top.
        labels: whether its title and labels are written.
        hidden: nothing of it is drawn.
    """

    title: str = ""
    unit: str = ""
    log: bool = False
    range: tuple[float, float] | None = None
    zero: bool = False
    form: str = ""
    ticks: str = ""
    step: float | None = None
    most: int | None = None
    names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    places: bool = False
    reverse: bool = False
    labels: bool = True
    hidden: bool = False

    @property
    def text(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def narrow(self) -> Axis:
        """The same for a panel with little room: fewer ticks, no unit."""
        return replace(self, unit="", ticks="~s" if self.ticks == ",d" else self.ticks, most=self.most or 4)


EPOCHS = Axis("epoch", "optimizer steps", form=",d", ticks=",d")
"""The horizontal axis of everything that runs over training."""


def loss(title: str = "loss", unit: str = "nats", *, step: float = 1) -> Axis:
    """A logarithmic axis of a loss, labeled at powers of ten."""
    return Axis(title, unit, log=True, form=".3~g", step=step)


def share(title: str, *, most: int | None = None) -> Axis:
    """An axis that is always 0 to 1."""
    return Axis(title, range=(-0.005, 1.005), form=".3f", most=most)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What every mark has.

    Attributes:
        name: for the legend and the hover text.
        color, opacity: `color` is "#rrggbb".
        group: marks of a group are switched in the legend together; only one of them should be in it.
        legend: whether it is in the legend.
        tag: what a `Choice` shows and hides it by.
        right: measured by the panel's right axis.
        small: whether small pictures show it, too.
        hover: text at the mark; "" for what the axes say, None for no text.
    """

    name: str = ""
    color: str = COLORS[0]
    opacity: float = 1.0
    group: str = ""
    legend: bool = True
    tag: str = ""
    right: bool = False
    small: bool = True
    hover: str | None = ""


@dataclass(frozen=True)
class Line(Mark):
    """A line through (n,) points; with `symbol` each point is marked. A NaN breaks it."""

    x: Numbers
    y: Numbers
    dash: str = "solid"
    width: float = 2.0
    symbol: str = ""
    size: float = 4.0


@dataclass(frozen=True)
class Band(Mark):
    """What lies between two lines of (n,) points. A NaN breaks it."""

    x: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True)
class Points(Mark):
    """(n,) points; hollow ones are not filled.

    Attributes:
        symbol: of Plotly, or "tick": a short vertical line.
        texts: beside the points, where there is room for them.
        detail: (n,), for "{detail}" in `hover`.
    """

    x: Numbers
    y: Numbers
    symbol: str = "circle"
    size: float = 6.0
    hollow: bool = False
    texts: tuple[str, ...] = ()
    detail: Numbers | None = None


@dataclass(frozen=True)
class Bars(Mark):
    """Bars of (n,) `values` at (n,) places.

    Attributes:
        horizontal: from left to right.
        limit: bars below it are gray.
    """

    places: Numbers
    values: Numbers
    horizontal: bool = False
    limit: float | None = None


@dataclass(frozen=True)
class Scale:
    """A scale of colors from `bottom` to `top`; heat maps with equal scales share one bar.

    Attributes:
        title, unit: of its bar.
        colors: Plotly's name.
        log: colors by log10(1 + value), so that few beside many can be seen.
        form: d3-format of values in hover texts.
        tops: where the scale may end instead, chosen by buttons.
    """

    title: str
    top: float = 1.0
    unit: str = ""
    colors: str = "Viridis"
    log: bool = False
    form: str = ".3f"
    tops: tuple[int, ...] = ()
    bottom: float = 0


@dataclass(frozen=True)
class Steps:
    """Evenly spaced centers of columns or rows."""

    first: float
    step: float


@dataclass(frozen=True)
class Heat(Mark):
    """A heat map of (m, n) values; NaN is empty. `x` (n,) and `y` (m,) may be their axis' categories."""

    x: Numbers | Steps | Sequence[str]
    y: Numbers | Steps | Sequence[str]
    z: Numbers
    scale: Scale


AnyMark = Line | Band | Points | Bars | Heat


@dataclass(frozen=True)
class Moving:
    """A mark that changes with the slider: one for each of the chart's `epochs`, all of one kind."""

    stops: Sequence[AnyMark]


@dataclass(frozen=True)
class Rule:
    """A dashed line across a panel, at `x` or at `y`, with a text."""

    x: float | None = None
    y: float | None = None
    text: str = ""


def at_last(mark: AnyMark | Moving) -> AnyMark:
    """A mark as it is at the last stop of the slider."""
    return mark.stops[-1] if isinstance(mark, Moving) else mark
