"""P5: how many neurons are blobs, by threshold and epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Choice, Option, Panel
from tdw.drawing.marks import AnyMark, Axis, Line, Rule
from tdw.drawing.style import MUTED, SYMBOLS
from tdw.families.modulo_addition_1layer.figures import crowds, subject
from tdw.families.modulo_addition_1layer.figures.coarseness import blob_control, first_blob
from tdw.parameters import is_number, is_text, require
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

_PREFIX = "num_blob_neurons_"
_DEFAULT = "0.7"
_CONTROL = "control"
# From Viridis, where it can be seen on white and on black.
_THRESHOLD_COLORS = ("#7C5BA6", "#31789B", "#27A07F", "#A3A800")


@dataclass(frozen=True)
class Parameters:
    """What to compare with.

    Attributes:
        reference: number of neurons at which a dashed line is drawn, such as a minimum to be tested; or None.
        reference_label: what it is.
    """

    reference: float | None = None
    reference_label: str = "reference"

    def __post_init__(self) -> None:
        require(
            self.reference is None or (is_number(self.reference) and self.reference >= 0),
            "reference",
            self.reference,
            wanted="a number of neurons, or null for no line",
        )
        label = self.reference_label
        require(is_text(label), "reference_label", label, wanted="a text")


@dataclass(frozen=True)
class Course:
    """One variant.

    Attributes:
        counts: columns epoch, then a threshold each ("0.5", ...): neurons at or above; a row per scheduled
            epoch, NaN where it is missing.
        neurons: how many there are.
        control: what renamed residues would give; None where there is no such summary.
    """

    subject: subject.Subject
    counts: pd.DataFrame
    neurons: int
    control: blob_control.Control | None


@dataclass(frozen=True)
class Data:
    """Variants in the study's order, the labels of those without the summary, and marks of the first blob."""

    courses: tuple[Course, ...]
    left_out: tuple[str, ...]
    parameters: Parameters
    onset: tuple[Rule, ...] = ()

    @cached_property
    def thresholds(self) -> list[str]:
        """Ascending, as in the columns' names."""
        shared = set[str].intersection(*({str(c) for c in course.counts.columns} for course in self.courses))
        return sorted(shared - {"epoch"}, key=float)

    @property
    def controls(self) -> tuple[pd.Series, ...]:
        """Mean numbers of neurons over the labellings, of the variants that have a control."""
        return tuple(c.control.counts["neurons"] for c in self.courses if c.control is not None)


def load(sources: Sources, parameters: Parameters) -> Data:
    """Every variant that has a coarseness summary."""
    return Data(*sources.collect(_load_course), parameters=parameters, onset=first_blob.rules(sources))


def _load_course(reader: VariantReader) -> Course:
    table = reader.summary("coarseness")
    names = {str(c): str(c).removeprefix(_PREFIX) for c in table.columns if str(c).startswith(_PREFIX)}
    counts = table[["epoch", *names]].rename(columns=names)
    return Course(
        subject=subject.load(reader, table["epoch"]),
        counts=series.on_schedule(counts, reader.scheduled),
        neurons=int(table["num_neurons"].iloc[-1]),
        control=blob_control.load(reader, counts, preferred=_DEFAULT),
    )


def chart(data: Data) -> Chart:
    """Counts at every threshold of one variant, or at one threshold of several; the buttons choose."""
    one = len(data.courses) == 1
    first, thresholds = data.courses[0], data.thresholds
    options = [Option(f"≥ {threshold}", (threshold,)) for threshold in thresholds]
    default = thresholds.index(_DEFAULT) if _DEFAULT in thresholds else len(thresholds) - 1
    choices = [
        Choice((Option("all", tuple(thresholds)), *options))
        if one
        else Choice(tuple(options), active=default)
    ]
    if data.controls:
        shown = Option("with control", (_CONTROL,), ranges={0: _range(data, control=True)})
        hidden = Option("without", ranges={0: _range(data, control=False)})
        choices.append(Choice((shown, hidden), active=0 if one else 1, left=True))
    reference = data.parameters.reference
    subjects = [course.subject for course in data.courses]
    marks = (
        _groups(data)
        if crowds.is_many(subjects)
        else [mark for course in data.courses for mark in _marks(course, thresholds, one=one)]
    )
    panel = Panel(
        marks,
        y=Axis(f"neurons (of {first.neurons})", range=_range(data, control=one), form=",d"),
        rules=(
            *((*first.subject.rules, *data.onset) if one else ()),
            *(() if reference is None else (Rule(y=reference, text=data.parameters.reference_label),)),
        ),
    )
    return Chart(
        f"Blob neurons · {first.subject.label}" if one else "Blob neurons by variant",
        (panel,),
        subtitle=subject.subtitle(subjects, data.left_out),
        choices=tuple(choices),
    )


def _range(data: Data, *, control: bool) -> tuple[float, float]:
    counts = [course.counts[data.thresholds].to_numpy(np.float64) for course in data.courses]
    if control:
        counts += [mean.to_numpy(np.float64) for mean in data.controls]
    top = max(float(np.nanmax(each, initial=1)) for each in counts)
    return 0, 1.04 * max(top, data.parameters.reference or 0)


def _groups(data: Data) -> list[AnyMark]:
    """The counts of each group at every threshold, and dotted the means of its controls."""
    subjects = [course.subject for course in data.courses]
    found: list[AnyMark] = []
    for threshold in data.thresholds:
        counts = [crowds.known(course.counts, threshold) for course in data.courses]
        found += crowds.marks(subjects, counts, tag=threshold, form=",d")
    controls = [(course.subject, course.control.counts) for course in data.courses if course.control]
    means = [crowds.known(counts, "neurons") for _, counts in controls]
    found += crowds.marks(
        [of for of, _ in controls], means, tag=_CONTROL, dash="dot", legend=False, form=",.1f"
    )
    return found


def _marks(course: Course, thresholds: list[str], *, one: bool) -> Iterator[Line]:
    look = course.subject.look
    for i, threshold in enumerate(thresholds):
        yield Line(
            course.counts["epoch"].to_numpy(),
            course.counts[threshold].to_numpy(np.float64),
            name=f"coarseness ≥ {threshold}" if one else course.subject.name,
            color=_THRESHOLD_COLORS[i % len(_THRESHOLD_COLORS)] if one else look.color,
            dash="solid" if one else look.dash,
            symbol=SYMBOLS[i] if one else look.symbol,
            size=4 if one else 5,
            tag=threshold,
            hover="{y:,d} neurons",
        )
    if course.control is not None:
        yield Line(
            course.control.counts["epoch"].to_numpy(),
            course.control.counts["neurons"].to_numpy(np.float64),
            name=course.control.name if one else f"{course.subject.label} {course.control.name}",
            color=MUTED if one else look.color,
            dash="dot",
            width=1.5,
            opacity=1 if one else 0.75,
            tag=_CONTROL,
            hover="{y:,.1f} neurons",
        )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, threshold, neurons (at or above); empty where the epoch is missing. And
    relabelled_neurons, at the control's threshold: the mean over the labellings.
    """
    import pandas as pd

    tables = [_long(course, data.thresholds) for course in data.courses]
    return pd.concat(tables, ignore_index=True)[
        ["variant", "epoch", "threshold", "neurons", "relabelled_neurons"]
    ]


def _long(course: Course, thresholds: list[str]) -> pd.DataFrame:
    found = course.counts.melt("epoch", thresholds, var_name="threshold", value_name="neurons")
    found = found.assign(variant=course.subject.variant, relabelled_neurons=np.nan)
    if course.control is not None:
        means = found["epoch"].map(course.control.counts.set_index("epoch")["neurons"])
        found["relabelled_neurons"] = means.where(found["threshold"] == course.control.threshold)
    return found


DESCRIPTION = """\
Number of MLP neurons whose coarseness is at or above a threshold, against epoch. The buttons choose the
threshold; 0.7 is what *blob* means elsewhere. Dotted: the relabelling control, the mean number of blobs
over all labellings x → c x of the residues. The task does not see how residues are named, so a count near
the dotted line is what any names would give. A dashed line is drawn where the plot's parameter `reference`
names a number of neurons.

**How to read it.** Whether blobs form before the test loss falls, whether their number settles, and how
much of what one sees depends on the threshold. Points are checkpoints; a missing checkpoint leaves a gap.
"""

PLOT = Plot(
    name="blob_count",
    title="Blob neurons",
    description=DESCRIPTION + "\n" + first_blob.NOTE,
    code_version="5",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/coarseness",),
    uses=("summaries/grokking", blob_control.USES, first_blob.USES),
    parameters=Parameters,
)

COMPARISON = dataclasses.replace(
    PLOT,
    name="blob_count_comparison",
    title="Blob neurons by variant",
    description=DESCRIPTION + "\nOne color and symbol per variant, the same in every figure.\n" + crowds.NOTE,
    code_version="4",
    scope="comparison",
)
