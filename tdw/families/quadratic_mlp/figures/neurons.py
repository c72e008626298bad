"""Frequencies and participation ratios of all neurons, across training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Heat, Scale, share
from tdw.drawing.style import COLORS, DENSITY_SCALE
from tdw.families.quadratic_mlp.analyzers import NEURONS, SIDES, one_frequency
from tdw.recipes.common import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_MATRICES = dict(zip(SIDES, ("W_a", "W_b", "W_out"), strict=True))
_SHARES = {"one_frequency": "neurons with one frequency", "phase_relation": "mean cos of the phase mismatch"}


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        table: the table of neurons, columns epoch, mean_ipr_{a,b,out}, one_frequency, phase_relation.
        epochs: int64 (e,).
        counts: int64 ((p - 1) / 2, e), neurons whose three vectors have that frequency.
        width: number of neurons.
    """

    subject: subject.Subject
    table: pd.DataFrame
    epochs: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    width: int


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The table of neurons, and every neuron's frequency."""
    from tdw.families.quadratic_mlp.config import Config

    reader = sources.only
    epochs = reader.epochs(NEURONS.name)
    half = (Config.parse(reader.variant).p - 1) // 2
    counts = np.zeros((half, len(epochs)), np.int64)
    width = 0
    for i, epoch in enumerate(epochs):
        frequency = reader.artifact(NEURONS.name, epoch)["frequency"]
        width = len(frequency)
        counts[:, i] = np.bincount(frequency[one_frequency(frequency), 0], minlength=half + 1)[1:]
    table = reader.summary("neurons")
    return Data(subject.of(reader, table["epoch"]), table, np.array(epochs, np.int64), counts, width)


def chart(data: Data) -> Chart:
    """Participation above, shares below it, and how many neurons have each frequency."""
    names = {f"mean_ipr_{side}": f"{matrix}" for side, matrix in _MATRICES.items()}
    colors = {name: COLORS[4 + i] for i, name in enumerate(_SHARES)}
    frequencies: npt.NDArray[np.int64] = np.arange(1, len(data.counts) + 1, dtype=np.int64)
    top = float(data.counts.max()) or 1.0
    lines = series.lines_of(data.table, names, scheduled=data.subject.scheduled)
    shares = series.lines_of(data.table, _SHARES, scheduled=data.subject.scheduled, look=colors)
    last = data.counts[:, -1]
    return Chart(
        f"Neurons · {data.subject.label}",
        (
            Panel(lines, y=share("participation ratio", most=5)),
            Panel(shares, y=Axis("share, cosine", range=(-0.25, 1.05), form=".3f", most=5), row=1),
            Panel(
                [Heat(data.epochs, frequencies, data.counts.astype(np.float32),
                      Scale("neurons", top, colors=DENSITY_SCALE, form=".0f"))],
                y=Axis("frequency k", form=".0f"),
                row=2,
                small=False,
            ),
        ),
        subtitle=sentences(
            f"at the last epoch {last.sum():,} of {data.width:,} neurons have one frequency, "
            f"{(last > 0).sum()} frequencies together",
            data.subject.missing,
        ),
        heights=(30, 30, 40),
        gaps=(0.06, 0.05),
    )  # fmt: skip


def table(data: Data) -> pd.DataFrame:
    """Columns variant, those of the table of neurons, and k1, k2, ...: neurons with that frequency."""
    import pandas as pd

    columns = [f"k{k}" for k in range(1, len(data.counts) + 1)]
    counts = pd.DataFrame(data.counts.T, columns=columns).assign(epoch=data.epochs)
    return data.subject.rows(data.table.merge(counts, on="epoch", how="left"))


PLOT = Plot(
    name="neurons",
    title="Neurons over training",
    description="""\
Above, the mean *inverse participation ratio* of the neurons' weight vectors over Z_p: 1 for a pure wave,
2 / (p - 1) for even power. In the middle, the share of the neurons whose three vectors have one strongest
frequency, and the mean cosine of their phase mismatch, phase of W_a plus that of W_b minus that of W_out,
which is 1 in the known solution ([Gromov 2023](https://arxiv.org/abs/2301.02679)). Below, how many of these
neurons have each frequency.

**How to read it.** The solution needs no particular frequencies: in the sum over neurons all of them are
there. Where the participation ratio rises, each neuron settles on one.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/neurons", NEURONS.name),
)
