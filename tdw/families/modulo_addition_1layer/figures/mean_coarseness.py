"""P2: mean coarseness against epoch with its spread, and the test loss on a second axis."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import preview, series, style
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources, VariantReader

STATISTICS = ("mean_coarseness", "std_coarseness", "p25_coarseness", "p75_coarseness")
_BANDS = {"quartiles": "p25 to p75", "std": "mean ± std"}


@dataclass(frozen=True)
class Line:
    """One variant.

    Attributes:
        coarseness: columns epoch and `STATISTICS`; a row a scheduled epoch, NaN where it is missing.
        losses: columns epoch, test_loss (nats, NaN where not evaluated); empty where there is no history.
        missing: what is missing, in words, or "".
    """

    variant: str
    label: str
    look: style.Look
    coarseness: pd.DataFrame
    losses: pd.DataFrame
    grokking: grokking.Grokking
    missing: str


@dataclass(frozen=True)
class Data:
    """Lines in the study's order, and the labels of variants without the summary."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...] = ()


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Every variant that has a coarseness summary."""
    return Data(*sources.collect(_load_line))


def _load_line(reader: VariantReader) -> Line:
    table = reader.summary("coarseness")[["epoch", *STATISTICS]]
    return Line(
        variant=reader.variant,
        label=reader.label,
        look=reader.look,
        coarseness=series.on_schedule(table, reader.scheduled),
        losses=reader.optional_history()[["epoch", "test_loss"]],
        grokking=grokking.load(reader),
        missing=series.missing_note(table["epoch"], reader.scheduled),
    )


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    one = len(data.lines) == 1
    line = data.lines[0]
    traces = [found for line in data.lines for found in _traces(line, one=one)]
    return style.figure(
        f"Mean coarseness · {line.label}" if one else "Mean coarseness by variant",
        [trace for trace, _ in traces],
        subtitle=subtitle(data.lines, data.left_out),
        xaxis=style.epoch_axis(),
        yaxis=style.coarseness_axis(title={"text": "mean coarseness (0 to 1)"}),
        yaxis2=style.loss_axis(style.TEST_LOSS_TITLE, overlaying="y", **style.second_axis()),
        updatemenus=_menus([kind for _, kind in traces], one=one),
        **grokking.marks(line.grokking if one else grokking.Grokking()),
    )


def _traces(line: Line, *, one: bool) -> list[tuple[dict[str, Any], str]]:
    table, look = line.coarseness, line.look
    x = table["epoch"].to_numpy()
    mean, std, low, high = (table[name].to_numpy(np.float64) for name in STATISTICS)
    dash = "solid" if one else look.dash
    traces: list[tuple[dict[str, Any], str]] = []
    for kind, (bottom, top) in {"quartiles": (low, high), "std": (mean - std, mean + std)}.items():
        xs, ys = series.band(x, bottom, top)
        band = {
            "type": "scatter",
            "x": xs,
            "y": ys,
            "mode": "lines",
            "fill": "toself",
            "fillcolor": style.rgba(look.color, 0.22 if one else 0.10),
            "line": {"width": 0, "color": look.color},
            "name": _BANDS[kind] if one else f"{line.label} {_BANDS[kind]}",
            "hoverinfo": "skip",
            "legendgroup": "" if one else line.variant,
            "showlegend": one,
            "visible": one and kind == "quartiles",
        }
        traces.append((band, kind))
    traces.append(
        (
            {
                "type": "scatter",
                "x": x,
                "y": mean,
                "mode": "lines+markers",
                "connectgaps": False,
                "line": {"color": look.color, "width": 2, "dash": dash},
                "marker": {"size": 4 if one else 5, "symbol": look.symbol},
                "name": "mean coarseness" if one else line.label + _no_grok(line),
                "legendgroup": "" if one else line.variant,
                "hovertemplate": "%{y:.3f}",
            },
            "mean",
        )
    )
    loss_x, loss_y = series.curve(
        line.losses["epoch"].to_numpy(np.int64), line.losses["test_loss"].to_numpy(np.float64)
    )
    loss = {
        "type": "scatter",
        "x": loss_x,
        "y": loss_y,
        "yaxis": "y2",
        "mode": "lines",
        "connectgaps": False,
        "line": {"color": style.TEST if one else look.color, "width": 1.3, "dash": "solid" if one else "dot"},
        "opacity": 1 if one else 0.75,
        "name": "test loss (right)" if one else f"{line.label} test loss",
        "legendgroup": "" if one else line.variant,
        "showlegend": one,
        "hovertemplate": "%{y:.3~g} nats",
    }
    if len(loss_x):
        traces.append((loss, "loss"))
    return traces


def _menus(kinds: list[str], *, one: bool) -> list[dict[str, Any]]:
    bands = [i for i, kind in enumerate(kinds) if kind in _BANDS]
    losses = [i for i, kind in enumerate(kinds) if kind == "loss"]

    def band(label: str, shown: str | None) -> dict[str, Any]:
        return style.restyle(label, bands, visible=[kinds[i] == shown for i in bands])

    menus = [
        style.buttons(
            [band("quartiles", "quartiles"), band("± std", "std"), band("no band", None)],
            active=0 if one else 2,
        )
    ]
    if losses:
        entries = [
            style.restyle(label, losses, visible=[shown] * len(losses))
            for label, shown in (("with test loss", True), ("without", False))
        ]
        menus.append(style.buttons(entries, at="left"))
    return menus


def subtitle(lines: tuple[Line, ...] | tuple[Any, ...], left_out: tuple[str, ...]) -> str:
    """What the reader must know: grokking of one variant, and what is missing of any."""
    if len(lines) == 1 and not left_out:
        parts = [lines[0].grokking.text, lines[0].missing]
    else:
        parts = [f"{line.label}: {line.missing}" for line in lines if line.missing]
        if len(parts) > 2:
            parts = [f"{len(parts)} variants miss scheduled epochs"]
        if left_out:
            parts.append("not analyzed yet: " + ", ".join(left_out))
    return " · ".join(part for part in parts if part)


def _no_grok(line: Line) -> str:
    return " (no grok)" if line.grokking.known and line.grokking.epoch is None else ""


def draw_preview(data: Data) -> bytes:
    """The same lines, small."""
    one = len(data.lines) == 1
    figure, (axis,) = preview.canvas("Mean coarseness" + (f" · {data.lines[0].label}" if one else ""))
    right = preview.second(axis, y="test loss (nats)") if one else None
    for line in data.lines:
        x = line.coarseness["epoch"].to_numpy()
        mean, _, low, high = (line.coarseness[name].to_numpy(np.float64) for name in STATISTICS)
        if one:
            axis.fill_between(x, low, high, color=line.look.color, alpha=0.22, linewidth=0)
        axis.plot(x, mean, color=line.look.color, linewidth=1.4, marker=".", markersize=2, label=line.label)
        if right is not None and len(line.losses):
            xs, ys = series.curve(
                line.losses["epoch"].to_numpy(np.int64),
                line.losses["test_loss"].to_numpy(np.float64),
                limit=400,
            )
            right.plot(xs, ys, color=style.TEST, linewidth=0.9)
            right.set_yscale("log")
        if one and line.grokking.epoch is not None:
            axis.axvline(line.grokking.epoch, color=style.MUTED, linewidth=0.8, linestyle="--")
    axis.set_ylim(0, 1)
    preview.epochs(axis)
    preview.label(axis, y="mean coarseness")
    if not one:
        preview.legend(axis, ncols=2)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, `STATISTICS`, test_loss (nats): a row an epoch, empty where missing."""
    import pandas as pd

    return pd.concat(
        [
            line.coarseness.merge(line.losses, on="epoch", how="left").assign(variant=line.variant)
            for line in data.lines
        ],
        ignore_index=True,
    )[["variant", "epoch", *STATISTICS, "test_loss"]]


DESCRIPTION = """\
Mean coarseness of all MLP neurons against epoch, with the quartiles (or one standard deviation) as a band,
and the test loss on a second, logarithmic axis.

*Coarseness* of a neuron is the share of its non-constant 2-D Fourier power over (a, b) within the disc of
radius int(p / 8): 1 for a map of large blobs, 0 for a fine plaid or a dead neuron.

**How to read it.** Whether the mean rises before, with or after the drop of the test loss. A wide band
means that the neurons differ. Points are checkpoints; a missing checkpoint leaves a gap, and the line below
the title says which.
"""

PLOT = Plot(
    name="mean_coarseness",
    title="Mean coarseness",
    description=DESCRIPTION,
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/coarseness",),
    uses=("history", "summaries/grokking"),
)

COMPARISON = dataclasses.replace(
    PLOT,
    name="mean_coarseness_comparison",
    title="Mean coarseness by variant",
    description=DESCRIPTION
    + """
One color and symbol a variant, the same in every figure; dotted: its test loss, on the right axis.
""",
    scope="comparison",
)
