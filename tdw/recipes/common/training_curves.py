"""Training curves of any family: the train loss and every metric, with checkpoints as a rug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import preview, series, style
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources

NAME = "training_curves"
TRAIN_LOSS = "train_loss"


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
    def panels(self) -> list[list[str]]:
        """What is drawn together, from top to bottom: losses, then one panel per other metric."""
        losses = [name for name in self.metrics if name.endswith("loss")]
        return [[TRAIN_LOSS, *losses], *([name] for name in self.metrics if name not in losses)]


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


def build(data: Data) -> style.Figure:
    """The interactive figure: losses above, on a logarithmic axis where all are positive."""
    panels = data.panels
    edges = np.linspace(1.0, 0.0, len(panels) + 1)
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for place, names in enumerate(panels):
        axis = "y" if place == 0 else f"y{place + 1}"
        log = place == 0 and _positive(data.history, names)
        axes[f"yaxis{'' if place == 0 else place + 1}"] = {
            "domain": [
                float(edges[place + 1]) + (0.06 if place + 1 < len(panels) else 0.0),
                float(edges[place]),
            ],
            "title": {"text": "loss" if place == 0 else _words(names[0])},
            **({"type": "log", "exponentformat": "power"} if log else {}),
        }
        for name in names:
            traces.append(_curve(data.history, name, axis=axis, color=style.COLORS[len(traces) % 8]))
    traces.append(_rug(data))
    have = f"{len(data.checkpoints)} checkpoints"
    return style.figure(
        f"Training · {data.label}",
        traces,
        subtitle=f"{have}, {data.missing_note}" if data.missing_note else have,
        xaxis=style.epoch_axis(anchor=f"y{len(panels)}" if len(panels) > 1 else "y"),
        **axes,
    )


def draw_preview(data: Data) -> bytes:
    """The losses, small."""
    figure, (axis,) = preview.canvas(f"Training · {data.label}")
    names = data.panels[0]
    epochs = data.history["epoch"].to_numpy(np.int64)
    for name, color in zip(names, style.COLORS, strict=False):
        x, y = series.curve(epochs, data.history[name].to_numpy(np.float64), limit=400)
        axis.plot(x, y, color=color, linewidth=1.2, label=_words(name))
    if _positive(data.history, names):
        axis.set_yscale("log")
    preview.epochs(axis)
    preview.label(axis, y="loss")
    preview.legend(axis)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, train_loss, the metrics, and whether a checkpoint is stored."""
    stored = data.history["epoch"].isin(data.checkpoints)
    columns = ["variant", "epoch", TRAIN_LOSS, *data.metrics, "checkpoint"]
    return data.history.assign(variant=data.variant, checkpoint=stored)[columns]


def _curve(history: pd.DataFrame, name: str, *, axis: str, color: str) -> dict[str, Any]:
    x, y = series.curve(history["epoch"].to_numpy(np.int64), history[name].to_numpy(np.float64))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "yaxis": axis,
        "name": _words(name),
        "line": {"color": color, "width": 1.6},
        "hovertemplate": "%{y:.4~g}",
    }


def _rug(data: Data) -> dict[str, Any]:
    """A tick per stored checkpoint, at the bottom of the losses."""
    losses = data.history[TRAIN_LOSS].to_numpy(np.float64)
    low = float(np.nanmin(losses)) if len(losses) and not np.isnan(losses).all() else 0.0
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.array(data.checkpoints, np.int64),
        "y": np.full(len(data.checkpoints), low),
        "name": "checkpoints",
        "marker": {"symbol": "line-ns-open", "size": 8, "color": style.MUTED},
        "hovertemplate": "checkpoint %{x:,}<extra></extra>",
    }


def _positive(history: pd.DataFrame, names: list[str]) -> bool:
    values = history[names].to_numpy(np.float64)
    known = values[~np.isnan(values)]
    return bool(known.size and (known > 0).all())


def _words(name: str) -> str:
    return name.replace("_", " ")


PLOT = Plot(
    name=NAME,
    title="Training curves",
    description="""\
Train loss and every metric of the family against epoch, with a tick per stored checkpoint. Losses share the
upper panel, on a logarithmic axis where all are positive; every other metric has a panel of its own.

Values at epoch *e* are of the weights after exactly *e* optimizer steps. The train loss is known at every
epoch, a metric where it was evaluated. Long curves show, of each stretch, the lowest and the highest value,
so that no spike is lost; the table has every value.
""",
    code_version="1",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("history",),
    uses=("checkpoints",),
)
