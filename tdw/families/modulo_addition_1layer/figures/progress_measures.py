"""P10: progress measures over training, on a shared axis of epochs."""

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

# column, name, color, dash, which key frequencies it rests on ("": none)
_LOSSES = (
    ("train_loss", "train loss", style.TRAIN, "solid", ""),
    ("test_loss", "test loss", style.TEST, "solid", ""),
    ("restricted_loss_test", "restricted loss (test)", style.ACCENT, "dash", "epoch"),
    ("excluded_loss_train", "excluded loss (train)", "#CC79A7", "dashdot", "epoch"),
    ("restricted_loss_last_keys_test", "restricted loss (test)", style.ACCENT, "dash", "last"),
    ("excluded_loss_last_keys_train", "excluded loss (train)", "#CC79A7", "dashdot", "last"),
)
_GINI = (
    ("gini_W_E_components", "Gini of W_E", style.COLORS[0], "solid"),
    ("gini_W_L_components", "Gini of W_out W_U", style.COLORS[1], "dash"),
)
_WEIGHTS = "sum_squared_weights"
_ROWS = ((0.54, 1.0), (0.27, 0.48), (0.0, 0.21))
COLUMNS = (*(loss[0] for loss in _LOSSES), *(gini[0] for gini in _GINI), _WEIGHTS)


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        measures: columns epoch and `COLUMNS`; losses in nats; a row a scheduled epoch, NaN where it is
            missing.
        last_keys: key frequencies of the last epoch, as text.
        missing: what is missing, in words, or "".
    """

    variant: str
    label: str
    measures: pd.DataFrame
    last_keys: str
    grokking: grokking.Grokking
    missing: str


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of progress measures."""
    reader = sources.only
    table = reader.summary("progress_measures")
    return Data(
        variant=reader.variant,
        label=reader.label,
        measures=series.on_schedule(table[["epoch", *COLUMNS]], reader.scheduled),
        last_keys=str(table["last_key_frequencies"].iloc[-1]),
        grokking=grokking.load(reader),
        missing=series.missing_note(table["epoch"], reader.scheduled),
    )


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    traces = [
        _line(data, column, name, color, dash, "y", "%{y:.3~g} nats", visible=keys != "last")
        for column, name, color, dash, keys in _LOSSES
    ]
    traces += [_line(data, *gini, "y2", "%{y:.3f}") for gini in _GINI]
    traces.append(_line(data, _WEIGHTS, "sum of squared weights", style.MUTED, "solid", "y3", "%{y:,.4~g}"))
    keyed = [i for i, loss in enumerate(_LOSSES) if loss[-1]]
    entries = [
        style.restyle(label, keyed, visible=[_LOSSES[i][-1] == keys for i in keyed])
        for label, keys in (("keys of each epoch", "epoch"), ("keys of the last", "last"))
    ]
    keys = f"key frequencies at the last epoch: {data.last_keys or 'none'}"
    return style.figure(
        f"Progress measures · {data.label}",
        traces,
        subtitle=" · ".join(part for part in (data.grokking.text, keys, data.missing) if part),
        xaxis=style.epoch_axis(anchor="y3"),
        yaxis=style.loss_axis("loss (nats)", domain=_ROWS[0]) | {"dtick": 2},
        yaxis2={"domain": _ROWS[1], "title": {"text": "Gini (0–1)"}, "range": [0, 1], "nticks": 4},
        yaxis3={
            "domain": _ROWS[2],
            "title": {"text": "Σ w²"},
            "rangemode": "tozero",
            "tickformat": ",",
            "nticks": 4,
        },
        updatemenus=[style.buttons(entries)],
        **grokking.marks(data.grokking),
    )


def _line(
    data: Data, column: str, name: str, color: str, dash: str, axis: str, form: str, *, visible: bool = True
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": data.measures["epoch"].to_numpy(),
        "y": data.measures[column].to_numpy(np.float64),
        "yaxis": axis,
        "mode": "lines+markers",
        "connectgaps": False,
        "line": {"color": color, "width": 1.8, "dash": dash},
        "marker": {"size": 4},
        "name": name,
        "visible": visible,
        "hovertemplate": form,
    }


def draw_preview(data: Data) -> bytes:
    """The losses, small."""
    figure, (axis,) = preview.canvas(f"Progress measures · {data.label}")
    for column, name, color, dash, keys in _LOSSES:
        if keys != "last":
            axis.plot(
                data.measures["epoch"],
                data.measures[column].to_numpy(np.float64),
                color=color,
                linewidth=1.2,
                linestyle={"solid": "-", "dash": "--", "dashdot": "-."}[dash],
                label=name,
            )
    if data.grokking.epoch is not None:
        axis.axvline(data.grokking.epoch, color=style.MUTED, linewidth=0.8, linestyle="--")
    axis.set_yscale("log")
    preview.epochs(axis)
    preview.label(axis, y="loss (nats)")
    preview.legend(axis)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch and `COLUMNS`; empty where the epoch is missing."""
    return data.measures.assign(variant=data.variant)[["variant", "epoch", *COLUMNS]]


PLOT = Plot(
    name="progress_measures",
    title="Progress measures",
    description="""\
Measures that can move before the test loss does ([Nanda et al. 2023](https://arxiv.org/abs/2301.05217),
sections 5.1 and 5.2), on one axis of epochs.

- *restricted loss*: of the logits projected on cos, sin(w_k(a + b)) of the key frequencies, plus the mean
  logits; here over test pairs. Low means that the Fourier circuit is there.
- *excluded loss*: of the logits without those directions, over train pairs. High means that what fits the
  training pairs is the circuit, low that it is memorized.
- *Gini coefficient* ([Hurley & Rickard 2009](https://arxiv.org/abs/0811.4706)) of the norms of W_E, and of
  W_out W_U, over Fourier components: near 1 when few frequencies carry all.
- the sum of squared weights.

**How to read it.** With the *keys of each epoch* nothing looks ahead, so a measure that moves before the
test loss could have predicted it. With the *keys of the last* epoch, as in the paper, the final frequencies
are known from the start (excluded loss: mean over them, each alone). Points are checkpoints; a missing one
leaves a gap.
""",
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/progress_measures",),
    uses=("summaries/grokking",),
)
