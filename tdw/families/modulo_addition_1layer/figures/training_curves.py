"""P9: losses on a logarithmic axis, accuracy, checkpoints as a rug, the grokking epoch, mean coarseness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import preview, series, style
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources

_LOSS, _RUG, _ACCURACY = (0.40, 1.0), (0.33, 0.37), (0.0, 0.26)


@dataclass(frozen=True)
class Data:
    """One variant's training.

    Attributes:
        history: columns epoch, train_loss, test_loss (nats), test_accuracy (0-1).
        checkpoints, missing: epochs that are stored, and those that are scheduled and not.
        coarseness: columns epoch, mean_coarseness, a row a scheduled epoch; None where there is no summary.
    """

    variant: str
    label: str
    look: style.Look
    history: pd.DataFrame
    checkpoints: tuple[int, ...]
    missing: tuple[int, ...]
    missing_note: str
    coarseness: pd.DataFrame | None
    grokking: grokking.Grokking


def load(sources: Sources, parameters: NoParameters) -> Data:
    """History, checkpoints, grokking epoch and, where there is one, the coarseness summary."""
    reader = sources.only
    coarseness = reader.optional_summary("coarseness")
    return Data(
        variant=reader.variant,
        label=reader.label,
        look=reader.look,
        history=reader.history(),
        checkpoints=tuple(reader.checkpoints),
        missing=tuple(series.missing_epochs(reader.checkpoints, reader.scheduled)),
        missing_note=series.missing_note(reader.checkpoints, reader.scheduled),
        coarseness=None
        if coarseness is None
        else series.on_schedule(coarseness[["epoch", "mean_coarseness"]], reader.scheduled),
        grokking=grokking.load(reader),
    )


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    traces = [*_curves(data), *_rug(data)]
    menus: list[dict[str, Any]] = []
    if data.coarseness is not None:
        entries = [
            {
                "label": name,
                "method": "update",
                "args": [{"visible": [shown]}, {"yaxis4.visible": shown}, [len(traces)]],
            }
            for name, shown in (("with coarseness", True), ("without", False))
        ]
        menus.append(style.buttons(entries))
        traces.append(_coarseness(data.coarseness))
    return style.figure(
        f"Training · {data.label}",
        traces,
        subtitle=" · ".join(part for part in (data.grokking.text, _rug_note(data)) if part),
        xaxis=style.epoch_axis(anchor="y3"),
        yaxis=style.loss_axis("loss (nats)", domain=_LOSS),
        yaxis2={"domain": _RUG, "visible": False, "range": [-1, 1], "fixedrange": True},
        yaxis3={
            "domain": _ACCURACY,
            "title": {"text": "test accuracy"},
            "range": [-0.02, 1.02],
            "tickformat": ".0%",
        },
        yaxis4=style.coarseness_axis(
            title={"text": "mean coarseness (0 to 1)"}, overlaying="y", **style.second_axis()
        ),
        updatemenus=menus,
        **grokking.marks(data.grokking),
    )


def _rug_note(data: Data) -> str:
    have = f"{len(data.checkpoints)} checkpoints"
    return f"{have}, {data.missing_note}" if data.missing_note else have


def _curves(data: Data) -> list[dict[str, Any]]:
    epochs = data.history["epoch"].to_numpy(np.int64)
    traces: list[dict[str, Any]] = []
    for column, name, color, axis, form in (
        ("train_loss", "train loss", style.TRAIN, "y", "%{y:.3~g} nats"),
        ("test_loss", "test loss", style.TEST, "y", "%{y:.3~g} nats"),
        ("test_accuracy", "test accuracy", style.TEST, "y3", "%{y:.2%}"),
    ):
        x, y = series.curve(epochs, data.history[column].to_numpy(np.float64))
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "yaxis": axis,
                "mode": "lines",
                "connectgaps": False,
                "line": {"color": color, "width": 1.6},
                "name": name,
                "showlegend": axis == "y",
                "hovertemplate": form,
            }
        )
    return traces


def _rug(data: Data) -> list[dict[str, Any]]:
    def ticks(epochs: tuple[int, ...], name: str, symbol: str, color: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "x": np.array(epochs, np.int64),
            "y": np.zeros(len(epochs)),
            "yaxis": "y2",
            "mode": "markers",
            "marker": {"symbol": symbol, "size": 9, "color": color, "line": {"width": 1.2, "color": color}},
            "name": name,
            "hovertemplate": "%{x:,d}",
        }

    traces = [ticks(data.checkpoints, "checkpoint", "line-ns-open", style.MUTED)]
    if data.missing:
        traces.append(ticks(data.missing, "missing checkpoint", "x-thin-open", style.COLORS[1]))
    return traces


def _coarseness(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": table["epoch"].to_numpy(),
        "y": table["mean_coarseness"].to_numpy(),
        "yaxis": "y4",
        "mode": "lines+markers",
        "connectgaps": False,
        "line": {"color": style.ACCENT, "width": 1.6, "dash": "dot"},
        "marker": {"size": 3},
        "name": "mean coarseness (right)",
        "hovertemplate": "%{y:.3f}",
    }


def draw_preview(data: Data) -> bytes:
    """The losses, small, with the rug."""
    figure, (axis,) = preview.canvas(f"Training · {data.label}")
    epochs = data.history["epoch"].to_numpy(np.int64)
    for column, color in (("train_loss", style.TRAIN), ("test_loss", style.TEST)):
        x, y = series.curve(epochs, data.history[column].to_numpy(np.float64), limit=400)
        axis.plot(x, y, color=color, linewidth=1.2, label=column.replace("_", " "))
    axis.set_yscale("log")
    for stored, color in ((data.checkpoints, style.MUTED), (data.missing, style.COLORS[1])):
        heights = np.full(len(stored), 0.02)
        axis.plot(stored, heights, "|", color=color, markersize=4, transform=axis.get_xaxis_transform())
    if data.grokking.epoch is not None:
        axis.axvline(data.grokking.epoch, color=style.MUTED, linewidth=0.8, linestyle="--")
    preview.epochs(axis)
    preview.label(axis, y="loss (nats)")
    preview.legend(axis)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, losses (nats), test_accuracy, and whether a checkpoint is stored."""
    stored = data.history["epoch"].isin(data.checkpoints)
    columns = ["variant", "epoch", "train_loss", "test_loss", "test_accuracy", "checkpoint"]
    return data.history.assign(variant=data.variant, checkpoint=stored)[columns]


PLOT = Plot(
    name="training_curves",
    title="Training curves",
    description="""\
Train and test loss (cross-entropy in nats, logarithmic), test accuracy, and every checkpoint as a tick of
the rug between them; mean coarseness on a second axis.

Values at epoch *e* are of the weights after exactly *e* optimizer steps. The train loss is known at every
epoch, the test loss where it was evaluated. Long curves show, of each stretch, the lowest and the highest
value, so that no spike is lost; the table has every value. The dashed line is the grokking epoch: the first
evaluated epoch from which on the test loss stays below the threshold. A variant that never gets there is
*no grok*, censored at its last epoch.

**How to read it.** A scheduled checkpoint that is missing stands in the rug as an orange cross; where
epochs were never trained the curves have a gap.
""",
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("history",),
    uses=("checkpoints", "summaries/grokking", "summaries/coarseness"),
)
