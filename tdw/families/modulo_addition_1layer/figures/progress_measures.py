"""P10: progress measures over training, on a shared axis of epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Choice, Option, Panel, sentences
from tdw.drawing.marks import Axis, Line, loss
from tdw.drawing.style import ACCENT, COLORS, MUTED, TEST, TRAIN
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_PURPLE = COLORS[5]
# Column, name, color, dash, and which key frequencies it rests on ("": none), as the buttons name them.
_LOSSES = (
    ("train_loss", "train loss", TRAIN, "solid", ""),
    ("test_loss", "test loss", TEST, "solid", ""),
    ("restricted_loss_test", "restricted loss (test)", ACCENT, "dash", "keys of each epoch"),
    ("excluded_loss_train", "excluded loss (train)", _PURPLE, "dashdot", "keys of each epoch"),
    ("restricted_loss_last_keys_test", "restricted loss (test)", ACCENT, "dash", "keys of the last"),
    ("excluded_loss_last_keys_train", "excluded loss (train)", _PURPLE, "dashdot", "keys of the last"),
)
_GINI = (
    ("gini_W_E_components", "Gini of W_E", COLORS[0], "solid", ""),
    ("gini_W_L_components", "Gini of W_out W_U", COLORS[1], "dash", ""),
)
_WEIGHTS = ("sum_squared_weights", "sum of squared weights", MUTED, "solid", "")
COLUMNS = tuple(line[0] for line in (*_LOSSES, *_GINI, _WEIGHTS))


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        measures: columns epoch and `COLUMNS`; losses in nats; a row per scheduled epoch, NaN where it is
            missing.
        last_keys: key frequencies of the last epoch, as text.
    """

    subject: subject.Subject
    measures: pd.DataFrame
    last_keys: str


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of progress measures."""
    reader = sources.only
    table = reader.summary("progress_measures")
    return Data(
        subject=subject.load(reader, table["epoch"]),
        measures=series.on_schedule(table[["epoch", *COLUMNS]], reader.scheduled),
        last_keys=str(table["last_key_frequencies"].iloc[-1]),
    )


def chart(data: Data) -> Chart:
    """Losses, Gini coefficients and weights above each other."""

    def line(column: str, name: str, color: str, dash: str, keys: str) -> Line:
        values = data.measures[column].to_numpy(np.float64)
        epochs = data.measures["epoch"].to_numpy()
        return Line(epochs, values, name=name, color=color, dash=dash, width=1.8, symbol="circle", tag=keys)

    weights = Axis("Σ w²", zero=True, ticks=",", form=",.4~g", most=4)
    keys = dict.fromkeys(keys for *_, keys in _LOSSES if keys)
    return Chart(
        f"Progress measures · {data.subject.label}",
        (
            Panel([line(*each) for each in _LOSSES], y=loss(step=2)),
            Panel(
                [line(*each) for each in _GINI],
                y=Axis("Gini (0–1)", range=(0, 1), form=".3f", most=4),
                row=1,
                small=False,
            ),
            Panel([line(*_WEIGHTS)], y=weights, row=2, small=False),
        ),
        subtitle=sentences(
            data.subject.grokking.text,
            f"key frequencies at the last epoch: {data.last_keys or 'none'}",
            data.subject.missing,
        ),
        across=data.subject.rules,
        choices=(Choice(tuple(Option(label, (label,)) for label in keys)),),
        heights=(46, 21, 21),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch and `COLUMNS`; empty where the epoch is missing."""
    return data.measures.assign(variant=data.subject.variant)[["variant", "epoch", *COLUMNS]]


PLOT = Plot(
    name="progress_measures",
    title="Progress measures",
    description="""\
Measures that can move before the test loss does ([Nanda et al. 2023](https://arxiv.org/abs/2301.05217),
sections 5.1 and 5.2), on one axis of epochs.

- *restricted loss*: of the logits projected on cos, sin(w_k(a + b)) of the key frequencies, plus the mean
  logits; here over test pairs. Low means that the Fourier circuit is there.
- *excluded loss*: of the logits without those directions, over train pairs. High means that what fits the
  training pairs is the circuit, low that it is memorized.
- *Gini coefficient* ([Hurley & Rickard 2009](https://arxiv.org/abs/0811.4706)) of the norms of W_E, and of
  W_out W_U, over Fourier components: near 1 when few frequencies carry all.
- the sum of squared weights.

**How to read it.** With the *keys of each epoch* nothing looks ahead, so a measure that moves before the
test loss could have predicted it. With the *keys of the last* epoch, as in the paper, the final frequencies
are known from the start (excluded loss: mean over them, each alone). Points are checkpoints; a missing one
leaves a gap.
""",
    code_version="3",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/progress_measures",),
    uses=("summaries/grokking",),
)
