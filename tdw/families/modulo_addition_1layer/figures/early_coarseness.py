"""P4: early coarseness against the grokking epoch, a point a variant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import labels, preview, style
from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.parameters import is_count, require
from tdw.recipes.figure import Plot
from tdw.statistics import exact

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources, VariantReader

_DEFAULT_EARLY = 1000
_MOST_LABELS = 16


@dataclass(frozen=True)
class Parameters:
    """What is early, and what is coarse.

    Attributes:
        early_epoch: at which coarseness is read; there has to be a checkpoint of it. None for the study's, as
            the comparison table has it, or 1,000 where there is no such table.
        statistic: column of the coarseness summary.
    """

    early_epoch: int | None = None
    statistic: str = "mean_coarseness"

    def __post_init__(self) -> None:
        early: int | None = self.early_epoch
        require(early is None or is_count(early, least=0), "early_epoch", early, wanted="an epoch, or null")


@dataclass(frozen=True)
class Point:
    """One variant: `value` is its early coarseness, `grokking` says when it grokked or that it did not."""

    variant: str
    label: str
    look: style.Look
    value: float
    grokking: grokking.Grokking

    @property
    def at(self) -> int:
        """The grokking epoch, or where it is censored."""
        found = self.grokking.epoch if self.grokking.epoch is not None else self.grokking.censored_at
        assert found is not None
        return found


@dataclass(frozen=True)
class Data:
    """Points in the study's order, and the labels of variants that lack what is needed."""

    points: tuple[Point, ...]
    left_out: tuple[str, ...]
    early_epoch: int
    statistic: str

    @property
    def grokked(self) -> tuple[Point, ...]:
        """Those with a grokking epoch: the others are censored and fit no line."""
        return tuple(point for point in self.points if point.grokking.epoch is not None)


def load(sources: Sources, parameters: Parameters) -> Data:
    """Every variant that was analyzed at the early epoch and has a grokking summary."""
    early = _early_epoch(sources) if parameters.early_epoch is None else parameters.early_epoch

    def one(reader: VariantReader) -> Point:
        return _load_point(reader, early, statistic=parameters.statistic)

    return Data(*sources.collect(one), early_epoch=early, statistic=parameters.statistic)


def _early_epoch(sources: Sources) -> int:
    table = sources.variants[0].comparison() if sources.variants else None
    return _DEFAULT_EARLY if table is None or table.empty else int(table["early_epoch"].iloc[0])


def _load_point(reader: VariantReader, early_epoch: int, *, statistic: str) -> Point:
    table = reader.summary("coarseness")
    require(
        statistic in table.columns,
        "statistic",
        statistic,
        wanted=f"a column of the coarseness summary, such as {', '.join(map(str, table.columns[1:8]))}",
    )
    row = table[table["epoch"] == early_epoch]
    found = grokking.load(reader)
    if row.empty:
        raise NotFound(
            f"{reader.variant} has no coarseness at epoch {early_epoch}",
            f"run `tdw fill --variant {reader.variant} --epochs {early_epoch}`",
        )
    if found.epoch is None and found.censored_at is None:
        raise NotFound(f"{reader.variant} has no grokking summary", "materialize it, or run `tdw fill`")
    value = float(row[statistic].iloc[0])
    return Point(reader.variant, reader.label, reader.look, value, found)


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    name = data.statistic.replace("_", " ")
    places = label_places(data.points)
    traces = [_point(point, place) for point, place in zip(data.points, places, strict=True)]
    line = _trend(data)
    if line is not None:
        traces.insert(0, line)
    return style.figure(
        "Early coarseness and grokking",
        traces,
        subtitle=_subtitle(data),
        hovermode="closest",
        xaxis={
            "title": {"text": f"{name} at epoch {data.early_epoch:,} (0 to 1)"}
            if "coarseness" in name
            else {"text": f"{name} at epoch {data.early_epoch:,}"},
            "hoverformat": ".4f",
            "range": _range([point.value for point in data.points]),
        },
        yaxis={
            "title": {"text": "grokking epoch (optimizer steps)"},
            "rangemode": "tozero",
            "tickformat": ",d",
            "hoverformat": ",d",
        },
        showlegend=False,
        margin={**style.HEAD, "l": 86},
    )


def _range(values: Sequence[float]) -> list[float]:
    """With room for labels at both ends."""
    margin = 0.16 * (max(values) - min(values)) or 0.05
    return [min(values) - margin, max(values) + margin]


def label_places(points: Sequence[Point]) -> list[str]:
    """Where each label stands; "" beyond 16 points."""
    if len(points) > _MOST_LABELS:
        return [""] * len(points)
    return labels.places(
        [_text(point) for point in points], [p.value for p in points], [float(p.at) for p in points]
    )


def _text(point: Point) -> str:
    return point.label + (f" · no grok by {point.at:,}" if point.grokking.epoch is None else "")


def _point(point: Point, place: str) -> dict[str, Any]:
    censored = point.grokking.epoch is None
    return {
        "type": "scatter",
        "x": [point.value],
        "y": [point.at],
        "mode": "markers+text" if place else "markers",
        "text": [f"  {_text(point)}  "],
        "textposition": place or "middle right",
        "marker": {
            "color": point.look.color,
            "size": 13,
            # Open and upward: the true value lies above, if there is one.
            "symbol": "triangle-up-open" if censored else point.look.symbol,
            "line": {"width": 2.5 if censored else 0, "color": point.look.color},
        },
        "name": point.label,
        "cliponaxis": False,
        "hovertemplate": f"{point.variant}<br>early %{{x}}<br>{point.grokking.text}<extra></extra>",
    }


def _trend(data: Data) -> dict[str, Any] | None:
    x = [point.value for point in data.grokked]
    line = exact.fit_line(x, [float(point.at) for point in data.grokked])
    if line is None:
        return None
    ends = np.array([min(x), max(x)])
    return {
        "type": "scatter",
        "x": ends,
        "y": line.intercept + line.slope * ends,
        "mode": "lines",
        "line": {"color": style.MUTED, "width": 1.5, "dash": "dash"},
        "name": "trend",
        "hovertemplate": f"least squares over {line.n} variants that grokked<extra></extra>",
    }


def _subtitle(data: Data) -> str:
    n = len(data.grokked)
    found = exact.associate([p.value for p in data.grokked], [float(p.at) for p in data.grokked])
    parts = (
        [f"fewer than three variants grokked: no correlation (n = {n})"]
        if math.isnan(found.rho)
        else [
            f"rank correlation {found.rho:+.2f} (n = {n}, {100 * found.level:.0f} % interval "
            f"{found.interval}, p = {found.p_value:.2g}), without no-grok variants"
        ]
    )
    if data.left_out:
        parts.append("not analyzed there: " + ", ".join(data.left_out))
    return " · ".join(parts)


def draw_preview(data: Data) -> bytes:
    """The same points, small."""
    figure, (axis,) = preview.canvas("Early coarseness and grokking")
    line = _trend(data)
    if line is not None:
        axis.plot(line["x"], line["y"], color=style.MUTED, linewidth=0.9, linestyle="--")
    for point, place in zip(data.points, label_places(data.points), strict=True):
        censored = point.grokking.epoch is None
        axis.plot(
            [point.value],
            [point.at],
            "^" if censored else "o",
            color=point.look.color,
            fillstyle="none" if censored else "full",
            markersize=5,
        )
        text = point.label + (" (no grok)" if censored else "")
        preview.annotate(axis, text, x=point.value, y=point.at, place=place)
    axis.margins(x=0.16, y=0.15)
    axis.set_ylim(bottom=0)
    preview.thousands(axis.yaxis)
    preview.label(axis, x=f"coarseness at epoch {data.early_epoch:,}", y="grokking epoch")
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, early_epoch, the statistic, grokking_epoch or else censored_at."""
    import pandas as pd

    return pd.DataFrame(
        {
            "variant": [point.variant for point in data.points],
            "early_epoch": data.early_epoch,
            data.statistic: [point.value for point in data.points],
            "grokking_epoch": pd.array([point.grokking.epoch for point in data.points], dtype="Int64"),
            "censored_at": pd.array([point.grokking.censored_at for point in data.points], dtype="Int64"),
        }
    )


PLOT = Plot(
    name="early_coarseness",
    title="Early coarseness and grokking",
    description="""\
A point a variant: its mean coarseness at the study's early epoch and the epoch at which it
grokked. A variant that did not grok is an open triangle at the last epoch that was looked at: censored, its
grokking epoch, if there is one, lies above. It is in neither the trend line (least squares) nor the
correlation.

The correlation is Spearman's rank correlation with a permutation p-value over all orders and a bootstrap
interval; with as few variants as a study has, the interval is wide and the p-value can't be small.

**How to read it.** Points that fall to the right mean that early coarseness goes with early grokking.
Whether it would in a new variant is another question: variants that share p or seed are not independent.
""",
    code_version="2",
    scope="comparison",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/coarseness", "summaries/grokking"),
    uses=("summaries/comparison",),
    parameters=Parameters,
)
