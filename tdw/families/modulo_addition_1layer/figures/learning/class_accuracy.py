"""A18: accuracy on the pairs of each answer, over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing.chart import Chart, Choice, Option, Panel
from tdw.drawing.marks import Axis, Heat, Scale, Steps
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_AMONG = ("train", "test", "all")


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        formula: of the answer before it is reduced, such as "a + b".
        epochs: (T,) of checkpoints.
        accuracy: float64 (T, 3, p), [epoch, train | test | all, answer]; NaN where there is no such pair.
    """

    subject: subject.Subject
    formula: str
    epochs: tuple[int, ...]
    accuracy: npt.NDArray[np.float64]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The artifacts of every epoch."""
    reader = sources.only
    epochs = tuple(reader.epochs("answers"))
    accuracy = np.stack([reader.artifact("answers", epoch)["accuracy_by_class"] for epoch in epochs])
    formula = Config.parse(reader.variant).task.formula
    return Data(subject.load(reader, epochs), formula, epochs, np.where(accuracy < 0, np.nan, accuracy))


def chart(data: Data) -> Chart:
    """A heat map of answers over epochs; buttons choose among which pairs."""
    scale = Scale("accuracy (0–1)")
    marks = [
        Heat(np.array(data.epochs), Steps(0, 1), data.accuracy[:, i].T, scale, name=f"{name} pairs", tag=name)
        for i, name in enumerate(_AMONG)
    ]
    options = tuple(Option(f"{name} pairs", (name,)) for name in _AMONG)
    return Chart(
        f"Accuracy on each answer · {data.subject.label}",
        (Panel(marks, y=Axis(f"answer ({data.formula}) mod p", form="d")),),
        subtitle=data.subject.text,
        across=data.subject.rules,
        choices=(Choice(options, active=1),),
        unified=False,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, pairs, answer, accuracy."""
    import pandas as pd

    t, _, p = data.accuracy.shape
    return pd.DataFrame(
        {
            "variant": data.subject.variant,
            "epoch": np.repeat(np.array(data.epochs), 3 * p),
            "pairs": np.tile(np.repeat(_AMONG, p), t),
            "answer": np.tile(np.arange(p, dtype=np.int64), 3 * t),
            "accuracy": data.accuracy.ravel(),
        }
    )


PLOT = Plot(
    name="class_accuracy",
    title="Accuracy on each answer",
    description="""\
Accuracy on the pairs of each residue class, those with one answer such as (a + b) mod p, over checkpoints:
among pairs that train, those that don't, and all.

**How to read it.** Rows that turn bright together mean that all answers are learned at once; rows that lag
are answers that generalize late.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("answers",),
    uses=("summaries/grokking",),
)
