"""Axes of a printed chart. Matplotlib's own annotations are incomplete, so its objects are `Any` here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing.marks import Axis, Scale

if TYPE_CHECKING:
    from tdw.drawing.matplotlib.marks import Pen

_SMALL_LETTERS, _LETTERS = 70, 100
"""That fit below a horizontal axis; names with more stand aslant."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def horizontal(axis: Any, of: Axis, pen: Pen, *, columns: int, labels: bool) -> None:
    """The horizontal axis; panels side by side have room for fewer ticks."""
    narrow = pen.small and columns > 1
    _prepare(axis, pen)
    _dress(axis.xaxis, of, pen, most=2 if narrow else 5 if pen.small else 7)
    if sum(len(name) + 2 for name in of.names) > (_SMALL_LETTERS if pen.small else _LETTERS) / columns:
        axis.tick_params(axis="x", rotation=30)
        for label in axis.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    if not labels:
        axis.tick_params(labelbottom=False)
    elif of.labels:
        axis.set_xlabel(
            of.title if pen.small and of.ticks else of.text,
            fontsize=pen.font,
            labelpad=1 if pen.small else None,
        )
    if of.log:
        axis.set_xscale("log")
        _label_powers(axis.xaxis)
    _limit(axis.set_xlim, of)


def vertical(axis: Any, of: Axis, pen: Pen, *, labels: bool = True) -> None:
    """The vertical axis, the second one too."""
    _prepare(axis, pen)
    if of.log:
        axis.set_yscale("log")
        _label_powers(axis.yaxis)
    _dress(axis.yaxis, of, pen, most=5)
    if of.hidden:
        axis.yaxis.set_visible(False)
        axis.spines[["left", "bottom"]].set_visible(False)
        axis.grid(visible=False)
    elif not (labels and of.labels):
        axis.tick_params(labelleft=False)
    elif of.title:
        axis.set_ylabel(of.text, fontsize=pen.font, labelpad=1 if pen.small else None)
    _limit(axis.set_ylim, of)
    if of.reverse:
        axis.yaxis.set_inverted(True)


def _prepare(axis: Any, pen: Pen) -> None:
    if pen.small:
        axis.tick_params(labelsize=pen.font - 0.5, length=2, pad=1.5)
        axis.grid(visible=True, color="#e6e9ed", linewidth=0.6)
        axis.set_axisbelow(True)
    axis.spines[["top"]].set_visible(False)


def _dress(side: Any, of: Axis, pen: Pen, *, most: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter, StrMethodFormatter

    if of.names:
        side.set_ticks(range(len(of.names)), of.names)
        return
    if of.log:
        return
    whole = of.ticks in (",d", "~s", "d") or bool(of.categories)
    if whole or pen.small:
        side.set_major_locator(MaxNLocator(most, integer=whole))
    if of.categories:
        names = of.categories

        def name(at: float, _: Any) -> str:
            if not 0 <= at < len(names):
                return ""
            return f"{int(at):,}" if of.places else names[int(at)]

        side.set_major_formatter(FuncFormatter(name))
    elif of.ticks.endswith("%"):
        side.set_major_formatter(PercentFormatter(1))
    elif of.ticks in (",d", "~s", ","):
        side.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _label_powers(side: Any) -> None:
    """Plain text for a logarithmic axis. Matplotlib's own labels are formulas, which it parses one by one."""
    from matplotlib.ticker import LogFormatter

    class Powers(LogFormatter):
        """Labels the ticks that matplotlib would."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return _as_power(x) if super().__call__(x, pos) else ""

    side.set_major_formatter(Powers())
    side.set_minor_formatter(Powers())


def _as_power(x: float) -> str:
    """A positive number as a multiple of a power of ten: 10⁻³, 2×10⁴."""
    factor, exponent = f"{x:.3e}".split("e")
    factor = factor.rstrip("0").rstrip(".")
    power = "10" + str(int(exponent)).translate(_RAISED)
    return power if factor == "1" else f"{factor}×{power}"


def leave_out_minor_ticks(side: Any) -> None:
    """Of a logarithmic axis of a small picture, where matplotlib labels powers of ten alone."""
    from matplotlib.ticker import NullLocator

    low, high = sorted(side.get_view_interval())
    if side.get_scale() == "log" and high > 10 * low:
        side.set_minor_locator(NullLocator())


def _limit(set_limit: Any, of: Axis) -> None:
    if of.range is not None:
        set_limit(*of.range)


def bar(drawn: Any, axis: Any, scale: Scale, pen: Pen) -> None:
    """The bar of colors beside a heat map."""
    found = axis.figure.colorbar(drawn, ax=axis, pad=0.02, aspect=30)
    found.ax.tick_params(labelsize=pen.font - 1, length=2, pad=1.5)
    found.outline.set_visible(False)
    if scale.log:
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300, 1000, 3000) if tick <= scale.top]
        found.set_ticks([float(np.log10(1 + tick)) for tick in ticks], labels=[f"{tick:,}" for tick in ticks])
    found.set_label(scale.title, fontsize=pen.font)


def heading(axis: Any, text: str, pen: Pen) -> None:
    """A small title above a panel; Plotly's marks for bold and for lines are its own."""
    plain = text.replace("<b>", "").replace("</b>", "").split("<br>")[0]
    if pen.small:
        plain = plain.split(" · ")[0]
    axis.set_title(
        plain, fontsize=pen.font, loc="left" if pen.small else "center", pad=2 if pen.small else None
    )
