"""Several quantities over training in the mean, and beside it each of them by position at one epoch."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Line, Moving
from tdw.drawing.style import COLORS, DASHES
from tdw.recipes.common import panels, subject

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import VariantReader

_MOST_STOPS = 60
POSITION = Axis("position", "token", form="d")


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        epochs: int64 (e,), ascending.
        values: float64 (e, n, positions).
        names: (n,), of the quantities.
    """

    subject: subject.Subject
    epochs: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    names: tuple[str, ...]


def read(reader: VariantReader, analyzer: str, array: str, names: tuple[str, ...]) -> Data:
    """An array [quantity, position] of every epoch."""
    epochs = reader.epochs(analyzer)
    values = np.stack([reader.artifact(analyzer, epoch)[array] for epoch in epochs])
    return Data(subject.of(reader, epochs), np.array(epochs, np.int64), values, names)


def chart(data: Data, title: str, y: Axis, *, subtitle: str = "") -> Chart:
    """Means over positions; beside them, where more than one position counts, every position."""
    means = _table_of_means(data)
    columns = dict(zip(data.names, data.names, strict=True))
    left = Panel(
        series.lines_of(means, columns, scheduled=data.subject.scheduled),
        y=y,
        title="mean over positions" if data.values.shape[2] > 1 else "",
    )
    said = sentences(subtitle, data.subject.missing)
    title = f"{title} · {data.subject.label}"
    if data.values.shape[2] == 1:
        return Chart(title, (left,), subtitle=said)
    stops = [int(epoch) for epoch in series.spread(data.epochs.tolist(), _MOST_STOPS)]
    places = np.searchsorted(data.epochs, stops)
    at: npt.NDArray[np.int64] = np.arange(data.values.shape[2], dtype=np.int64)
    moving: list[AnyMark | Moving] = [
        Moving(
            [
                Line(
                    at, data.values[place, i].astype(np.float32), name=name, color=color, group=name,
                    legend=False, dash=DASHES[i // len(COLORS) % len(DASHES)],
                )
                for place in places
            ]
        )
        for i, (color, name) in enumerate(zip(itertools.cycle(COLORS), data.names, strict=False))
    ]  # fmt: skip
    low, high = float(data.values.min()), float(data.values.max())
    margin = 0.04 * (high - low) or 0.1
    fixed = Axis(y.title, y.unit, range=(low - margin, high + margin), form=y.form)
    right = Panel(
        moving, x=POSITION, y=fixed, title="by position, at the slider's epoch", column=1, small=False
    )
    return Chart(
        title,
        (left, right),
        subtitle=sentences(said, panels.shown(tuple(stops), len(data.epochs))),
        epochs=tuple(stops),
        widths=(1, 1),
        gaps=(0.09, 0.06),
    )


def table(data: Data, what: str) -> pd.DataFrame:
    """Columns variant, epoch, `what`, and one per position."""
    import pandas as pd

    keys = pd.MultiIndex.from_product(
        [[data.subject.variant], data.epochs, data.names], names=["variant", "epoch", what]
    )
    positions = data.values.shape[2]
    values = pd.DataFrame(
        data.values.reshape(-1, positions), columns=[f"position{i}" for i in range(positions)]
    )
    return pd.concat([keys.to_frame(index=False), values], axis=1)


def _table_of_means(data: Data) -> pd.DataFrame:
    import pandas as pd

    means = dict(zip(data.names, data.values.mean(axis=2).T, strict=True))
    return pd.DataFrame({"epoch": data.epochs, **means})
