"""Small maps side by side, each over the same two axes, with a slider over epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Heat, Moving, Scale, Steps

if TYPE_CHECKING:
    import pandas as pd

FRAME_BUDGET = 850_000
"""Bytes of the frames of one figure, in base64. Frames of more make a page slow."""


@dataclass(frozen=True)
class Maps:
    """What is drawn.

    Attributes:
        epochs: (e,) ascending, of the slider.
        values: uint8 or uint16 (e, n, t, t), indexed [epoch, map, row, column].
        names: (n,), of the maps, as in the table.
        titles: e lists of n titles above the maps.
        scales: (n,), the scale of colors of each map.
        columns: maps in a row; the rows follow each other in order.
        side: length of both axes: they count from 0 to it, whatever t is.
        x, y: the axes, along columns and along rows.
        unit: behind a value in hover texts.
        note: a line for the page of every epoch.
        chosen: indices of the parts that a reader can choose, in the order of their maps.
    """

    epochs: tuple[int, ...]
    values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    names: tuple[str, ...]
    titles: tuple[tuple[str, ...], ...]
    scales: tuple[Scale, ...]
    columns: int
    side: int
    x: Axis
    y: Axis
    unit: str = " %"
    note: str = ""
    chosen: tuple[int, ...] = ()


def percent(
    values: npt.NDArray[np.floating], whole: npt.NDArray[np.floating] | float
) -> npt.NDArray[np.uint8]:
    """values / whole in percent, 0 where the whole is 0: uint8, a quarter of the size of float32."""
    share = np.divide(values, whole, out=np.zeros_like(values), where=np.asarray(whole) > 0)
    return np.clip(np.rint(100 * share), 0, 255).astype(np.uint8)


def affordable(panels: int, pixels: int, *, least: int = 4) -> int:
    """How many epochs of so many maps of so many pixels the frames can hold."""
    return max(FRAME_BUDGET * 3 // 4 // (panels * pixels), least)


def shown(epochs: tuple[int, ...], available: int) -> str:
    """Which part of the epochs is in the figure; "" for all."""
    return f"{len(epochs)} of {available} epochs" if len(epochs) < available else ""


def chart(maps: Maps, *, title: str, subtitle: str) -> Chart:
    """The maps in a grid, at the last epoch."""
    step = maps.side / maps.values.shape[-1]
    at = Steps((step - 1) / 2, step)
    hover = f"{maps.y.title} = {{y:.0f}}, {maps.x.title} = {{x:.0f}}<br>{{z}}{maps.unit}"
    panels: list[Panel] = []
    for i, name in enumerate(maps.names):
        stops = [Heat(at, at, values[i], maps.scales[i], name=name, hover=hover) for values in maps.values]
        row, column = divmod(i, maps.columns)
        titles = tuple(each[i] for each in maps.titles)
        panels.append(Panel([Moving(stops)], x=maps.x, y=maps.y, title=titles, row=row, column=column))
    return Chart(
        title,
        tuple(panels),
        subtitle=subtitle,
        epochs=maps.epochs,
        gaps=(0.012, 0.08),
        square=True,
        unified=False,
    )


def table(maps: Maps, *, variant: str) -> pd.DataFrame:
    """Columns variant, epoch, map, row, and one per column of the maps: values as in the figure."""
    import pandas as pd

    t = maps.values.shape[-1]
    keys = pd.MultiIndex.from_product(
        [[variant], maps.epochs, maps.names, range(t)], names=["variant", "epoch", "map", "row"]
    )
    index = keys.to_frame(index=False)
    values = pd.DataFrame(maps.values.reshape(-1, t), columns=[f"{maps.x.title}{i}" for i in range(t)])
    return pd.concat([index, values], axis=1)
