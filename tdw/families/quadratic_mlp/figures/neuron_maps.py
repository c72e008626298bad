"""Activation of the strongest neurons over all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.area_reduction import reduce_area
from tdw.drawing.chart import Chart, sentences
from tdw.drawing.marks import Axis, Scale
from tdw.drawing.style import MAP_SCALE
from tdw.families.quadratic_mlp.analyzers import MAPS
from tdw.recipes.common import panels, subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_COLUMNS = 3
_EPOCHS = 8


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        epochs: of the slider; available: epochs there are.
        neurons: (e, n), which neuron each map is of.
        maps: float32 (e, n, t, t), activation, reduced from p by p.
        modulus: p.
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    available: int
    neurons: npt.NDArray[np.int64]
    maps: npt.NDArray[np.float32]
    modulus: int


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Maps at evenly spaced epochs; coarser where that leaves room for some of them."""
    reader = sources.only
    available = reader.epochs(MAPS.name)
    n, p, _ = reader.artifact(MAPS.name, available[-1])["maps"].shape
    size = min(p, max(int((panels.FRAME_BUDGET * 3 / 4 / (n * _EPOCHS)) ** 0.5), 16))
    epochs = series.spread(available, panels.affordable(n, size * size))
    found = [reader.artifact(MAPS.name, epoch) for epoch in epochs]
    return Data(
        subject.of(reader, available),
        tuple(epochs),
        len(available),
        np.stack([arrays["neuron"] for arrays in found]),
        np.stack([reduce_area(arrays["maps"], size) for arrays in found]),
        p,
    )


def maps(data: Data) -> panels.Maps:
    """In percent of each map's own highest activation."""
    n = data.maps.shape[1]
    return panels.Maps(
        epochs=data.epochs,
        values=panels.percent(data.maps, data.maps.max(axis=(2, 3), keepdims=True)),
        names=tuple(f"rank {i}" for i in range(n)),
        titles=tuple(tuple(f"neuron {neuron}" for neuron in each) for each in data.neurons),
        scales=(Scale("activation", 100, unit=" %", colors=MAP_SCALE),) * n,
        columns=min(_COLUMNS, n),
        side=data.modulus,
        x=Axis("b"),
        y=Axis("a"),
    )


def chart(data: Data) -> Chart:
    """The maps, with a slider."""
    size = data.maps.shape[-1]
    return panels.chart(
        maps(data),
        title=f"Maps of the strongest neurons · {data.subject.label}",
        subtitle=sentences(
            panels.shown(data.epochs, data.available),
            f"p = {data.modulus}, averaged to {size} × {size}" if size < data.modulus else "",
            data.subject.missing,
        ),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, map, row (of a), b0, b1, ...: percent of the map's highest activation."""
    return panels.table(maps(data), variant=data.subject.variant)


PLOT = Plot(
    name="neuron_maps",
    title="Maps of the strongest neurons",
    description="""\
Activation (W_a[a] + W_b[b])² of the neurons with the largest outgoing weights at the slider's epoch, over all
pairs (a, b), in percent of the map's own highest value.

**How to read it.** A neuron of one frequency is a plaid of waves: the square of a wave in a plus a wave in b.
Which neurons are strongest changes early in training, and with it what the panels show.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(MAPS.name,),
)
