"""A14: ranks and copying scores of the heads' circuits over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Line, share
from tdw.drawing.style import COLORS
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources

COLUMNS = ("qk_effective_rank", "ov_effective_rank", "ov_copying")


@dataclass(frozen=True)
class Data:
    """One variant; columns epoch, head and `COLUMNS`."""

    subject: subject.Subject
    heads: pd.DataFrame
    scheduled: tuple[int, ...]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of the circuits."""
    reader = sources.only
    table = reader.summary("circuits")
    return Data(
        subject.load(reader, table["epoch"].unique()), table[["epoch", "head", *COLUMNS]], reader.scheduled
    )


def chart(data: Data) -> Chart:
    """A line per head, in three panels."""

    def lines(column: str, *, legend: bool = False) -> list[Line]:
        marks: list[Line] = []
        for head, rows in data.heads.groupby("head"):
            on = series.on_schedule(rows[["epoch", column]], data.scheduled)
            marks.append(
                Line(
                    on["epoch"].to_numpy(),
                    on[column].to_numpy(np.float64),
                    name=f"head {head}",
                    color=COLORS[int(str(head)) % len(COLORS)],
                    group=f"head {head}",
                    legend=legend,
                    symbol="circle",
                )
            )
        return marks

    rank = Axis("effective rank", zero=True, form=".2f", most=5)
    return Chart(
        f"Circuits of the heads · {data.subject.label}",
        (
            Panel(lines("qk_effective_rank", legend=True), y=rank, title="QK circuit"),
            Panel(lines("ov_effective_rank"), y=rank, title="OV circuit", row=1),
            Panel(
                lines("ov_copying"), y=share("copying score (0–1)"), title="OV copying", row=2, small=False
            ),
        ),
        subtitle=data.subject.text,
        across=data.subject.rules,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, head and `COLUMNS`."""
    return data.heads.assign(variant=data.subject.variant)[["variant", "epoch", "head", *COLUMNS]]


PLOT = Plot(
    name="circuits",
    title="Circuits of the heads",
    description="""\
Effective rank (Σ s)² / Σ s² of each head's QK and OV circuit over residues, and the copying score
Σ max(Re λ, 0) / Σ |λ| of OV ([Elhage et al.
2021](https://transformer-circuits.pub/2021/framework/index.html)): 1 for a head that raises the logit of
the residue it reads, near 0.5 for one that transforms it.

**How to read it.** The only query is that of "=", so QK falls toward rank one in any run of this
architecture; two directions per frequency are what OV needs.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/circuits",),
    uses=("summaries/grokking",),
)
