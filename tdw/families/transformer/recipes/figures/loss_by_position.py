"""How well each position is predicted, across training: what the model gains from its context, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Heat, Line, Moving, Scale
from tdw.drawing.style import DENSITY_SCALE, MUTED, TEST
from tdw.families.transformer.recipes.analyzers import LENS
from tdw.families.transformer.recipes.figures import by_position
from tdw.recipes.common import panels
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tdw.drawing.marks import Numbers
    from tdw.recipes.reading.reader import Sources

_MOST_STOPS = 60
LOSS = Axis("loss", "nats", form=".4f")


def load(sources: Sources, parameters: NoParameters) -> by_position.Data:
    """The model's own loss at every epoch."""
    found = by_position.read(sources.only, LENS.name, "loss", ("model",))
    return by_position.Data(found.subject, found.epochs, found.values[:, -1:], found.names)


def chart(data: by_position.Data, *, levels: Mapping[str, Numbers] | None = None) -> Chart:
    """The loss by position at the slider's epoch, above the same at all epochs as a heat map.

    Args:
        data: what is drawn.
        levels: name -> (positions,) of what a known strategy reaches, drawn beside the loss.
    """
    losses = data.values[:, 0]
    if losses.shape[1] == 1:
        return by_position.chart(data, "Loss", LOSS)
    at: npt.NDArray[np.int64] = np.arange(losses.shape[1], dtype=np.int64)
    stops = series.spread(list(range(len(data.epochs))), _MOST_STOPS)
    epochs = tuple(int(data.epochs[i]) for i in stops)
    first = Line(at, losses[0], name=f"epoch {epochs[0]:,}", color=MUTED, width=1.2)
    model = Moving([Line(at, losses[i].astype(np.float32), name="model", color=TEST) for i in stops])
    known = [
        Line(at, values, name=name, color=color, dash="dash", width=1.4)
        for color, (name, values) in zip(
            ("#0072B2", "#009E73", "#A69B00"), (levels or {}).items(), strict=False
        )
    ]
    marks: list[AnyMark | Moving] = [first, *known, model]
    low = min(float(losses.min()), *(float(mark.y.min()) for mark in known), np.inf)
    high = max(float(np.quantile(losses, 0.999)), *(float(mark.y.max()) for mark in known), 0)
    margin = 0.05 * (high - low) or 0.1
    above = Axis(LOSS.title, LOSS.unit, range=(low - margin, high + margin), form=LOSS.form)
    names = tuple(f"{int(epoch):,}" for epoch in data.epochs)
    heat = Heat(
        at, names, losses, Scale("loss (nats)", high, colors=DENSITY_SCALE, form=".4f", bottom=low),
        hover="epoch {y}<br>position {x}<br>{z:.4f} nats",
    )  # fmt: skip
    return Chart(
        f"Loss by position · {data.subject.label}",
        (
            Panel(marks, x=by_position.POSITION, y=above),
            Panel(
                [heat], x=by_position.POSITION, y=Axis("epoch", categories=names, most=8), row=1, small=False
            ),
        ),
        subtitle=sentences(data.subject.missing, panels.shown(epochs, len(data.epochs))),
        epochs=epochs,
        heights=(5, 6),
        gaps=(0.06, 0.05),
        unified=False,
    )


def table(data: by_position.Data) -> pd.DataFrame:
    """Columns variant, epoch, and the loss in nats at each position."""
    return by_position.table(data, "of")


PLOT = Plot(
    name="loss_by_position",
    title="Loss by position",
    description="""\
Cross-entropy in nats at each position that counts, averaged over the probe: above at the slider's epoch and
at the first, below at every analyzed epoch, one row each, whatever lies between them.

**How to read it.** A loss that falls along the context is learning in context. Where a model of the whole
sequence is not needed, the loss is flat.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(LENS.name,),
)
