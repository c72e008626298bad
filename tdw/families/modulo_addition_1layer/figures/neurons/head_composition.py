"""How the heads combine in blob and in plaid neurons, over training."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, share
from tdw.drawing.style import COLORS
from tdw.families.modulo_addition_1layer.analyzers.neurons.head_composition import NAME
from tdw.families.modulo_addition_1layer.figures import over_training
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    from tdw.drawing.marks import Line
    from tdw.families.modulo_addition_1layer.figures.over_training import OverTraining
    from tdw.recipes.reading.reader import Sources

COLUMNS = (
    "neurons", "share", "composition", "frequency", "frequency_share", "heads_per_neuron", "gain",
)  # fmt: skip
_NAMES = {"blob": "blobs", "plaid": "plaid"}


def load(sources: Sources, parameters: NoParameters) -> OverTraining:
    """The summary of the head composition."""
    return over_training.load(sources, NAME, ("epoch", "group", "head", *COLUMNS))


def chart(data: OverTraining) -> Chart:
    """Left: what each group reads from each head. Right: how many heads a neuron reads, and their gain."""
    names = {head: f"head {head}" for head in sorted(data.rows["head"].unique())}

    def heads(group: str, *, legend: bool) -> list[Line]:
        return series.lines_by(
            data.rows[data.rows["group"] == group],
            "head",
            "share",
            scheduled=data.scheduled,
            names=names,
            legend=legend,
        )

    of = partial(_of_groups, data)
    count = len(names)
    return Chart(
        f"Heads in blob and plaid neurons · {data.subject.label}",
        (
            Panel(
                heads("blob", legend=True),
                y=share("share of a head"),
                title="read by blob neurons",
                rules=data.subject.rules,
            ),
            Panel(
                heads("plaid", legend=False),
                y=share("share of a head"),
                title="read by plaid neurons",
                rules=data.subject.rules,
                row=1,
            ),
            Panel(
                of("heads_per_neuron", legend=True),
                y=Axis("heads per neuron", range=(0, count * 1.03), form=".2f"),
                rules=data.subject.rules,
                column=1,
                small=False,
            ),
            Panel(
                of("gain", legend=False),
                y=Axis("gain", range=(0, count * 1.03), form=".2f"),
                rules=data.subject.rules,
                row=1,
                column=1,
                small=False,
            ),
        ),
        subtitle=data.subject.text,
        gaps=(0.1, 0.1),
    )


def _of_groups(data: OverTraining, column: str, *, legend: bool) -> list[Line]:
    """A line per group of neurons."""
    first = data.rows[data.rows["head"] == 0]
    lines = series.lines_by(first, "group", column, scheduled=data.scheduled, names=_NAMES, legend=legend)
    return [replace(line, color=color) for line, color in zip(lines, COLORS[4:], strict=False)]


PLOT = Plot(
    name="head_composition",
    title="Heads in blob and plaid neurons",
    description="""\
What neurons read from each head, by group: blobs (coarseness ≥ 0.7) and plaid neurons (< 0.5). Through head
h, a residue at full attention adds T_h[:, n] to neuron n, T_h = C W_V W_O W_in with C the embedding of the
residues less its mean. Left: the head's share of Σ_h ‖T_h[:, n]‖², mean over the neurons of the group. Right:
how many heads a neuron reads, 1 / Σ share², and the gain ‖Σ_h T_h‖² / Σ_h ‖T_h‖²: the number of heads where
all say the same, 1 where they are unrelated, 0 where they cancel.

**How to read it.** Lines that part on one side and not on the other mean that heads serve one group more
than the other. A group without neurons has no lines. Which neurons are blobs depends on how residues are
labeled, so a head that serves blobs is one that serves their frequencies.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=over_training.table,
    needs=(f"summaries/{NAME}",),
    uses=("summaries/grokking",),
)
