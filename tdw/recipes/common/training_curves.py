"""Training curves of any family: the train loss and every metric, with checkpoints as a rug."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Line, Points, loss
from tdw.drawing.style import COLORS, MUTED, TEST, TRAIN
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

NAME = "training_curves"
TRAIN_LOSS = "train_loss"
_COLORS = (TRAIN, TEST, *COLORS)


@dataclass(frozen=True)
class Data:
    """One variant's training.

    Attributes:
        history: columns epoch, train_loss and the metrics of the family.
        checkpoints, missing: epochs that are stored, and those that are scheduled and not.
    """

    variant: str
    label: str
    history: pd.DataFrame
    checkpoints: tuple[int, ...]
    missing: tuple[int, ...]
    missing_note: str

    @property
    def metrics(self) -> list[str]:
        """Columns of the history beside epoch and train_loss."""
        return [str(name) for name in self.history.columns if name not in ("epoch", TRAIN_LOSS)]

    @property
    def losses(self) -> list[str]:
        """What is drawn together, at the top."""
        return [TRAIN_LOSS, *(name for name in self.metrics if name.endswith("loss"))]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """History and checkpoints."""
    reader = sources.only
    return Data(
        variant=reader.variant,
        label=reader.label,
        history=reader.history(),
        checkpoints=tuple(reader.checkpoints),
        missing=tuple(series.missing_epochs(reader.checkpoints, reader.scheduled)),
        missing_note=series.missing_note(reader.checkpoints, reader.scheduled),
    )


def chart(data: Data, *, axes: Mapping[str, Axis] | None = None) -> Chart:
    """Losses above, logarithmic where they span powers of ten; then the rug; then a panel per metric.

    Args:
        data: what is drawn.
        axes: of metrics; and of "loss", where it has a unit. Others have their name.
    """
    known = axes or {}
    plain = known.get("loss", Axis("loss", form=".3~g"))
    curves = [_curve(data, name, color) for name, color in zip(data.losses, _COLORS, strict=False)]
    panels = [Panel(curves, y=loss(plain.title, plain.unit) if _spans_decades(data) else plain)]
    panels.append(Panel(list(_rug(data)), y=Axis(hidden=True, range=(-1, 1)), row=1))
    for name in data.metrics:
        if name not in data.losses:
            axis = known.get(name, Axis(words(name), form=".4~g"))
            curve = replace(_curve(data, name, TEST), legend=False)
            panels.append(Panel([curve], y=axis, row=len(panels), small=False))
    have = f"{len(data.checkpoints)} checkpoints"
    return Chart(
        f"Training · {data.label}",
        tuple(panels),
        subtitle=f"{have}, {data.missing_note}" if data.missing_note else have,
        heights=(60, 4, *(26 for _ in panels[2:])),
        gaps=(0.06, 0.04),
    )


def _curve(data: Data, name: str, color: str) -> Line:
    x, y = series.curve(data.history["epoch"].to_numpy(np.int64), data.history[name].to_numpy(np.float64))
    return Line(x, y, name=words(name), color=color, width=1.6)


def _rug(data: Data) -> Iterator[Points]:
    """A tick per stored checkpoint, and a cross per missing one."""
    for epochs, name, symbol, color in (
        (data.checkpoints, "checkpoint", "tick", MUTED),
        (data.missing, "missing checkpoint", "x-thin", COLORS[1]),
    ):
        if epochs or not name.startswith("missing"):
            at = np.array(epochs, np.int64)
            yield Points(at, np.zeros(len(at)), name=name, symbol=symbol, color=color, size=9, hover="{x:,d}")


def _spans_decades(data: Data) -> bool:
    """Whether all losses are positive, and two powers of ten are between them to be labeled."""
    values = data.history[data.losses].to_numpy(np.float64)
    known = values[~np.isnan(values)]
    if not (known.size and (known > 0).all()):
        return False
    low, high = np.log10(known.min()), np.log10(known.max())
    return bool(np.floor(high) - np.ceil(low) >= 1)


def words(name: str) -> str:
    """A column's name for people."""
    return name.replace("_", " ")


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, train_loss, the metrics, and whether a checkpoint is stored."""
    stored = data.history["epoch"].isin(data.checkpoints)
    columns = ["variant", "epoch", TRAIN_LOSS, *data.metrics, "checkpoint"]
    return data.history.assign(variant=data.variant, checkpoint=stored)[columns]


PLOT = Plot(
    name=NAME,
    title="Training curves",
    description="""\
Train loss and every metric of the family against epoch, with a tick per stored checkpoint. Losses share the
upper panel, on a logarithmic axis where all are positive and span powers of ten; every other metric has a
panel of its own.

Values at epoch *e* are of the weights after exactly *e* optimizer steps. The train loss is known at every
epoch, a metric where it was evaluated. Long curves show, of each stretch, the lowest and the highest value,
so that no spike is lost; the table has every value.

**How to read it.** A scheduled checkpoint that is missing is an orange cross in the rug; where
epochs were never trained the curves have a gap.
""",
    code_version="3",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("history",),
    uses=("checkpoints",),
)
