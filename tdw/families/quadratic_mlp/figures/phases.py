"""Frequency, participation and phases of every neuron at one epoch, against the published relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Bars, Line, Moving, Points, share
from tdw.drawing.style import COLORS, MUTED
from tdw.families.quadratic_mlp.analyzers import NEURONS, one_frequency
from tdw.families.quadratic_mlp.config import Config
from tdw.recipes.common import panels, subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_BINS = 25
_BYTES = 24  # of a neuron at an epoch: six float32


@dataclass(frozen=True)
class Data:
    """One variant at some epochs; float32 (e, width), radians in (-pi, pi], 1 where not of one frequency.

    Attributes:
        frequency: of W_out; ipr: mean of the three vectors.
        known: whether the three vectors have one frequency.
        sum_of_phases: phase of W_a plus phase of W_b, or minus where the answer is a − b; phase: of W_out;
            mismatch: their difference.
        sign: of W_b's phase in the sum.
    """

    subject: subject.Subject
    sign: int
    epochs: tuple[int, ...]
    available: int
    frequency: npt.NDArray[np.int64]
    ipr: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    sum_of_phases: npt.NDArray[np.float32]
    phase: npt.NDArray[np.float32]
    mismatch: npt.NDArray[np.float32]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The Fourier content of the neurons at evenly spaced epochs."""
    reader = sources.only
    available = reader.epochs(NEURONS.name)
    width = len(reader.artifact(NEURONS.name, available[-1])["norm"])
    epochs = series.spread(available, max(panels.FRAME_BUDGET // (_BYTES * width), 4))
    found = [reader.artifact(NEURONS.name, epoch) for epoch in epochs]
    phase = np.stack([arrays["phase"] for arrays in found])
    frequency = np.stack([arrays["frequency"] for arrays in found])
    linear = Config.parse(reader.variant).task.linear
    sign = 1 if linear is None else linear[1]
    both = phase[..., 0] + sign * phase[..., 1]
    return Data(
        subject.of(reader, available),
        sign,
        tuple(epochs),
        len(available),
        frequency[..., 2],
        np.stack([arrays["ipr"] for arrays in found]).mean(axis=-1).astype(np.float32),
        one_frequency(frequency),
        (np.pi - (np.pi - both) % (2 * np.pi)).astype(np.float32),
        phase[..., 2].astype(np.float32),
        np.stack([arrays["mismatch"] for arrays in found]).astype(np.float32),
    )


def chart(data: Data) -> Chart:
    """Three panels that move with the slider."""
    at = range(len(data.epochs))
    edges = np.linspace(-np.pi, np.pi, _BINS + 1)
    counts = [np.histogram(data.mismatch[i][data.known[i]], edges)[0] for i in at]
    content = [
        Points(
            data.frequency[i],
            data.ipr[i],
            color=COLORS[0],
            size=4,
            opacity=0.6,
            legend=False,
            hover="k = {x}<br>ratio {y:.3f}",
        )
        for i in at
    ]
    phases = [
        Points(
            data.sum_of_phases[i][data.known[i]], data.phase[i][data.known[i]], color=COLORS[1],
            size=4, opacity=0.6, legend=False, hover="{x:.2f}, {y:.2f}",
        )
        for i in at
    ]  # fmt: skip
    bars = [
        Bars(
            (edges[:-1] + edges[1:]) / 2, each.astype(np.float32), color=COLORS[2], legend=False, hover="{y}"
        )
        for each in counts
    ]
    angle = (-3.3, 3.3)
    relation = Line(
        np.array([-np.pi, np.pi]),
        np.array([-np.pi, np.pi]),
        color=MUTED,
        dash="dash",
        legend=False,
        hover=None,
    )
    half = max(int(data.frequency.max()), 1)
    return Chart(
        f"Phases · {data.subject.label}",
        (
            Panel(
                [Moving(content)],
                x=Axis("frequency k of W_out", range=(0, half + 1)),
                y=share("participation ratio"),
                title="every neuron",
                small=False,
            ),
            Panel(
                [relation, Moving(phases)],
                x=Axis(f"phase of W_a {'+' if data.sign > 0 else '−'} phase of W_b", "radians", range=angle),
                y=Axis("phase of W_out", "radians", range=angle),
                title="neurons of one frequency",
                column=1,
            ),
            Panel(
                [Moving(bars)],
                x=Axis("mismatch", "radians", range=angle),
                y=Axis("neurons", range=(0, 1.05 * max(int(max(c.max() for c in counts)), 1))),
                title="their mismatch",
                column=2,
                small=False,
            ),
        ),
        subtitle=sentences(panels.shown(data.epochs, data.available), data.subject.missing),
        epochs=data.epochs,
        widths=(1, 1, 1),
        gaps=(0.08, 0.06),
        unified=False,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, neuron, frequency, ipr, one_frequency, phases and mismatch (radians)."""
    import pandas as pd

    e, width = data.ipr.shape
    neuron: npt.NDArray[np.int64] = np.arange(width, dtype=np.int64)
    index: dict[str, npt.NDArray[np.int64]] = {
        "epoch": np.repeat(np.array(data.epochs, np.int64), width),
        "neuron": np.tile(neuron, e),
    }
    values = {
        "frequency": data.frequency, "ipr": data.ipr, "one_frequency": data.known,
        "sum_of_phases": data.sum_of_phases, "phase_out": data.phase, "mismatch": data.mismatch,
    }  # fmt: skip
    return data.subject.rows(
        pd.DataFrame({**index, **{name: value.ravel() for name, value in values.items()}})
    )


PLOT = Plot(
    name="phases",
    title="Phases of the neurons",
    description="""\
Every neuron at the slider's epoch: the frequency of its outgoing weights and the mean inverse participation
ratio of its three vectors; for neurons whose three vectors have one frequency, the phase of W_out against the
sum of the phases of W_a and W_b (their difference where the network learns a − b), and a histogram of the
distance between the two.

**How to read it.** In the known solution ([Gromov 2023](https://arxiv.org/abs/2301.02679)) the points lie on
the dashed diagonal, and phases themselves are spread evenly, so that all other terms average out. The corners
are one point: phases turn over at π.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(NEURONS.name,),
)
