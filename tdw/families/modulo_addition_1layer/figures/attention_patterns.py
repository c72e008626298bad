"""P8: what each head attends to, over (a, b), with the scale at which it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series, style
from tdw.families.modulo_addition_1layer.analyzers.attention_patterns import NAME
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.families.modulo_addition_1layer.figures import panels
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources

_SIDES = ("a", "b")


@dataclass(frozen=True)
class Data:
    """One variant's attention at some epochs.

    Attributes:
        epochs: (e,); available: number of epochs with artifacts, of which these are a choice.
        attention: float32 (e, heads, 2, p, p), to a and to b.
        labels: e tuples of 2 · heads scale labels, to a and then to b; "" where not known.
        missing: what is missing, in words, or "".
    """

    variant: str
    label: str
    epochs: tuple[int, ...]
    available: int
    attention: npt.NDArray[np.float32]
    labels: tuple[tuple[str, ...], ...]
    grokking: grokking.Grokking
    missing: str

    @property
    def panels(self) -> panels.Maps:
        """A row to a, a row to b, a column a head; in percent."""
        e, heads, _, p, _ = self.attention.shape
        values = panels.percent(self.attention, 1.0).swapaxes(1, 2).reshape(e, 2 * heads, p, p)
        names = tuple(f"head {h} to {side}" for side in _SIDES for h in range(heads))
        return panels.Maps(
            epochs=self.epochs,
            values=values,
            names=names,
            titles=tuple(
                tuple(
                    name + (f": <b>{scale}</b>" if scale else "")
                    for name, scale in zip(names, at, strict=True)
                )
                for at in self.labels
            ),
            scale=(0,) * len(names),
            scales=(panels.Scale("attention", style.COARSENESS_SCALE),),
            columns=heads,
            p=p,
        )


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Attention at a few epochs: the first, the last, the one nearest to grokking, and some between."""
    reader = sources.only
    found = grokking.load(reader)
    available = reader.epochs(NAME)
    shape = reader.artifact(NAME, available[-1])[NAME].shape
    near = [] if found.epoch is None else [min(available, key=lambda e: abs(e - (found.epoch or 0)))]
    epochs = series.spread(available, panels.affordable(2 * shape[0], shape[-1] ** 2), keep=near)
    heads = reader.optional_summary("heads")
    known = (
        {} if heads is None else {(int(row["epoch"]), int(row["head"])): row for _, row in heads.iterrows()}
    )
    labels = tuple(
        tuple(
            str(known[epoch, head][f"scale_{side}"]) if (epoch, head) in known else ""
            for side in _SIDES
            for head in range(shape[0])
        )
        for epoch in epochs
    )
    return Data(
        variant=reader.variant,
        label=reader.label,
        epochs=tuple(epochs),
        available=len(available),
        attention=np.stack([reader.artifact(NAME, epoch)[NAME][:, :2] for epoch in epochs]),
        labels=labels,
        grokking=found,
        missing=series.missing_note(available, reader.scheduled),
    )


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    shown = f"{len(data.epochs)} of {data.available} epochs" if len(data.epochs) < data.available else ""
    return panels.draw(
        data.panels,
        title=f"Attention patterns · {data.label}",
        subtitle=" · ".join(part for part in (data.grokking.text, shown, data.missing) if part),
    )


def draw_preview(data: Data) -> bytes:
    """The patterns of the last epoch, small."""
    return panels.draw_preview(data.panels, title="Attention to a (top) and to b")


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, map, row (of a), b0, b1, ...: attention in percent."""
    return panels.table(data.panels, variant=data.variant)


PLOT = Plot(
    name="attention_patterns",
    title="Attention patterns",
    description="""\
Attention from "=" to a (top row) and to b (bottom row) of every head, over the pairs (a, b), on one scale
from 0 to 100 %; the rest goes to "=" itself. The slider moves among a few epochs: the first, the last, the
one nearest to grokking and some between. Above each map the scale at which it works, from the heads
summary: *coarse* (coarseness at least 0.7 and small relative gradient), *fine* (below 0.5 and large),
*flat* (constant), else *mixed*.

**How to read it.** A head that attends to a where b does not matter has vertical or horizontal bands; waves
in both directions mean that it compares the two. A label that changes with the epoch is a head that changes
its scale.
""",
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=(NAME,),
    uses=("summaries/heads", "summaries/grokking"),
)
