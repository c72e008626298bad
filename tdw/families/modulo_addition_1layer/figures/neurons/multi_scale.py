"""P7 (REQ_019): small maps of chosen neurons, and of every head to a and to b, over training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, sentences
from tdw.drawing.marks import Axis, Scale
from tdw.drawing.style import MAP_SCALE
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.families.modulo_addition_1layer.figures.neurons import map_sources
from tdw.recipes.common import panels
from tdw.recipes.figure import Listed, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_COLUMNS = 8
_TOPS = (100, 50, 25)  # percent
_TITLES = "after a neuron: its final coarseness · activation in % of its largest"
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """One variant's maps at some epochs.

    Attributes:
        neurons: (n,) indices; coarseness: (n,) at the last epoch, NaN where it is not known.
        maps: float32 (epochs, n, t, t); to_a, to_b: float32 (epochs, heads, t, t), attention 0 to 1.
        available: number of epochs with artifacts, of which `epochs` is a choice.
    """

    subject: subject.Subject
    p: int
    epochs: tuple[int, ...]
    available: int
    neurons: tuple[int, ...]
    coarseness: npt.NDArray[np.float64]
    maps: Float32
    to_a: Float32
    to_b: Float32


def load(sources: Sources, parameters: map_sources.Parameters) -> Data:
    """Maps of as many epochs as fit into the frames, evenly spaced among those there are."""
    reader = sources.only
    last = map_sources.epochs(reader, parameters)[-1]
    neurons, _ = map_sources.choose(reader, last, parameters)
    heads, size, _ = map_sources.read(reader, last, parameters, neurons=neurons[:1]).to_a.shape
    return _load(sources, parameters, most=panels.affordable(len(neurons) + 2 * heads, size * size))


def every(sources: Sources, parameters: map_sources.Parameters) -> panels.Maps:
    """Maps of every epoch."""
    epochs = map_sources.epochs(sources.only, parameters)
    data = _load(sources, parameters, most=len(epochs))
    return dataclasses.replace(
        panel_maps(data), note=sentences(data.subject.text, _TITLES), chosen=data.neurons
    )


def _load(sources: Sources, parameters: map_sources.Parameters, *, most: int) -> Data:
    reader = sources.only
    available = map_sources.epochs(reader, parameters)
    found = subject.load(reader, available)
    neurons, coarseness = map_sources.choose(reader, available[-1], parameters)
    epochs = series.spread(available, most, keep=found.nearest(available))
    read = [map_sources.read(reader, epoch, parameters, neurons=neurons) for epoch in epochs]
    return Data(
        subject=found,
        p=read[0].p,
        epochs=tuple(epochs),
        available=len(available),
        neurons=tuple(neurons),
        coarseness=coarseness,
        maps=np.stack([each.neurons for each in read]),
        to_a=np.stack([each.to_a for each in read]),
        to_b=np.stack([each.to_b for each in read]),
    )


def panel_maps(data: Data) -> panels.Maps:
    """In percent: neurons of their own maximum over the epochs, heads of attention."""
    attention = np.concatenate([data.to_a, data.to_b], axis=1)
    neurons = panels.percent(data.maps, data.maps.max(axis=(0, 2, 3), keepdims=True))
    heads = [(h, to) for to in "ab" for h in range(data.to_a.shape[1])]
    titles = [
        *(
            f"n{i}" + ("" if np.isnan(c) else f" {c:.2f}")
            for i, c in zip(data.neurons, data.coarseness, strict=True)
        ),
        *(f"h{h} to {to}" for h, to in heads),
    ]
    activation = Scale("activation", _fitting(neurons[-1]), unit=" %", colors=MAP_SCALE, tops=_TOPS)
    most = max(int(np.ceil(100 * attention.max())), 1)
    return panels.Maps(
        epochs=data.epochs,
        values=np.concatenate([neurons, panels.percent(attention, 1.0)], axis=1),
        names=(*(f"neuron {i}" for i in data.neurons), *(f"head {h} to {to}" for h, to in heads)),
        titles=(tuple(titles),) * len(data.epochs),
        scales=(activation,) * len(data.neurons) + (Scale("attention", most, unit=" %"),) * len(heads),
        columns=_COLUMNS,
        side=data.p,
        x=Axis("b"),
        y=Axis("a"),
    )


def _fitting(values: npt.NDArray[np.uint8]) -> int:
    """Where the scale ends at first: activations shrink in training, and maps (n, t, t) would be black."""
    most = float(np.quantile(values.max(axis=(1, 2)), 0.9))
    return min(top for top in _TOPS if top >= min(most, 100))


def chart(data: Data) -> Chart:
    """The maps, with a slider."""
    size = data.maps.shape[-1]
    return panels.chart(
        panel_maps(data),
        title=f"Neurons and heads at {size} × {size} · {data.subject.label}",
        subtitle=sentences(
            data.subject.missing,
            data.subject.grokking.text,
            panels.shown(data.epochs, data.available),
            _TITLES,
        ),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, map, row, b0, b1, ...: percent."""
    return panels.table(panel_maps(data), variant=data.subject.variant)


DESCRIPTION = """\
Maps over the pairs (a, b), reduced bilinearly: MLP neurons after ReLU, chosen evenly over the ranks of final
coarseness (the number after each) from coarse to fine, dead ones left out; below them each head's attention
from "=" to a and to b. The slider moves the epoch. A neuron's color is its activation in percent of its own
largest over the epochs shown, the same scale at every epoch; the buttons choose where it ends, since
activations shrink in training. Heads share one scale of attention.

**How to read it.** Large blobs are coarse neurons, fine stripes and checks are plaid ones. Reduction is
bilinear without antialiasing, as the analyzer is defined, so structure finer than the small map's pixels
can appear as false coarse structure: look at the same neuron in the explorer before concluding from a fine
one. The slider on the figure's page has every epoch, and other neurons can be chosen there; the saved figure
has evenly spaced epochs of long series, so that it stays small.
"""

PLOT = Plot(
    name="multi_scale",
    title="Neurons and heads, small maps",
    description=DESCRIPTION,
    code_version="3",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(map_sources.SMALL,),
    uses=("summaries/neuron_coarseness", "summaries/grokking"),
    parameters=map_sources.Parameters,
    every=every,
    chooses=Listed("neurons", default="from coarse to fine", most=map_sources.MOST),
)

LARGE = dataclasses.replace(
    PLOT,
    name="multi_scale_56",
    title="Neurons and heads at 56 × 56",
    description=DESCRIPTION + "\nAt 56 × 56, made from the full maps.\n",
    needs=(map_sources.FULL, map_sources.ATTENTION),
    parameters=map_sources.LargeParameters,
)
