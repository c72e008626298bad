"""P8: what each head attends to, over (a, b), with the scale at which it works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, sentences
from tdw.drawing.marks import Axis, Scale
from tdw.families.modulo_addition_1layer.analyzers.attention_patterns import NAME
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.common import panels
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_SIDES = ("a", "b")
_SCALE = Scale("attention", 100, unit=" %")


@dataclass(frozen=True)
class Data:
    """One variant's attention at some epochs.

    Attributes:
        epochs: (e,); available: number of epochs with artifacts, of which these are a choice.
        attention: float32 (e, heads, 2, p, p), to a and to b.
        labels: e tuples of 2 · heads scale labels, to a and then to b; "" where not known.
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    available: int
    attention: npt.NDArray[np.float32]
    labels: tuple[tuple[str, ...], ...]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Attention at a few epochs: the first, the last, the one nearest to grokking, and some between."""
    available = sources.only.epochs(NAME)
    heads, _, p, _ = sources.only.artifact(NAME, available[-1])[NAME].shape
    return _load(sources, most=panels.affordable(2 * heads, p * p))


def every(sources: Sources, parameters: NoParameters) -> panels.Maps:
    """Attention at every epoch."""
    data = _load(sources, most=len(sources.only.epochs(NAME)))
    return replace(maps(data), note=data.subject.text)


def _load(sources: Sources, *, most: int) -> Data:
    reader = sources.only
    available = reader.epochs(NAME)
    found = subject.load(reader, available)
    epochs = series.spread(available, most, keep=found.nearest(available))
    attention = np.stack([reader.artifact(NAME, epoch)[NAME][:, :2] for epoch in epochs])
    heads = reader.optional_summary("heads")
    known = (
        {} if heads is None else {(int(row["epoch"]), int(row["head"])): row for _, row in heads.iterrows()}
    )
    labels = tuple(
        tuple(
            str(known[epoch, head][f"scale_{side}"]) if (epoch, head) in known else ""
            for side in _SIDES
            for head in range(attention.shape[1])
        )
        for epoch in epochs
    )
    return Data(
        subject=found,
        epochs=tuple(epochs),
        available=len(available),
        attention=attention,
        labels=labels,
    )


def maps(data: Data) -> panels.Maps:
    """A row to a, a row to b, a column per head; in percent."""
    e, heads, _, p, _ = data.attention.shape
    names = tuple(f"head {h} to {side}" for side in _SIDES for h in range(heads))
    return panels.Maps(
        epochs=data.epochs,
        values=panels.percent(data.attention, 1.0).swapaxes(1, 2).reshape(e, 2 * heads, p, p),
        names=names,
        titles=tuple(
            tuple(f"{name}: <b>{scale}</b>" if scale else name for name, scale in zip(names, at, strict=True))
            for at in data.labels
        ),
        scales=(_SCALE,) * len(names),
        columns=heads,
        side=p,
        x=Axis("b"),
        y=Axis("a"),
    )


def chart(data: Data) -> Chart:
    """The patterns, with a slider."""
    return panels.chart(
        maps(data),
        title=f"Attention patterns · {data.subject.label}",
        subtitle=sentences(
            data.subject.grokking.text, panels.shown(data.epochs, data.available), data.subject.missing
        ),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, map, row (of a), b0, b1, ...: attention in percent."""
    return panels.table(maps(data), variant=data.subject.variant)


PLOT = Plot(
    name="attention_patterns",
    title="Attention patterns",
    description="""\
Attention from "=" to a (top row) and to b (bottom row) of every head, over the pairs (a, b), on one scale
from 0 to 100 %; the rest goes to "=" itself. The slider on the figure's page has every epoch; the saved
figure has a few: the first, the last, the one nearest to grokking and some between. Above each map the scale
at which it works, from the heads
summary: *coarse* (coarseness at least 0.7 and small relative gradient), *fine* (below 0.5 and large),
*flat* (constant), else *mixed*.

**How to read it.** A head that attends to a where b does not matter has vertical or horizontal bands; waves
in both directions mean that it compares the two. A label that changes with the epoch is a head that changes
its scale.
""",
    code_version="3",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(NAME,),
    uses=("summaries/heads", "summaries/grokking"),
    every=every,
)
