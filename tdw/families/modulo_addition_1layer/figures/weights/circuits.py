"""A14: ranks and copying scores of the heads' circuits over training."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, share
from tdw.families.modulo_addition_1layer.figures import over_training
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    from tdw.families.modulo_addition_1layer.figures.over_training import OverTraining
    from tdw.recipes.reading.reader import Sources

COLUMNS = ("qk_effective_rank", "ov_effective_rank", "ov_copying")


def load(sources: Sources, parameters: NoParameters) -> OverTraining:
    """The summary of the circuits."""
    return over_training.load(sources, "circuits", ("epoch", "head", *COLUMNS))


def chart(data: OverTraining) -> Chart:
    """A line per head, in three panels."""
    names = {head: f"head {head}" for head in sorted(data.rows["head"].unique())}
    of = partial(series.lines_by, data.rows, "head", scheduled=data.scheduled, names=names)
    rank = Axis("effective rank", zero=True, form=".2f", most=5)
    return Chart(
        f"Circuits of the heads · {data.subject.label}",
        (
            Panel(of("qk_effective_rank"), y=rank, title="QK circuit"),
            Panel(of("ov_effective_rank", legend=False), y=rank, title="OV circuit", row=1),
            Panel(
                of("ov_copying", legend=False),
                y=share("copying score (0–1)"),
                title="OV copying",
                row=2,
                small=False,
            ),
        ),
        subtitle=data.subject.text,
        across=data.subject.rules,
    )


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
    table=over_training.table,
    needs=("summaries/circuits",),
    uses=("summaries/grokking",),
)
