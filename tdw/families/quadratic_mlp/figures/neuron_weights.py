"""The weights of the strongest neurons as curves over the residues, each along its own frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Line, Moving
from tdw.drawing.style import COLORS
from tdw.families.quadratic_mlp.analyzers import NEURONS
from tdw.parameters import is_count, require
from tdw.recipes.common import panels, subject
from tdw.recipes.figure import Plot
from tdw.store.layout import CHECKPOINTS

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_COLUMNS = 3
MATRICES = ("W_a", "W_b", "W_out")


@dataclass(frozen=True)
class Parameters:
    """How many neurons are drawn, those with the largest outgoing weights at the last epoch."""

    neurons: int = 6

    def __post_init__(self) -> None:
        require(is_count(self.neurons), "neurons", self.neurons, wanted="a whole number from 1 on")


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        epochs: of the slider; available: checkpoints there are.
        neurons: (n,), indices; frequency: (n,), of W_out at the last epoch, along which each is drawn.
        weights: float32 (e, n, 3, p), of W_a, W_b and W_out over residues.
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    available: int
    neurons: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


def load(sources: Sources, parameters: Parameters) -> Data:
    """The weights of the strongest neurons at evenly spaced checkpoints."""
    reader = sources.only
    analyzed = reader.artifact(NEURONS.name, reader.epochs(NEURONS.name)[-1])
    neurons = np.argsort(-analyzed["norm"], kind="stable")[: parameters.neurons].astype(np.int64)
    p = reader.artifact(CHECKPOINTS, reader.checkpoints[-1])["W_a"].shape[0]
    epochs = series.spread(reader.checkpoints, panels.affordable(len(neurons), 3 * 4 * p))

    def read(epoch: int) -> npt.NDArray[np.float32]:
        found = reader.artifact(CHECKPOINTS, epoch)
        return np.stack([found["W_a"].T[neurons], found["W_b"].T[neurons], found["W_out"][neurons]], axis=1)

    return Data(
        subject.of(reader, reader.checkpoints),
        tuple(epochs),
        len(reader.checkpoints),
        neurons,
        analyzed["frequency"][neurons, 2],
        np.stack([read(epoch) for epoch in epochs]),
    )


def chart(data: Data) -> Chart:
    """A panel per neuron, a line per weight vector: residues in the order of k x mod p, one period wide."""
    p = data.weights.shape[-1]
    most = float(np.abs(data.weights).max()) * 1.05 or 1.0
    at: npt.NDArray[np.int64] = np.arange(p, dtype=np.int64)
    found: list[Panel] = []
    for i, (neuron, k) in enumerate(zip(data.neurons, data.frequency, strict=True)):
        # A prime modulus has every residue once in k x mod p; of another one the sort keeps all of them.
        order = np.argsort(int(k) * at % p, kind="stable")
        marks: list[AnyMark | Moving] = [
            Moving(
                [
                    Line(
                        (int(k) * at % p)[order], weights[i, side][order], name=name, group=name,
                        color=COLORS[side], legend=not i, width=1.6,
                    )
                    for weights in data.weights
                ]
            )
            for side, name in enumerate(MATRICES)
        ]  # fmt: skip
        row, column = divmod(i, _COLUMNS)
        found.append(
            Panel(
                marks,
                x=Axis("k · residue mod p", form="d"),
                y=Axis("weight" if not column else "", range=(-most, most), form=".3f", most=5),
                title=f"neuron {neuron}, k = {k}",
                row=row,
                column=column,
                small=row == 0,
            )
        )
    return Chart(
        f"Weights of neurons · {data.subject.label}",
        tuple(found),
        subtitle=sentences(
            "largest outgoing weights at the last epoch",
            panels.shown(data.epochs, data.available),
            data.subject.missing,
        ),
        epochs=data.epochs,
        gaps=(0.05, 0.12),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, neuron, frequency, matrix, and the weight of each residue."""
    import pandas as pd

    e, _, sides, p = data.weights.shape
    keys = pd.MultiIndex.from_product(
        [[data.subject.variant], data.epochs, data.neurons, MATRICES],
        names=["variant", "epoch", "neuron", "matrix"],
    ).to_frame(index=False)
    keys.insert(3, "frequency", np.tile(np.repeat(data.frequency, sides), e))
    values = pd.DataFrame(data.weights.reshape(-1, p), columns=[f"residue{i}" for i in range(p)])
    return pd.concat([keys, values], axis=1)


PLOT = Plot(
    name="neuron_weights",
    title="Weights of the neurons",
    description="""\
The three weight vectors of the neurons with the largest outgoing weights at the last epoch, over the
residues. The horizontal axis counts k times the residue mod p, where k is the neuron's frequency at the last
epoch: a wave of that frequency has one period from left to right. The scale is the same for all epochs.

**How to read it.** At the start the curves are noise; at the end they are near to three cosines, as in the
known solution ([Gromov 2023](https://arxiv.org/abs/2301.02679)), and the shift of W_out is the sum of the
other two.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("checkpoints", NEURONS.name),
    parameters=Parameters,
)
