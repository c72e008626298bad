"""P4: early coarseness against the grokking epoch, a point per variant."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Line, Points
from tdw.drawing.style import MUTED
from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures import crowds, subject
from tdw.markdown import shortened
from tdw.parameters import is_count, is_text, require
from tdw.recipes.figure import Plot
from tdw.statistics import exact

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

_DEFAULT_EARLY = 1000


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
        require(is_text(self.statistic), "statistic", self.statistic, wanted="the name of a column")


@dataclass(frozen=True)
class Point:
    """One variant: `value` is its early coarseness, `subject` says when it grokked or that it did not."""

    subject: subject.Subject
    value: float

    @property
    def at(self) -> int:
        """The grokking epoch, or where it is censored."""
        grokking = self.subject.grokking
        found = grokking.epoch if grokking.epoch is not None else grokking.censored_at
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
        return tuple(point for point in self.points if not point.subject.no_grok)


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
    found = subject.load(reader, ())
    if row.empty:
        raise NotFound(
            f"{reader.variant} has no coarseness at epoch {early_epoch}",
            f"run `tdw fill --variant {reader.variant} --epochs {early_epoch}`",
        )
    if found.grokking.epoch is None and found.grokking.censored_at is None:
        raise NotFound(f"{reader.variant} has no grokking summary", "materialize it, or run `tdw fill`")
    return Point(found, float(row[statistic].iloc[0]))


def chart(data: Data) -> Chart:
    """The points, and the trend of those that grokked."""
    name = data.statistic.replace("_", " ")
    values = [point.value for point in data.points]
    margin = 0.16 * (max(values) - min(values)) or 0.05  # room for labels at both ends
    early = f"{name} at epoch {data.early_epoch:,}" + (" (0 to 1)" if "coarseness" in name else "")
    return Chart(
        "Early coarseness and grokking",
        (
            Panel(
                list(_marks(data)),
                x=Axis(early, range=(min(values) - margin, max(values) + margin), form=".4f"),
                y=Axis("grokking epoch", "optimizer steps", zero=True, form=",d", ticks=",d"),
            ),
        ),
        subtitle=_subtitle(data),
        unified=False,
    )


def _marks(data: Data) -> Iterator[AnyMark]:
    x = [point.value for point in data.grokked]
    line = exact.fit_line(x, [float(point.at) for point in data.grokked])
    if line is not None:
        ends = np.array([min(x), max(x)])
        hover = f"least squares over {line.n} variants that grokked"
        trend = line.intercept + line.slope * ends
        yield Line(ends, trend, name="trend", color=MUTED, width=1.5, dash="dash", legend=False, hover=hover)
    subjects = [point.subject for point in data.points]
    many, groups = crowds.is_many(subjects), crowds.groups(subjects)
    colors = crowds.colors(groups)
    chosen = crowds.is_grouped(subjects)
    named: set[str] = set()
    for point, group in zip(data.points, groups, strict=True):
        of = point.subject
        first = chosen and group not in named
        named.add(group)
        text = of.label + (f" · no grok by {point.at:,}" if of.no_grok else "")
        yield Points(
            np.array([point.value]),
            np.array([point.at]),
            name=group if chosen else of.label,
            group=group if chosen else "",
            color=colors[group] if many else of.look.color,
            # Open and upward: the true value lies above, if there is one.
            symbol="triangle-up" if of.no_grok else "circle" if many else of.look.symbol,
            hollow=of.no_grok,
            size=8 if many else 13,
            texts=() if many else (text,),
            legend=first,
            hover=f"{of.variant}<br>early {{x}}<br>{of.grokking.text}",
        )


def _subtitle(data: Data) -> str:
    n = len(data.grokked)
    found = exact.associate([p.value for p in data.grokked], [float(p.at) for p in data.grokked])
    told = (
        f"fewer than three variants grokked: no correlation (n = {n})"
        if math.isnan(found.rho)
        else f"rank correlation {found.rho:+.2f} (n = {n}, {100 * found.level:.0f} % interval "
        f"{found.interval}, p = {found.p_value:.2g}), without no-grok variants"
    )
    return sentences(
        told, "not analyzed there: " + shortened(", ".join(data.left_out)) if data.left_out else ""
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, early_epoch, the statistic, grokking_epoch or else censored_at."""
    import pandas as pd

    grokking = [point.subject.grokking for point in data.points]
    return pd.DataFrame(
        {
            "variant": [point.subject.variant for point in data.points],
            "early_epoch": data.early_epoch,
            data.statistic: [point.value for point in data.points],
            "grokking_epoch": pd.array([found.epoch for found in grokking], dtype="Int64"),
            "censored_at": pd.array([found.censored_at for found in grokking], dtype="Int64"),
        }
    )


PLOT = Plot(
    name="early_coarseness",
    title="Early coarseness and grokking",
    description="""\
A point per variant: its mean coarseness at the study's early epoch and the epoch at which it
grokked. A variant that did not grok is an open triangle at the last epoch that was looked at: censored, its
grokking epoch, if there is one, lies above. It is in neither the trend line (least squares) nor the
correlation.

The correlation is Spearman's rank correlation with a permutation p-value over all orders and a bootstrap
interval; with as few variants as a study has, the interval is wide and the p-value can't be small.

**How to read it.** Points that fall to the right mean that early coarseness goes with early grokking.
Whether it would in a new variant is another question: variants that share p or seed are not independent. Of
many variants, and of variants with replicates, points have no names beside them; the pointer shows them.
""",
    code_version="4",
    scope="comparison",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/coarseness", "summaries/grokking"),
    uses=("summaries/comparison",),
    parameters=Parameters,
)
