"""A17: how many neurons are committed to each frequency, over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Line
from tdw.drawing.style import COLORS, DASHES, MUTED
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_MOST = 8  # frequencies with a line of their own; the others are summed


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        counts: committed neurons, a column per frequency and "epoch"; NaN where the epoch is missing.
        switching, num_neurons: neurons that switched, and all.
        transient: frequencies that came and went; homeless: neurons that they left without one.
    """

    subject: subject.Subject
    counts: pd.DataFrame
    switching: int
    num_neurons: int
    transient: tuple[int, ...]
    homeless: int


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of commitment."""
    reader = sources.only
    found: Any = reader.summary("commitment")
    counts: pd.DataFrame = found.pivot(
        index="epoch", columns="frequency", values="committed_neurons"
    ).reset_index()
    first = found[found["epoch"] == found["epoch"].min()]
    gone = first[first["transient"]]
    return Data(
        subject=subject.load(reader, counts["epoch"]),
        counts=series.on_schedule(counts, reader.scheduled),
        switching=int(first["switching_neurons"].iloc[0]),
        num_neurons=int(first["num_neurons"].iloc[0]),
        transient=tuple(int(k) for k in gone["frequency"]),
        homeless=int(gone["homeless_neurons"].sum()),
    )


def chart(data: Data) -> Chart:
    """A line for each of the strongest frequencies, and their sum."""
    epochs = data.counts["epoch"].to_numpy()
    counts: Any = data.counts.drop(columns="epoch")
    order = counts.max().sort_values(ascending=False, kind="stable").index
    own = sorted(int(str(k)) for k in order[:_MOST] if counts[k].max() > 0)
    lines = [
        Line(
            epochs,
            counts[k].to_numpy(np.float64),
            name=f"k = {k}" + (" (transient)" if k in data.transient else ""),
            color=COLORS[i % len(COLORS)],
            dash=DASHES[i % len(DASHES)],
            symbol="circle",
        )
        for i, k in enumerate(own)
    ]
    total = counts.to_numpy(np.float64).sum(axis=1)
    lines.append(Line(epochs, total, name="all frequencies", color=MUTED, width=2.5))
    transient = ", ".join(map(str, data.transient)) or "none"
    return Chart(
        f"Neurons committed to a frequency · {data.subject.label}",
        (Panel(lines, y=Axis("committed neurons", zero=True, form=",d")),),
        subtitle=sentences(
            data.subject.grokking.text,
            f"{data.switching} of {data.num_neurons} neurons switched",
            f"transient frequencies: {transient}",
            f"homeless neurons: {data.homeless}",
            data.subject.missing,
        ),
        across=data.subject.rules,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, frequency, committed_neurons; empty where the epoch is missing."""
    long = data.counts.melt("epoch", var_name="frequency", value_name="committed_neurons")
    return long.assign(variant=data.subject.variant)[["variant", "epoch", "frequency", "committed_neurons"]]


PLOT = Plot(
    name="commitment",
    title="Neurons committed to a frequency",
    description="""\
A neuron is committed at a checkpoint where one frequency explains at least 0.70 of its variance. It
switches when that frequency differs between successive committed checkpoints. The eight strongest
frequencies have lines of their own.

**How to read it.** A frequency whose line rises and falls again is transient: at least 5 % of the neurons
were committed to it at its peak and less than a tenth of them are at the end; neurons that it left without
a frequency are homeless. What happens between checkpoints is not seen.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/commitment",),
    uses=("summaries/grokking",),
)
