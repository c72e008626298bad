"""P8: clusters of neurons that share a frequency, over training and at its end."""

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

_MOST_NAMED = 7
_OTHERS = "other frequencies"
_LEFT, _RIGHT = (0.0, 0.55), (0.68, 1.0)


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        sizes: columns epoch, "1", "2", ...: neurons in each frequency's cluster; a row a scheduled epoch,
            NaN where it is missing.
        final: columns neuron, final_frequency, final_fraction, final_cluster, last_epoch; None where there
            is no such summary yet.
        missing: what is missing, in words, or "".
    """

    variant: str
    label: str
    sizes: pd.DataFrame
    final: pd.DataFrame | None
    grokking: grokking.Grokking
    missing: str

    @property
    def named(self) -> list[str]:
        """The frequencies with the largest clusters at any epoch, by frequency: those the legend names."""
        largest = self.sizes.drop(columns="epoch").max().sort_values(ascending=False, kind="stable")
        return sorted((str(k) for k in largest[largest > 0].index[:_MOST_NAMED]), key=int)

    @property
    def others(self) -> pd.Series:
        """Neurons in all other clusters, by row of `sizes`."""
        rest = self.sizes.drop(columns=["epoch", *self.named])
        return rest.sum(axis=1, min_count=1) if rest.shape[1] else rest.sum(axis=1)


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Cluster sizes of the frequency summary, and the neuron summary."""
    reader = sources.only
    table = reader.summary("frequencies")
    h = sum(str(name).startswith("neurons_") for name in table.columns)
    sizes = table[["epoch", *(f"neurons_{k}" for k in range(1, h + 1))]]
    sizes = sizes.rename(columns={f"neurons_{k}": str(k) for k in range(1, h + 1)})
    return Data(
        variant=reader.variant,
        label=reader.label,
        sizes=series.on_schedule(sizes, reader.scheduled),
        final=reader.optional_summary("neurons"),
        grokking=grokking.load(reader),
        missing=series.missing_note(table["epoch"], reader.scheduled),
    )


def _colors(data: Data) -> dict[str, str]:
    return {k: style.COLORS[i % len(style.COLORS)] for i, k in enumerate(data.named)}


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    traces = _sizes(data)
    right: list[str] = []
    axes: dict[str, Any] = {"xaxis": style.epoch_axis(domain=_LEFT if data.final is not None else (0, 1))}
    if data.final is not None:
        traces += _final(data, data.final)
        right = [f"right: every neuron at epoch {int(data.final['last_epoch'].iloc[0]):,}"]
        axes["xaxis2"] = {
            "domain": _RIGHT,
            "title": {"text": "frequency k"},
            "range": [0, data.sizes.shape[1]],
        }
        axes["yaxis2"] = {
            "anchor": "x2",
            "title": {"text": "fraction of variance explained"},
            "range": [-0.02, 1.02],
            "hoverformat": ".3f",
        }
    return style.figure(
        f"Neuron frequency clusters · {data.label}",
        traces,
        subtitle=" · ".join(part for part in (data.grokking.text, data.missing, *right) if part),
        hovermode="closest",
        yaxis={"title": {"text": "neurons in the cluster"}, "rangemode": "tozero"},
        **axes,
        **grokking.marks(data.grokking),
    )


def _sizes(data: Data) -> list[dict[str, Any]]:
    colors = _colors(data)
    x = data.sizes["epoch"].to_numpy()

    def line(name: str, y: Any, color: str, place: int) -> dict[str, Any]:
        return {
            "type": "scatter",
            "x": x,
            "y": np.asarray(y, np.float64),
            "mode": "lines+markers",
            "connectgaps": False,
            "line": {"color": color, "width": 2},
            "marker": {"size": 4, "symbol": style.SYMBOLS[place % len(style.SYMBOLS)]},
            "name": name,
            "legendgroup": name,
            "hovertemplate": "epoch %{x:,d}<br>%{y:,d} neurons<extra>%{fullData.name}</extra>",
        }

    lines = [line(f"k = {k}", data.sizes[k], colors[k], i) for i, k in enumerate(data.named)]
    others = data.others
    if np.nanmax(np.asarray(others, np.float64), initial=0) > 0:
        lines.append(line(_OTHERS, others, style.MUTED, len(lines)))
    return lines


def _final(data: Data, final: pd.DataFrame) -> list[dict[str, Any]]:
    colors = _colors(data)
    alive = final[final["final_frequency"] > 0]
    cluster = alive["final_cluster"].astype(int).astype(str)
    group = cluster.where(cluster.isin(data.named), _OTHERS).mask(cluster == "0", "in no cluster")
    traces: list[dict[str, Any]] = []
    for name in [*data.named, _OTHERS, "in no cluster"]:
        rows = alive[group == name]
        if rows.empty:
            continue
        color = colors.get(name, style.MUTED)
        none = name == "in no cluster"
        traces.append(
            {
                "type": "scatter",
                "x": rows["final_frequency"].to_numpy(),
                "y": rows["final_fraction"].to_numpy(np.float64),
                "customdata": rows["neuron"].to_numpy(),
                "xaxis": "x2",
                "yaxis": "y2",
                "mode": "markers",
                "marker": {
                    "color": color,
                    "size": 6,
                    "opacity": 0.7,
                    "symbol": "circle-open" if none else "circle",
                },
                "name": name if name in (_OTHERS, "in no cluster") else f"k = {name}",
                "legendgroup": f"k = {name}" if name in colors else name,
                "showlegend": none,
                "hovertemplate": "neuron %{customdata}<br>k = %{x}<br>fraction %{y:.3f}<extra></extra>",
            }
        )
    return traces


def draw_preview(data: Data) -> bytes:
    """The cluster sizes, small."""
    figure, (axis,) = preview.canvas(f"Neuron clusters · {data.label}")
    for k, color in _colors(data).items():
        sizes = data.sizes[k].to_numpy(np.float64)
        axis.plot(
            data.sizes["epoch"], sizes, color=color, linewidth=1.3, marker=".", markersize=2, label=f"k = {k}"
        )
    if data.grokking.epoch is not None:
        axis.axvline(data.grokking.epoch, color=style.MUTED, linewidth=0.8, linestyle="--")
    axis.set_ylim(bottom=0)
    preview.epochs(axis)
    preview.label(axis, y="neurons in the cluster")
    if data.named:
        preview.legend(axis, ncols=2)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, frequency, neurons (in its cluster); empty where the epoch is missing."""
    long = data.sizes.melt("epoch", var_name="frequency", value_name="neurons")
    long = long.assign(variant=data.variant, frequency=long["frequency"].astype(int))
    return long.sort_values(["epoch", "frequency"], ignore_index=True)[
        ["variant", "epoch", "frequency", "neurons"]
    ]


PLOT = Plot(
    name="neuron_clusters",
    title="Neuron frequency clusters",
    description="""\
A neuron belongs to the cluster of frequency k when k explains at least 85 % of the variance of its map over
(a, b): the eight terms of {1, cos k, sin k} × {1, cos k, sin k} without the constant ([Nanda et al.
2023](https://arxiv.org/abs/2301.05217)). Left: how many neurons each cluster has, over epochs; the legend
names the seven largest. Right: every neuron at the last epoch, its best frequency and the fraction
explained.

**How to read it.** When clusters appear, whether they take neurons from each other, and how many neurons
serve no single frequency (open circles). Points are checkpoints; a missing checkpoint leaves a gap.
""",
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/frequencies",),
    uses=("summaries/neurons", "summaries/grokking"),
)
