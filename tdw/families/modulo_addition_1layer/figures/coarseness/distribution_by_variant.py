"""P1 over variants: how coarseness is distributed among the neurons of each, at one epoch with a slider."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Heat, Line, Moving, Scale
from tdw.drawing.style import DENSITY_SCALE
from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures import crowds, subject
from tdw.recipes.common import panels
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

_MOST_STOPS = 120
_MOST_NAMED = 16
_SHARE = Axis("neurons", "%", form=".1f")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Histograms:
    """One variant: int (n,) epochs, ascending, and float (n, bins) neurons in each equal part of [0, 1]."""

    subject: subject.Subject
    epochs: npt.NDArray[np.int64]
    counts: Floats

    def at(self, epoch: int) -> Floats:
        """Percent of its neurons in each bin, (bins,); NaN where the epoch was not analyzed."""
        (found,) = np.nonzero(self.epochs == epoch)
        if not len(found):
            return _unknown(self.counts.shape[1])
        row = self.counts[found[0]]
        share: Floats = 100 * row / row.sum()
        return share


@dataclass(frozen=True)
class Data:
    """Variants in the study's order, and the labels of those without the summary."""

    variants: tuple[Histograms, ...]
    left_out: tuple[str, ...]

    @cached_property
    def columns(self) -> dict[str, tuple[Histograms, ...]]:
        """What has a column of its own: a variant, or a group of many by its name."""
        subjects = [each.subject for each in self.variants]
        many = crowds.is_many(subjects)
        names = crowds.groups(subjects) if many else [of.name for of in subjects]
        order = crowds.colors(names) if many else dict.fromkeys(names)
        return {
            name: tuple(each for each, of in zip(self.variants, names, strict=True) if of == name)
            for name in order
            if name in names
        }

    @cached_property
    def epochs(self) -> list[int]:
        """Those at which every column has a variant that was analyzed, ascending."""
        found = [
            {epoch for each in members for epoch in each.epochs.tolist()} for members in self.columns.values()
        ]
        return sorted(set[int].intersection(*found))


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The histograms of the coarseness summary of every variant that has one."""
    data = Data(*sources.collect(_load_one))
    if len({each.counts.shape[1] for each in data.variants}) > 1:
        raise NotFound("the variants' histograms have different bins", "summarize them anew: `tdw fill`")
    if not data.epochs:
        raise NotFound("the variants have no analyzed epoch in common", "run `tdw fill`, or choose others")
    return data


def _load_one(reader: VariantReader) -> Histograms:
    table = reader.summary("coarseness")
    bins = [name for name in table.columns if str(name).startswith("hist_")]
    if not bins:
        raise NotFound(f"{reader.variant} has no histogram of coarseness", "run `tdw fill`")
    return Histograms(
        subject.load(reader, table["epoch"]),
        table["epoch"].to_numpy(np.int64),
        table[bins].to_numpy(np.float64),
    )


def chart(data: Data) -> Chart:
    """A heat map with a column per variant or group, and the same as lines; both move with the slider."""
    columns, every = data.columns, data.epochs
    bins = data.variants[0].counts.shape[1]
    stops = min(_MOST_STOPS, panels.affordable(len(columns), 24 * bins))
    epochs = series.spread(every, stops)
    centers: Floats = (np.arange(bins, dtype=np.float64) + 0.5) / bins
    shares = np.stack([_means(columns.values(), epoch) for epoch in epochs])  # (epochs, bins, columns)
    highest = float(np.nanmax(shares))
    scale = Scale("neurons", highest, unit=" %", colors=DENSITY_SCALE, log=True, form=".1f")
    hover = "coarseness {y:.3f}<br>{z:.1f} % of the neurons"
    heat = Moving([Heat(np.arange(len(columns)), centers, each, scale, hover=hover) for each in shares])
    lines = list(zip(*(_lines(data, epoch, centers) for epoch in epochs), strict=True))
    # A band reaches to single variants of a group.
    top = max(float(np.nanmax([each.at(epoch) for epoch in epochs], initial=1)) for each in data.variants)
    coarseness = Axis("coarseness (0 to 1)", range=(0, 1), form=".3f", ticks=".1f", step=0.1)
    many = any(len(members) > 1 for members in columns.values())
    names = tuple(columns) if len(columns) <= _MOST_NAMED else ()
    across = Axis("variant or group" if many else "variant", names=names, range=(-0.5, len(columns) - 0.5))
    return Chart(
        "Coarseness distribution by variant",
        (
            Panel([heat], x=across, y=coarseness),
            Panel(
                [Moving(each) for each in lines],
                x=coarseness,
                y=Axis(_SHARE.title, _SHARE.unit, range=(0, top * 1.04), form=_SHARE.form),
                column=1,
            ),
        ),
        subtitle=sentences(
            panels.shown(tuple(epochs), len(every)), subject.not_analyzed(data.left_out), _partial(data)
        ),
        epochs=tuple(epochs),
        widths=(45, 45),
        gaps=(0.1, 0.06),
        unified=False,
    )


def _means(columns: Iterable[Sequence[Histograms]], epoch: int) -> Floats:
    """float (bins, columns): of each column the mean share over its variants that were analyzed there."""
    return np.stack([_mean(members, epoch) for members in columns], axis=1)


def _mean(members: Sequence[Histograms], epoch: int) -> Floats:
    there = [each.at(epoch) for each in members if epoch in each.epochs]
    if not there:
        return _unknown(members[0].counts.shape[1])
    mean: Floats = np.mean(np.stack(there), axis=0)
    return mean


def _unknown(bins: int) -> Floats:
    return np.full(bins, np.nan, np.float64)


def _lines(data: Data, epoch: int, centers: Floats) -> list[AnyMark]:
    subjects = [each.subject for each in data.variants]
    if crowds.is_many(subjects):
        return crowds.marks(subjects, [(centers, each.at(epoch)) for each in data.variants], form=".1f")
    return [
        Line(
            centers, each.at(epoch),
            name=each.subject.name, color=each.subject.look.color, dash=each.subject.look.dash,
            symbol=each.subject.look.symbol, size=5, hover="coarseness {x:.3f}<br>{y:.1f} % of the neurons",
        )
        for each in data.variants
    ]  # fmt: skip


def _partial(data: Data) -> str:
    """That some epochs are left out, since not every column has them."""
    union = {epoch for each in data.variants for epoch in each.epochs.tolist()}
    left = len(union) - len(data.epochs)
    return f"{left} epochs that not all have are left out" if left else ""


def table(data: Data) -> pd.DataFrame:
    """Columns variant, group ("" for none), epoch, bin_low, bin_high, neurons."""
    import pandas as pd

    found: list[pd.DataFrame] = []
    for each in data.variants:
        epochs, bins = each.counts.shape
        low: Floats = np.tile(np.arange(bins, dtype=np.float64) / bins, epochs)
        found.append(
            pd.DataFrame(
                {
                    "variant": each.subject.variant,
                    "group": each.subject.group,
                    "epoch": np.repeat(each.epochs, bins),
                    "bin_low": low,
                    "bin_high": low + 1 / bins,
                    "neurons": each.counts.ravel(),
                }
            )
        )
    return pd.concat(found, ignore_index=True)


PLOT = Plot(
    name="coarseness_distribution_comparison",
    title="Coarseness distribution by variant",
    description="""\
How the coarseness of all MLP neurons is distributed in each variant, at the epoch of the slider. Left: a
column per variant, in each twentieth of [0, 1] the share of its neurons in percent, the color on a
logarithmic scale so that few neurons beside many can be seen. Right: the same shares as lines. Shares, not
numbers, so that variants of other widths can be compared.

Coarseness is the share of a neuron's non-constant 2-D Fourier power over (a, b) within the disc of radius
int(p / 8): 1 for a map of large blobs, 0 for a fine plaid or a dead neuron. The radius is a whole number of
frequencies, so the same shape counts a little differently with another p.

**How to read it.** Move the slider: columns that part at some epoch are variants whose neurons take different
ways from there on. Two clouds in one column are blobs (0.7 and above) beside plaids (below 0.5). The slider
stops where every column was analyzed.
"""
    + crowds.NOTE
    + "The column of a group is the mean of its variants' shares.\n",
    code_version="1",
    scope="comparison",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/coarseness",),
    uses=("summaries/grokking",),
)
