"""A15: how many directions each weight matrix uses, over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Line
from tdw.drawing.style import COLORS, DASHES
from tdw.families.modulo_addition_1layer.analyzers.weight_spectra import PER_HEAD
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.families.modulo_addition_1layer.summaries.weights.effective_dimensions import MATRICES
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_EMBEDDINGS = ("W_E", "W_pos", "W_U")


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        dimensions: columns epoch and `MATRICES`; a row per scheduled epoch, NaN where it is missing.
        crossover: the epoch at which W_out falls below W_in, or None.
    """

    subject: subject.Subject
    dimensions: pd.DataFrame
    crossover: int | None


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of the effective dimensions."""
    import pandas as pd

    reader = sources.only
    found = reader.summary("effective_dimensions")
    crossover = found["crossover_epoch"].iloc[0]
    return Data(
        subject.load(reader, found["epoch"]),
        series.on_schedule(found[["epoch", *MATRICES]], reader.scheduled),
        None if pd.isna(crossover) else int(crossover),
    )


def chart(data: Data) -> Chart:
    """The MLP's matrices, the embeddings, and the heads' matrices above each other."""
    epochs = data.dimensions["epoch"].to_numpy()

    def lines(names: tuple[str, ...]) -> list[Line]:
        return [
            Line(
                epochs,
                data.dimensions[name].to_numpy(np.float64),
                name=f"{name} (mean of heads)" if name in PER_HEAD else name,
                color=COLORS[MATRICES.index(name) % len(COLORS)],
                dash=DASHES[i % len(DASHES)],
                symbol="circle",
            )
            for i, name in enumerate(names)
        ]

    ratio = Axis("participation ratio", zero=True, form=".1f", most=5)
    crossing = data.crossover
    return Chart(
        f"Effective dimensions of the weights · {data.subject.label}",
        (
            Panel(lines(("W_in", "W_out")), y=ratio, title="MLP"),
            Panel(lines(_EMBEDDINGS), y=ratio, title="embeddings", row=1, small=False),
            Panel(lines(PER_HEAD), y=ratio, title="attention", row=2, small=False),
        ),
        subtitle=sentences(
            data.subject.grokking.text,
            "W_out never falls below W_in" if crossing is None else f"W_out falls below W_in at {crossing:,}",
            data.subject.missing,
        ),
        across=data.subject.rules,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch and `MATRICES`; empty where the epoch is missing."""
    return data.dimensions.assign(variant=data.subject.variant)[["variant", "epoch", *MATRICES]]


PLOT = Plot(
    name="effective_dimensions",
    title="Effective dimensions of the weights",
    description="""\
The participation ratio (Σ s)² / Σ s² of the singular values of each weight matrix: r for r equal ones, 1
for rank one, unchanged when the matrix is scaled. W_E counts all p + 1 tokens.

**How to read it.** Random matrices start near their full rank. Where few frequencies carry the solution,
few directions are left: two per frequency.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/effective_dimensions",),
    uses=("summaries/grokking",),
)
