"""A20: how much of the training gradient reaches blob neurons, against the others, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing.chart import Chart, Choice, Option, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Band, Line, Rule
from tdw.drawing.series import on_schedule
from tdw.drawing.style import COLORS, MUTED
from tdw.families.modulo_addition_1layer.analyzers.learning.gradients import FLOWS
from tdw.families.modulo_addition_1layer.figures import over_training
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    from tdw.families.modulo_addition_1layer.figures.over_training import OverTraining
    from tdw.recipes.reading.reader import Sources

_LABELS = dict(zip(FLOWS, ("‖w_in‖ ‖∂w_in‖", "‖∂w_in‖", "‖∂w_out‖"), strict=True))
_MEANS = {"blob_mean": ("blobs", COLORS[1]), "other_mean": ("others", COLORS[0])}


def load(sources: Sources, parameters: NoParameters) -> OverTraining:
    """The summary of the flow."""
    return over_training.load(sources, "gradient_flow")


def chart(data: OverTraining) -> Chart:
    """Mean flows, their ratio with that of random groups, and the size of the group."""
    means: list[AnyMark] = []
    ratios: list[AnyMark] = []
    for name in FLOWS:
        on = on_schedule(data.rows[data.rows["flow"] == name], data.scheduled)
        at = on["epoch"].to_numpy()
        means += [
            Line(at, on[column].where(on[column] > 0).to_numpy(), name=label, color=color, tag=name,
                 symbol="circle")
            for column, (label, color) in _MEANS.items()
        ]  # fmt: skip
        ratios += [
            Band(at, on["random_low"].to_numpy(), on["random_high"].to_numpy(), name="random groups (95 %)",
                 color=MUTED, opacity=0.35, tag=name, hover=None),
            Line(at, on["ratio"].to_numpy(), name="blobs / others", color=COLORS[2], tag=name,
                 symbol="circle"),
        ]  # fmt: skip
    first = on_schedule(data.rows[data.rows["flow"] == FLOWS[0]], data.scheduled)
    number = Line(first["epoch"].to_numpy(), first["blobs"].to_numpy(np.float64), name="number of blobs",
                  color=MUTED, symbol="circle", legend=False)  # fmt: skip
    test = data.rows.iloc[0]
    return Chart(
        f"Gradient to blob neurons · {data.subject.label}",
        (
            Panel(means, y=Axis("mean flow", log=True, form=".3~g", step=2)),
            Panel(ratios, y=Axis("blobs / others", zero=True, form=".3f"), rules=(Rule(y=1),), row=1),
            Panel([number], y=Axis("blobs", zero=True, form=",d"), row=2, small=False),
        ),
        subtitle=sentences(
            data.subject.text, f"{test['permutations']:,} permutations of neurons, seed {test['seed']}"
        ),
        across=data.subject.rules,
        choices=(Choice(tuple(Option(label, (name,)) for name, label in _LABELS.items())),),
        heights=(40, 40, 20),
    )


PLOT = Plot(
    name="gradient_flow",
    title="Gradient to blob neurons",
    description="""\
The mean flow of the training gradient to blob neurons (coarseness at least 0.7 at that epoch) and to the
others, without dead neurons; their ratio; and how many blobs there are. The band is the middle 95 % of the
ratio when as many neurons are drawn at random from the network: a permutation test that exchanges neurons.
Buttons choose ‖w_in‖ ‖∂w_in‖, which no rescaling of a neuron changes, or the gradients of its column of W_in
and of its row of W_out.

**How to read it.** Outside the band, blobs get more or less than neurons at large. The band is of this
network alone, at one epoch; neurons of one frequency learn together, so it is too narrow rather than too
wide. The p-values are in the table.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=over_training.table,
    needs=("summaries/gradient_flow",),
    uses=("summaries/grokking",),
)
