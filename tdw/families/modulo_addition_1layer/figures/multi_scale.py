"""P7 (REQ_019): small maps of chosen neurons, and of every head to a and to b, over training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.drawing import series, style
from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import (
    attention_patterns,
    downsampled_activations,
    neuron_activations,
)
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.families.modulo_addition_1layer.figures import panels
from tdw.families.modulo_addition_1layer.maths.scale_metrics import resize
from tdw.parameters import is_count, require
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources, VariantReader

_SMALL = downsampled_activations.ANALYZER.name
_FULL = neuron_activations.ANALYZER.name
_ATTENTION = attention_patterns.ANALYZER.name
_COLUMNS = 8
_TOPS = (100, 50, 25)  # percent
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Parameters:
    """Which maps, and how large.

    Attributes:
        neurons: indices; None for `num_neurons` spread evenly over the ranks of coarseness at the last epoch.
        num_neurons: how many, when `neurons` is None.
        target_size: width of the small maps; None for the width that `downsampled_activations` has. Any
            other width is made from the full maps.
    """

    neurons: tuple[int, ...] | None = None
    num_neurons: int = 16
    target_size: int | None = None

    def __post_init__(self) -> None:
        chosen = self.neurons or ()
        require(
            self.neurons is None or (0 < len(chosen) <= 64 and all(is_count(i, least=0) for i in chosen)),
            "neurons",
            self.neurons,
            wanted="1 to 64 indices from 0, or null for a spread",
        )
        for field in ("num_neurons", "target_size"):
            value = getattr(self, field)
            small: bool = is_count(value) and int(value) <= 256
            require(
                small or (value is None and field == "target_size"),
                field,
                value,
                wanted="a whole number from 1 to 256",
            )


@dataclass(frozen=True)
class LargeParameters(Parameters):
    """The same at 56 × 56."""

    target_size: int | None = 56


@dataclass(frozen=True)
class Data:
    """One variant's maps at some epochs.

    Attributes:
        neurons: (n,) indices; coarseness: (n,) at the last epoch, NaN where it is not known.
        maps: float32 (epochs, n, t, t); to_a, to_b: float32 (epochs, heads, t, t), attention 0 to 1.
        available: number of epochs with artifacts, of which `epochs` is a choice.
        missing: what is missing, in words, or "".
    """

    variant: str
    label: str
    p: int
    epochs: tuple[int, ...]
    available: int
    neurons: tuple[int, ...]
    coarseness: npt.NDArray[np.float64]
    maps: Float32
    to_a: Float32
    to_b: Float32
    grokking: grokking.Grokking
    missing: str

    @property
    def panels(self) -> panels.Maps:
        """As percent: neurons of their own maximum over the epochs, heads of attention."""
        top = self.maps.max(axis=(0, 2, 3), keepdims=True)
        attention = np.concatenate([self.to_a, self.to_b], axis=1)
        heads = range(self.to_a.shape[1])
        titles = [
            f"n{i}" + ("" if np.isnan(c) else f" {c:.2f}")
            for i, c in zip(self.neurons, self.coarseness, strict=True)
        ]
        titles += [f"h{h} to {to}" for to in "ab" for h in heads]
        n = len(self.neurons)
        values = np.concatenate([panels.percent(self.maps, top), panels.percent(attention, 1.0)], axis=1)
        names = [f"neuron {i}" for i in self.neurons] + [f"head {h} to {to}" for to in "ab" for h in heads]
        return panels.Maps(
            epochs=self.epochs,
            values=values,
            names=tuple(names),
            titles=(tuple(titles),) * len(self.epochs),
            scale=(0,) * n + (1,) * (2 * len(heads)),
            scales=(
                panels.Scale("activation", style.MAP_SCALE, top=_fitting(values[-1, :n]), tops=_TOPS),
                panels.Scale(
                    "attention", style.COARSENESS_SCALE, top=max(int(np.ceil(100 * attention.max())), 1)
                ),
            ),
            columns=_COLUMNS,
            p=self.p,
        )


def load(sources: Sources, parameters: Parameters) -> Data:
    """Maps of as many epochs as fit into the frames, evenly spaced among those there are."""
    reader = sources.only
    found = grokking.load(reader)
    stored = None if parameters.target_size is not None else _SMALL
    available = reader.epochs(stored or _FULL)
    if stored is None:
        available = sorted(set(available) & set(reader.epochs(_ATTENTION)))
    first = (
        _small(reader, available[-1]) if stored else _large(reader, available[-1], parameters, neurons=[0])
    )
    size, heads = first["to_a"].shape[-1], len(first["to_a"])
    have = len(first["neurons"]) if stored else _count(reader, available[-1])
    neurons, coarseness = _choose(reader, have, parameters=parameters)
    most = panels.affordable(len(neurons) + 2 * heads, size * size)
    epochs = series.spread(available, most, keep=_near(available, found.epoch))
    read: list[dict[str, Float32]] = []
    for epoch in epochs:
        if stored:
            small = _small(reader, epoch)
            read.append({**small, "neurons": small["neurons"][list(neurons)]})
        else:
            read.append(_large(reader, epoch, parameters, neurons=neurons))
    return Data(
        variant=reader.variant,
        label=reader.label,
        p=int(first["p"]),
        epochs=tuple(epochs),
        available=len(available),
        neurons=tuple(neurons),
        coarseness=coarseness,
        maps=np.stack([each["neurons"] for each in read]),
        to_a=np.stack([each["to_a"] for each in read]),
        to_b=np.stack([each["to_b"] for each in read]),
        grokking=found,
        missing=series.missing_note(available, reader.scheduled),
    )


def _small(reader: VariantReader, epoch: int) -> dict[str, Any]:
    arrays = reader.artifact(_SMALL, epoch)
    return {
        "neurons": arrays[downsampled_activations.NEURONS],
        "to_a": arrays[downsampled_activations.TO_A],
        "to_b": arrays[downsampled_activations.TO_B],
        "p": arrays["p"],
    }


def _large(
    reader: VariantReader, epoch: int, parameters: Parameters, *, neurons: list[int] | tuple[int, ...]
) -> dict[str, Any]:
    size = parameters.target_size or 28
    maps = reader.rows(_FULL, epoch, name=_FULL, rows=list(neurons))
    attention = reader.artifact(_ATTENTION, epoch)[_ATTENTION]
    return {
        "neurons": resize(maps, size),
        "to_a": resize(attention[:, 0], size),
        "to_b": resize(attention[:, 1], size),
        "p": np.array(attention.shape[-1]),
    }


def _count(reader: VariantReader, epoch: int) -> int:
    """Neurons there are, from the summary where there is one, so that their maps need not be read."""
    table = reader.optional_summary("neuron_coarseness")
    return table.shape[1] - 1 if table is not None else len(reader.artifact(_FULL, epoch)[_FULL])


def _choose(
    reader: VariantReader, have: int, *, parameters: Parameters
) -> tuple[list[int], npt.NDArray[np.float64]]:
    """The neurons to draw, and their coarseness at the last epoch."""
    table = reader.optional_summary("neuron_coarseness")
    final = np.full(have, np.nan)
    if table is not None:
        row = table.sort_values("epoch").iloc[-1].drop("epoch").to_numpy(np.float64)[:have]
        final[: len(row)] = row
    if parameters.neurons is not None:
        outside = [i for i in parameters.neurons if i >= have]
        if outside:
            raise BadConfig(
                f"{reader.variant} has no neuron {outside[0]}", f"use indices from 0 to {have - 1}"
            )
        chosen = list(parameters.neurons)
    else:
        alive = np.flatnonzero(~(final == 0))
        ranked = alive[np.argsort(-final[alive], kind="stable")] if len(alive) else np.arange(have)
        places = np.linspace(0, len(ranked) - 1, min(parameters.num_neurons, len(ranked))).round().astype(int)
        chosen = [int(i) for i in ranked[np.unique(places)]]
    return chosen, final[chosen]


def _fitting(values: npt.NDArray[np.uint8]) -> int:
    """Where the scale ends at first: activations shrink in training, and maps (n, t, t) would be black."""
    most = float(np.quantile(values.max(axis=(1, 2)), 0.9))
    return min(top for top in _TOPS if top >= min(most, 100))


def _near(epochs: list[int], wanted: int | None) -> list[int]:
    return [] if wanted is None else [min(epochs, key=lambda epoch: abs(epoch - wanted))]


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    size = data.maps.shape[-1]
    shown = f"{len(data.epochs)} of {data.available} epochs" if len(data.epochs) < data.available else ""
    legend = "after a neuron: its final coarseness · activation in % of its largest"
    parts = [data.missing, data.grokking.text, shown, legend]
    return panels.draw(
        data.panels,
        title=f"Neurons and heads at {size} × {size} · {data.label}",
        subtitle=" · ".join(part for part in parts if part),
    )


def draw_preview(data: Data) -> bytes:
    """The maps of the last epoch, small."""
    return panels.draw_preview(data.panels, title="Neurons and heads")


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, map, row, b0, b1, ...: percent."""
    return panels.table(data.panels, variant=data.variant)


DESCRIPTION = """\
Maps over the pairs (a, b), reduced bilinearly: MLP neurons after ReLU, chosen evenly over the ranks of final
coarseness (the number after each) from coarse to fine, dead ones left out; below them each head's attention
from "=" to a and to b. The slider moves the epoch. A neuron's color is its activation in percent of its own
largest over the epochs shown, the same scale at every epoch; the buttons choose where it ends, since
activations shrink in training. Heads share one scale of attention.

**How to read it.** Large blobs are coarse neurons, fine stripes and checks are plaid ones. Reduction is
bilinear without antialiasing, as the analyzer is defined, so structure finer than the small map's pixels
can appear as false coarse structure: look at the same neuron in the explorer before concluding from a fine
one. Of long series evenly spaced epochs are shown, so that the page stays small.
"""

PLOT = Plot(
    name="multi_scale",
    title="Neurons and heads, small maps",
    description=DESCRIPTION,
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=(_SMALL,),
    uses=("summaries/neuron_coarseness", "summaries/grokking"),
    parameters=Parameters,
)

LARGE = dataclasses.replace(
    PLOT,
    name="multi_scale_56",
    title="Neurons and heads at 56 × 56",
    description=DESCRIPTION + "\nAt 56 × 56, made from the full maps.\n",
    needs=(_FULL, _ATTENTION),
    parameters=LargeParameters,
)
