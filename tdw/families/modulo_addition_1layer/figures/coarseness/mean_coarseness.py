"""P2: mean coarseness against epoch with its spread, and the test loss on a second axis."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Choice, Option, Panel, with_band
from tdw.drawing.marks import AnyMark, Line, Rule, loss, share
from tdw.drawing.style import TEST
from tdw.families.modulo_addition_1layer.figures import crowds, subject
from tdw.families.modulo_addition_1layer.figures.coarseness import first_blob
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

STATISTICS = ("mean_coarseness", "std_coarseness", "p25_coarseness", "p75_coarseness")


@dataclass(frozen=True)
class Course:
    """One variant.

    Attributes:
        coarseness: columns epoch and `STATISTICS`; a row per scheduled epoch, NaN where it is missing.
        losses: columns epoch, test_loss (nats, NaN where not evaluated); empty where there is no history.
    """

    subject: subject.Subject
    coarseness: pd.DataFrame
    losses: pd.DataFrame


@dataclass(frozen=True)
class Data:
    """Variants in the study's order, the labels of those without the summary, and marks of the first blob."""

    courses: tuple[Course, ...]
    left_out: tuple[str, ...] = ()
    onset: tuple[Rule, ...] = ()


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Every variant that has a coarseness summary."""
    return Data(*sources.collect(_load_course), onset=first_blob.rules(sources))


def _load_course(reader: VariantReader) -> Course:
    table = reader.summary("coarseness")[["epoch", *STATISTICS]]
    return Course(
        subject=subject.load(reader, table["epoch"]),
        coarseness=series.on_schedule(table, reader.scheduled),
        losses=reader.optional_history()[["epoch", "test_loss"]],
    )


def chart(data: Data) -> Chart:
    """Lines with one of two bands, and test losses that can be hidden; many variants as groups."""
    subjects = [course.subject for course in data.courses]
    one, many = len(data.courses) == 1, crowds.is_many(subjects)
    first = data.courses[0].subject
    has_losses = any(len(course.losses) for course in data.courses)
    bands = Choice(
        (Option("quartiles", ("quartiles",)), Option("± std", ("std",)), Option("no band")),
        active=0 if one else 2,
    )
    losses = Choice(
        (Option("with test loss", ("loss",)), Option("without")), active=1 if many else 0, left=True
    )
    marks = _groups(data) if many else [mark for course in data.courses for mark in _marks(course, one=one)]
    return Chart(
        f"Mean coarseness · {first.label}" if one else "Mean coarseness by variant",
        (
            Panel(
                marks,
                y=share("mean coarseness (0 to 1)"),
                right=loss("test loss") if has_losses else None,
                rules=(*first.rules, *data.onset) if one else (),
            ),
        ),
        subtitle=subject.subtitle(subjects, data.left_out),
        choices=(*(() if many else (bands,)), *((losses,) if has_losses else ())),
    )


def _groups(data: Data) -> list[AnyMark]:
    """The means of each group, and dotted its test losses."""
    subjects = [course.subject for course in data.courses]
    means = [crowds.known(course.coarseness, "mean_coarseness") for course in data.courses]
    losses = [crowds.known(course.losses, "test_loss") for course in data.courses]
    return [
        *crowds.marks(subjects, means, form=".3f"),
        *crowds.marks(subjects, losses, tag="loss", right=True, legend=False, dash="dot"),
    ]


def _marks(course: Course, *, one: bool) -> Iterator[AnyMark]:
    look, label = course.subject.look, course.subject.label
    x = course.coarseness["epoch"].to_numpy()
    mean, std, low, high = (course.coarseness[name].to_numpy(np.float64) for name in STATISTICS)
    line = Line(
        x, mean,
        name="mean coarseness" if one else course.subject.name,
        color=look.color,
        dash="solid" if one else look.dash,
        symbol=look.symbol,
        size=4 if one else 5,
        group="" if one else label,
    )  # fmt: skip
    for tag, name, bottom, top in (
        ("quartiles", "p25 to p75", low, high),
        ("std", "mean ± std", mean - std, mean + std),
    ):
        band, _ = with_band(line, bottom, top, name=name, opacity=0.22 if one else 0.1)
        yield dataclasses.replace(band, tag=tag, group=line.group, legend=one)
    yield line
    xs, ys = series.curve(
        course.losses["epoch"].to_numpy(np.int64), course.losses["test_loss"].to_numpy(np.float64)
    )
    if len(xs):
        yield Line(
            xs, ys,
            name="test loss (right)" if one else f"{label} test loss",
            color=TEST if one else look.color,
            width=1.3,
            dash="solid" if one else "dot",
            opacity=1 if one else 0.75,
            group=line.group,
            legend=one,
            tag="loss",
            right=True,
            small=one,
        )  # fmt: skip


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, `STATISTICS`, test_loss (nats): a row per epoch, empty where missing."""
    import pandas as pd

    tables = [
        course.coarseness.merge(course.losses, on="epoch", how="left").assign(variant=course.subject.variant)
        for course in data.courses
    ]
    return pd.concat(tables, ignore_index=True)[["variant", "epoch", *STATISTICS, "test_loss"]]


DESCRIPTION = """\
Mean coarseness of all MLP neurons against epoch, with the quartiles (or one standard deviation) as a band,
and the test loss on a second, logarithmic axis.

*Coarseness* of a neuron is the share of its non-constant 2-D Fourier power over (a, b) within the disc of
radius int(p / 8): 1 for a map of large blobs, 0 for a fine plaid or a dead neuron.

**How to read it.** Whether the mean rises before, with or after the drop of the test loss. A wide band
means that the neurons differ. Points are checkpoints; a missing checkpoint leaves a gap, and the line below
the title says which.
"""

PLOT = Plot(
    name="mean_coarseness",
    title="Mean coarseness",
    description=DESCRIPTION + "\n" + first_blob.NOTE,
    code_version="5",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/coarseness",),
    uses=("history", "summaries/grokking", first_blob.USES),
)

COMPARISON = dataclasses.replace(
    PLOT,
    name="mean_coarseness_comparison",
    title="Mean coarseness by variant",
    description=DESCRIPTION
    + """
One color and symbol per variant, the same in every figure; dotted: its test loss, on the right axis.
"""
    + crowds.NOTE,
    code_version="5",
    scope="comparison",
)
