"""Where each head attends: position by position, in the mean of the probe and in some of its sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.area_reduction import reduce_area
from tdw.drawing.chart import Chart, sentences
from tdw.drawing.marks import Axis, Scale
from tdw.families.transformer.recipes.analyzers import PATTERNS
from tdw.families.transformer.recipes.tables import head_columns
from tdw.parameters import is_count, require
from tdw.recipes.common import panels, subject
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

_TOPS = (1000, 300, 100, 30)
_WIDE = 8
"""Heads that fit beside each other; with more of them each layer has rows of its own."""
_ROW = 4
"""Maps that make one row."""
_EVERY_BYTES = 48 << 20
"""Of the maps of every epoch together."""
_EPOCHS = 8
"""Epochs that the slider should have: maps are made coarser, and fewer sequences shown, to make room."""


@dataclass(frozen=True)
class Parameters:
    """How many of the stored sequences are drawn below the mean, if there is room."""

    sequences: int = 2

    def __post_init__(self) -> None:
        require(is_count(self.sequences, least=0), "sequences", self.sequences, wanted="0 or more")


@dataclass(frozen=True)
class Data:
    """One variant's attention at some epochs.

    Attributes:
        epochs: (e,); available: number of epochs with artifacts, of which these are a choice.
        patterns: float32 (e, 1 + sequences, layers, heads, t, t): the mean, then some sequences.
        positions: length of the context; t of them where the maps are not reduced.
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    available: int
    patterns: npt.NDArray[np.float32]
    positions: int


def load(sources: Sources, parameters: Parameters) -> Data:
    """Attention at a few epochs: the first, the last and some between."""
    reader = sources.only
    available = reader.epochs(PATTERNS.name)
    layers, heads, positions, stored = _shape(reader, available[-1])
    room = panels.FRAME_BUDGET // (2 * _EPOCHS * layers * heads)  # bytes for the maps of one head at an epoch
    asked = min(parameters.sequences, stored)
    shown = min(asked, max(room // (2 * positions**2) - 1, 1))
    size = min(positions, max(int((room / (2 * (1 + shown))) ** 0.5), 16))
    most = panels.affordable(2 * layers * heads * (1 + shown), size**2)
    return _load(reader, series.spread(available, most), shown=shown, size=size)


def every(sources: Sources, parameters: Parameters) -> panels.Maps:
    """Attention at every epoch, as many of the sequences as are asked for; coarser where that is too much."""
    reader = sources.only
    available = reader.epochs(PATTERNS.name)
    layers, heads, positions, stored = _shape(reader, available[-1])
    shown = min(parameters.sequences, stored)
    room = _EVERY_BYTES / (2 * len(available) * layers * heads * (1 + shown))
    data = _load(reader, available, shown=shown, size=min(positions, max(int(room**0.5), 1)))
    return replace(maps(data), note=sentences(_averaged(data), data.subject.missing))


def _shape(reader: VariantReader, epoch: int) -> tuple[int, int, int, int]:
    """Layers, heads, positions, and how many sequences are stored."""
    last = reader.artifact(PATTERNS.name, epoch)
    layers, heads, positions, _ = last["mean"].shape
    return layers, heads, positions, len(last["sequences"])


def _load(reader: VariantReader, epochs: Sequence[int], *, shown: int, size: int) -> Data:
    def read(epoch: int) -> npt.NDArray[np.float32]:
        found = reader.artifact(PATTERNS.name, epoch)
        all_of = np.concatenate([found["mean"][None], found["sequences"][:shown]])
        kinds, layers, heads, positions, _ = all_of.shape
        return reduce_area(all_of.reshape(-1, positions, positions), size).reshape(
            kinds, layers, heads, size, size
        )

    available = reader.epochs(PATTERNS.name)
    return Data(
        subject.of(reader, available),
        tuple(epochs),
        len(available),
        np.stack([read(epoch) for epoch in epochs]),
        _shape(reader, available[-1])[2],
    )


def maps(data: Data) -> panels.Maps:
    """In thousandths: the maps of few heads in rows, with the mean first; the heads of many side by side."""
    e, kinds, layers, heads, t, _ = data.patterns.shape
    of = ("mean", *(f"sequence {i}" for i in range(kinds - 1)))
    head_names = head_columns(layers, heads)
    values = np.rint(1000 * data.patterns).astype(np.uint16).reshape(e, kinds, layers * heads, t, t)
    few = layers * heads < kinds
    if few:
        values = np.ascontiguousarray(values.swapaxes(1, 2))
        names = tuple(f"{head} · {kind}" for head in head_names for kind in of)
    else:
        names = tuple(f"{head} · {kind}" for kind in of for head in head_names)
    values = values.reshape(e, -1, t, t)
    if len(names) <= _ROW:
        columns = len(names)
    else:
        columns = kinds if few else layers * heads if layers * heads <= _WIDE else heads
    return panels.Maps(
        epochs=data.epochs,
        values=values,
        names=names,
        titles=(names,) * e,
        scales=(Scale("attention (‰)", _fitting(values[-1]), tops=_TOPS),) * len(names),
        columns=columns,
        side=data.positions,
        x=Axis("key position"),
        y=Axis("query position", reverse=True),
        unit=" ‰",
    )


def _fitting(values: npt.NDArray[np.uint16]) -> int:
    """Where the scale ends at first: a head that attends to many positions would be black on the full one."""
    bright = float(np.quantile(values, 0.995))
    return min(top for top in _TOPS if top >= min(bright, _TOPS[0]))


def chart(data: Data) -> Chart:
    """The patterns, with a slider."""
    return panels.chart(
        maps(data),
        title=f"Attention patterns · {data.subject.label}",
        subtitle=sentences(panels.shown(data.epochs, data.available), _averaged(data), data.subject.missing),
    )


def _averaged(data: Data) -> str:
    size = data.patterns.shape[-1]
    return f"{data.positions} positions averaged to {size}" if size < data.positions else ""


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, map, row (query), and one per key position: attention in thousandths."""
    return panels.table(maps(data), variant=data.subject.variant)


PLOT = Plot(
    name="attention_patterns",
    title="Attention patterns",
    description="""\
How much each head attends from every position (query, downward) to every earlier one (key, to the right), in
thousandths: the mean over the probe's sequences, and single ones. L1H0 is head 0 of layer 1. The slider on
the figure's page has every epoch; the saved figure has a few: the first, the last and some between. The
buttons choose where the scale of colors ends, since a head that attends to many positions gives little to
each.

**How to read it.** A line just below the diagonal is a previous-token head; stripes that differ from sequence
to sequence follow the tokens; in the mean of many sequences only what depends on position is left. The
sequence explorer has every stored sequence with its tokens, at every epoch.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(PATTERNS.name,),
    parameters=Parameters,
    every=every,
)
