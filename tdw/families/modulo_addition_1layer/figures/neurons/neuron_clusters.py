"""P8: clusters of neurons that share a frequency, over training and at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Line, Points
from tdw.drawing.style import COLORS, MUTED, SYMBOLS
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_MOST_NAMED = 7
_OTHERS, _NONE = "other frequencies", "in no cluster"


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        sizes: columns epoch, "1", "2", ...: neurons in each frequency's cluster; a row per scheduled epoch,
            NaN where it is missing.
        final: columns neuron, final_frequency, final_fraction, final_cluster, last_epoch; None where there
            is no such summary yet.
    """

    subject: subject.Subject
    sizes: pd.DataFrame
    final: pd.DataFrame | None

    @property
    def named(self) -> list[str]:
        """The frequencies with the largest clusters at any epoch, by frequency: those the legend names."""
        largest = self.sizes.drop(columns="epoch").max().sort_values(ascending=False, kind="stable")
        return sorted((str(k) for k in largest[largest > 0].index[:_MOST_NAMED]), key=int)

    @property
    def looks(self) -> dict[str, tuple[str, str, str]]:
        """Cluster -> its name, color and symbol."""
        found = {k: (f"k = {k}", COLORS[i % len(COLORS)], SYMBOLS[i]) for i, k in enumerate(self.named)}
        return {**found, _OTHERS: (_OTHERS, MUTED, SYMBOLS[len(found)]), _NONE: (_NONE, MUTED, "circle")}

    @property
    def others(self) -> pd.Series:
        """Neurons in all other clusters, by row of `sizes`."""
        rest = self.sizes.drop(columns=["epoch", *self.named])
        return rest.sum(axis=1, min_count=1) if rest.shape[1] else rest.sum(axis=1)


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Cluster sizes of the frequency summary, and the neuron summary."""
    reader = sources.only
    table = reader.summary("frequencies")
    h = sum(str(name).startswith("neurons_") for name in table.columns)
    sizes = table[["epoch", *(f"neurons_{k}" for k in range(1, h + 1))]]
    sizes = sizes.rename(columns={f"neurons_{k}": str(k) for k in range(1, h + 1)})
    return Data(
        subject=subject.load(reader, table["epoch"]),
        sizes=series.on_schedule(sizes, reader.scheduled),
        final=reader.optional_summary("neurons"),
    )


def chart(data: Data) -> Chart:
    """Left: sizes of clusters over epochs. Right: every neuron at the end."""
    sizes = Axis("neurons in the cluster", zero=True, form=",d")
    panels = [Panel(list(_sizes(data)), y=sizes, rules=data.subject.rules)]
    right = ""
    if data.final is not None:
        right = f"right: every neuron at epoch {int(data.final['last_epoch'].iloc[0]):,}"
        fraction = Axis("fraction of variance explained", range=(-0.02, 1.02), form=".3f")
        frequency = Axis("frequency k", range=(0, data.sizes.shape[1]))
        neurons = list(_neurons(data, data.final))
        panels.append(Panel(neurons, x=frequency, y=fraction, column=1, small=False))
    return Chart(
        f"Neuron frequency clusters · {data.subject.label}",
        tuple(panels),
        subtitle=sentences(data.subject.text, right),
        widths=(55, 32) if right else (),
        gaps=(0.13, 0.06),
        unified=False,
    )


def _sizes(data: Data) -> Iterator[Line]:
    counts = {k: data.sizes[k].to_numpy(np.float64) for k in data.named}
    others = data.others.to_numpy(np.float64)
    if np.nanmax(others, initial=0) > 0:
        counts[_OTHERS] = others
    for key, values in counts.items():
        name, color, symbol = data.looks[key]
        yield Line(
            data.sizes["epoch"].to_numpy(), values, name=name, color=color, symbol=symbol, group=name,
            hover="epoch {x:,d}<br>{y:,d} neurons",
        )  # fmt: skip


def _neurons(data: Data, final: pd.DataFrame) -> Iterator[Points]:
    alive = final[final["final_frequency"] > 0]
    cluster = alive["final_cluster"].astype(int).astype(str)
    of = cluster.where(cluster.isin(data.named), _OTHERS).mask(cluster == "0", _NONE)
    for key, (name, color, _) in data.looks.items():
        rows = alive[of == key]
        if rows.empty:
            continue
        yield Points(
            rows["final_frequency"].to_numpy(),
            rows["final_fraction"].to_numpy(np.float64),
            detail=rows["neuron"].to_numpy(),
            name=name, color=color, group=name, opacity=0.7, hollow=key == _NONE, legend=key == _NONE,
            hover="neuron {detail}<br>k = {x}<br>fraction {y:.3f}",
        )  # fmt: skip


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, frequency, neurons (in its cluster); empty where the epoch is missing."""
    long = data.sizes.melt("epoch", var_name="frequency", value_name="neurons")
    long = long.assign(variant=data.subject.variant, frequency=long["frequency"].astype(int))
    return long.sort_values(["epoch", "frequency"], ignore_index=True)[
        ["variant", "epoch", "frequency", "neurons"]
    ]


PLOT = Plot(
    name="neuron_clusters",
    title="Neuron frequency clusters",
    description="""\
A neuron belongs to the cluster of frequency k when k explains at least 85 % of the variance of its map over
(a, b): the eight terms of {1, cos k, sin k} × {1, cos k, sin k} without the constant ([Nanda et al.
2023](https://arxiv.org/abs/2301.05217)). Left: how many neurons each cluster has, over epochs; the legend
names the seven largest. Right: every neuron at the last epoch, its best frequency and the fraction
explained.

**How to read it.** When clusters appear, whether they take neurons from each other, and how many neurons
serve no single frequency (open circles). Points are checkpoints; a missing checkpoint leaves a gap.
""",
    code_version="3",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/frequencies",),
    uses=("summaries/neurons", "summaries/grokking"),
)
