"""P9: losses on a logarithmic axis, accuracy, checkpoints as a rug, the grokking epoch, mean coarseness."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Choice, Option, sentences
from tdw.drawing.marks import Axis, Line, share
from tdw.drawing.style import ACCENT
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.common import training_curves
from tdw.recipes.figure import NoParameters

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_AXES = {
    "loss": Axis("loss", "nats"),
    "test_accuracy": Axis("test accuracy", range=(-0.02, 1.02), ticks=".0%", form=".2%"),
}


@dataclass(frozen=True)
class Data:
    """One variant's training.

    Attributes:
        curves: history and checkpoints.
        coarseness: columns epoch, mean_coarseness, a row per scheduled epoch; None where there is no summary.
    """

    subject: subject.Subject
    curves: training_curves.Data
    coarseness: pd.DataFrame | None


def load(sources: Sources, parameters: NoParameters) -> Data:
    """History, checkpoints, grokking epoch and, where there is one, the coarseness summary."""
    reader = sources.only
    curves = training_curves.load(sources, parameters)
    table = reader.optional_summary("coarseness")
    return Data(
        subject=subject.load(reader, reader.checkpoints),
        curves=curves,
        coarseness=None
        if table is None
        else series.on_schedule(table[["epoch", "mean_coarseness"]], reader.scheduled),
    )


def chart(data: Data) -> Chart:
    """The curves of any family, with the grokking epoch and, beside the losses, mean coarseness."""
    found = training_curves.chart(data.curves, axes=_AXES)
    found = dataclasses.replace(
        found, subtitle=sentences(data.subject.grokking.text, found.subtitle), across=data.subject.rules
    )
    if data.coarseness is None:
        return found
    line = Line(
        data.coarseness["epoch"].to_numpy(),
        data.coarseness["mean_coarseness"].to_numpy(np.float64),
        name="mean coarseness (right)",
        color=ACCENT,
        width=1.6,
        dash="dot",
        symbol="circle",
        size=3,
        tag="coarseness",
        right=True,
        small=False,
    )
    losses, *others = found.panels
    losses = dataclasses.replace(losses, marks=[*losses.marks, line], right=share("mean coarseness (0 to 1)"))
    switch = Choice((Option("with coarseness", ("coarseness",)), Option("without")))
    return dataclasses.replace(found, panels=(losses, *others), choices=(switch,))


def table(data: Data) -> pd.DataFrame:
    """As of any family."""
    return training_curves.table(data.curves)


PLOT = dataclasses.replace(
    training_curves.PLOT,
    description="""\
Train and test loss (cross-entropy in nats, logarithmic), test accuracy, and every checkpoint as a tick of
the rug between them; mean coarseness on a second axis.

Values at epoch *e* are of the weights after exactly *e* optimizer steps. The train loss is known at every
epoch, the test loss where it was evaluated. Long curves show, of each stretch, the lowest and the highest
value, so that no spike is lost; the table has every value. The dashed line is the grokking epoch: the first
evaluated epoch from which on the test loss stays below the threshold. A variant that never gets there is
*no grok*, censored at its last epoch.

**How to read it.** A scheduled checkpoint that is missing is an orange cross in the rug; where
epochs were never trained the curves have a gap.
""",
    code_version="4",
    load=load,
    chart=chart,
    table=table,
    uses=("checkpoints", "summaries/grokking", "summaries/coarseness"),
)
