"""One description of a chart, which two pens draw: Plotly, and matplotlib for small and for printed pictures.

A figure is data and a `Chart`. It is one short file of a family, and says nothing twice:

    def load(sources: Sources, parameters: NoParameters) -> Data: ...

    def chart(data: Data) -> Chart:
        line = Line(data.epochs, data.mean, name="mean entropy", color=data.look.color)
        entropy = Axis("entropy", "nats", zero=True, form=".3f")
        panel = Panel(with_band(line, data.low, data.high, name="p25 to p75"), y=entropy)
        return Chart(f"Entropy · {data.label}", (panel,), subtitle=data.missing)

    PLOT = Plot(
        name="entropy", title="Entropy", description=..., code_version="1", scope="variant",
        load=load, chart=chart, table=table, needs=("summaries/entropy",),
    )

A chart is panels in a grid; a panel has axes and marks (`tdw.drawing.marks`). Marks with a `tag` are shown
and hidden by the buttons of a `Choice`; a mark that changes with the slider is a `Moving`. A text of `hover`
holds the place of a number as "{y:.3f}", in d3-format; without one the axes say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tdw.drawing.marks import EPOCHS, AnyMark, Axis, Band, Line, Moving, Numbers, Rule


@dataclass(frozen=True)
class Panel:
    """A pair of axes, and what is drawn there.

    Attributes:
        x, y, right: the axes. Panels above each other share the lowest one's horizontal axis.
        title: above it; or a title for each stop of the slider.
        row, column: in the chart's grid.
        small: whether small pictures show it, too.
    """

    marks: Sequence[AnyMark | Moving]
    y: Axis
    x: Axis = EPOCHS
    right: Axis | None = None
    rules: tuple[Rule, ...] = ()
    title: str | tuple[str, ...] = ""
    row: int = 0
    column: int = 0
    small: bool = True


@dataclass(frozen=True)
class Option:
    """A button.

    Attributes:
        tags: marks that are shown; other marks of the choice are hidden.
        ranges: panel -> its vertical range.
        orders: panel -> the categories of its horizontal axis, from the left.
    """

    label: str
    tags: tuple[str, ...] = ()
    ranges: Mapping[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    orders: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])


@dataclass(frozen=True)
class Choice:
    """A row of buttons above the figure, one of them active at first; `small` is active in small pictures."""

    options: tuple[Option, ...]
    active: int = 0
    small: int | None = None
    left: bool = False

    @property
    def tags(self) -> set[str]:
        """Everything that it shows or hides."""
        return {tag for option in self.options for tag in option.tags}

    @property
    def shown(self) -> Option:
        """The active button."""
        return self.options[self.active]


@dataclass(frozen=True)
class Page:
    """Columns of panels that are shown together; a menu chooses the page."""

    label: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """A figure.

    Attributes:
        title, subtitle: `subtitle` is one line; it says what is missing.
        panels: in a grid of rows and columns.
        across: vertical rules through all panels.
        choices: at most one at the right and one at the left.
        pages: where there are more columns than fit; the first is shown at first.
        epochs: stops of the slider; it starts at the last.
        heights, widths: of rows and columns, relative to each other.
        gaps: between columns and between rows, as shares of the figure.
        share_x: panels above each other share their horizontal axis; else each has its own, and the lowest
            one's labels are for all.
        share_y: panels of a row share their vertical axis, which the first describes.
        square: maps: square pixels, bare axes.
        unified: one hover text for everything above a point of the horizontal axis.
        small: what small pictures show instead.
    """

    title: str
    panels: tuple[Panel, ...]
    subtitle: str = ""
    across: tuple[Rule, ...] = ()
    choices: tuple[Choice, ...] = ()
    pages: tuple[Page, ...] = ()
    epochs: tuple[int, ...] = ()
    heights: tuple[float, ...] = ()
    widths: tuple[float, ...] = ()
    gaps: tuple[float, float] = (0.06, 0.06)
    share_x: bool = True
    share_y: bool = False
    square: bool = False
    unified: bool = True
    small: Chart | None = None

    def hides(self, mark: AnyMark) -> bool:
        """Whether the active buttons hide it at first."""
        of = [choice for choice in self.choices if mark.tag in choice.tags]
        return any(mark.tag not in choice.shown.tags for choice in of)


def with_band(
    line: Line, low: Numbers, high: Numbers, *, name: str = "", opacity: float = 0.2
) -> tuple[Band, Line]:
    """A series and its band, switched together in the legend.

    Args:
        line: the series.
        low, high: (n,) edges of the band at the line's points.
        name: of the band, for the legend; "" leaves it out.
        opacity: of the band.
    """
    group = line.group or line.name
    band = Band(
        line.x, low, high, name=name or line.name, color=line.color, opacity=opacity, group=group,
        legend=bool(name), tag=line.tag, right=line.right, small=line.small, hover=None,
    )  # fmt: skip
    return band, replace(line, group=group)


def sentences(*parts: str) -> str:
    """Parts of a subtitle, the empty ones left out."""
    return " · ".join(part for part in parts if part)
