"""Small maps side by side, over the pairs (a, b), with a slider over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.drawing import frames, preview, style

if TYPE_CHECKING:
    import pandas as pd

FRAME_BUDGET = 850_000
"""Bytes of the frames of one figure, in base64. Frames of more make a page slow."""
_GAP = 0.012
_TITLE_HEIGHT = 0.08


@dataclass(frozen=True)
class Scale:
    """A color scale that several maps share.

    Attributes:
        title: of its bar, with the unit.
        colors: name of a Plotly color scale.
        top: where it ends, in percent.
        tops: where it may end instead, chosen by buttons.
    """

    title: str
    colors: str
    top: int = 100
    tops: tuple[int, ...] = ()


@dataclass(frozen=True)
class Maps:
    """What is drawn.

    Attributes:
        epochs: (e,) ascending, of the slider.
        values: uint8 (e, n, t, t), percent, indexed [epoch, map, a, b].
        names: (n,), of the maps, as in the table.
        titles: e lists of n titles above the maps.
        scale: (n,), which of `scales` a map has.
        scales: one or two.
        columns: maps in a row; the rows follow each other in order.
        p: the modulus: the axes count residues, whatever t is.
    """

    epochs: tuple[int, ...]
    values: npt.NDArray[np.uint8]
    names: tuple[str, ...]
    titles: tuple[tuple[str, ...], ...]
    scale: tuple[int, ...]
    scales: tuple[Scale, ...]
    columns: int
    p: int


def percent(
    values: npt.NDArray[np.floating], whole: npt.NDArray[np.floating] | float
) -> npt.NDArray[np.uint8]:
    """values / whole in percent, 0 where the whole is 0: uint8, a quarter of the size of float32."""
    share = np.divide(values, whole, out=np.zeros_like(values), where=np.asarray(whole) > 0)
    return np.clip(np.rint(100 * share), 0, 255).astype(np.uint8)


def affordable(panels: int, pixels: int, *, least: int = 4) -> int:
    """How many epochs of so many maps of so many pixels the frames can hold."""
    return max(FRAME_BUDGET * 3 // 4 // (panels * pixels), least)


def draw(maps: Maps, *, title: str, subtitle: str) -> style.Figure:
    """The interactive figure, at the last epoch."""
    last = len(maps.epochs) - 1
    n = len(maps.names)
    rows = -(-n // maps.columns)
    step = maps.p / maps.values.shape[-1]
    where = {"x0": (step - 1) / 2, "dx": step, "y0": (step - 1) / 2, "dy": step}
    axes: dict[str, Any] = {}
    traces: list[dict[str, Any]] = []
    for i, name in enumerate(maps.names):
        tag = "" if i == 0 else str(i + 1)
        row, column = divmod(i, maps.columns)
        axes[f"xaxis{tag}"], axes[f"yaxis{tag}"] = _axes(
            tag, row=row, column=column, rows=rows, columns=maps.columns, bottom=i + maps.columns >= n
        )
        traces.append(
            {
                "type": "heatmap",
                "z": maps.values[last, i],
                **where,
                "xaxis": f"x{tag}",
                "yaxis": f"y{tag}",
                "coloraxis": _coloraxis(maps.scale[i]),
                "name": name,
                "hovertemplate": "a = %{y:.0f}, b = %{x:.0f}<br>%{z} %<extra>%{fullData.name}</extra>",
            }
        )
    return style.figure(
        title,
        traces,
        subtitle=subtitle,
        frames=[
            frames.frame(
                epoch,
                [{"type": "heatmap", "z": maps.values[e, i]} for i in range(n)],
                traces=range(n),
                **({} if _is_constant(maps.titles) else {"annotations": _titles(maps, e)}),
            )
            for e, epoch in enumerate(maps.epochs)
        ],
        hovermode="closest",
        margin=style.fixed(bar=True, l=40, b=130),
        annotations=_titles(maps, last),
        sliders=[{**frames.slider(maps.epochs, active=last), "pad": {"t": 26, "b": 4}}],
        updatemenus=[{**frames.player(), "pad": {"b": 26}}, *_tops(maps)],
        **{_coloraxis(i): _bar(scale, i, len(maps.scales)) for i, scale in enumerate(maps.scales)},
        **axes,
    )


def _axes(
    tag: str, *, row: int, column: int, rows: int, columns: int, bottom: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    width, height = (1 - _GAP * (columns - 1)) / columns, (1 - _TITLE_HEIGHT * (rows - 1)) / rows
    left, low = column * (width + _GAP), (rows - 1 - row) * (height + _TITLE_HEIGHT)
    bare = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "showticklabels": False}
    x = {
        **bare,
        "domain": [left, min(left + width, 1)],
        "anchor": f"y{tag}",
        "constrain": "domain",
        "title": {"text": "b" if bottom else "", "standoff": 2},
    }
    y = {
        **bare,
        "domain": [low, min(low + height, 1)],
        "anchor": f"x{tag}",
        "scaleanchor": f"x{tag}",
        "constrain": "domain",
        "title": {"text": "a" if column == 0 else "", "standoff": 2},
    }
    return x, y


def _coloraxis(scale: int) -> str:
    return "coloraxis" if scale == 0 else f"coloraxis{scale + 1}"


def _bar(scale: Scale, place: int, count: int) -> dict[str, Any]:
    return {
        "cmin": 0,
        "cmax": scale.top,
        "colorscale": scale.colors,
        "colorbar": {
            "title": {"text": scale.title, "side": "right"},
            "ticksuffix": " %",
            "thickness": 14,
            "outlinewidth": 0,
            "len": 1 / count,
            "y": 1 - (place + 0.5) / count,
            "yanchor": "middle",
        },
    }


def _tops(maps: Maps) -> list[dict[str, Any]]:
    """Buttons that choose where a scale ends."""
    return [
        style.buttons(
            [
                {"label": f"color to {top} %", "method": "relayout", "args": [{f"{_coloraxis(i)}.cmax": top}]}
                for top in scale.tops
            ],
            at="left",
            active=scale.tops.index(scale.top),
            pad={"b": 26},
        )
        for i, scale in enumerate(maps.scales)
        if scale.tops
    ]


def _titles(maps: Maps, e: int) -> list[dict[str, Any]]:
    return [
        {
            "text": text,
            "xref": f"x{'' if i == 0 else i + 1} domain",
            "yref": f"y{'' if i == 0 else i + 1} domain",
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 11},
        }
        for i, text in enumerate(maps.titles[e])
    ]


def _is_constant(titles: Sequence[tuple[str, ...]]) -> bool:
    return all(each == titles[0] for each in titles)


def draw_preview(maps: Maps, *, title: str) -> bytes:
    """The maps of the last epoch, small; reduced by area where there are more pixels than the picture has."""
    n = len(maps.names)
    rows = -(-n // maps.columns)
    figure, axes = preview.grid(f"{title} · epoch {maps.epochs[-1]:,}", rows=rows, columns=maps.columns)
    for i, axis in enumerate(axes):
        axis.set_axis_off()
        if i < n:
            scale = maps.scales[maps.scale[i]]
            axis.imshow(
                maps.values[-1, i],
                cmap=scale.colors.lower(),
                vmin=0,
                vmax=scale.top,
                origin="lower",
                interpolation="antialiased",
            )
    return preview.to_png(figure)


def table(maps: Maps, *, variant: str) -> pd.DataFrame:
    """Columns variant, epoch, map, row (of a), b0, b1, ...: percent, as in the figure."""
    import pandas as pd

    t = maps.values.shape[-1]
    keys = pd.MultiIndex.from_product(
        [[variant], maps.epochs, maps.names, range(t)], names=["variant", "epoch", "map", "row"]
    )
    index = keys.to_frame(index=False)
    values = pd.DataFrame(maps.values.reshape(-1, t), columns=[f"b{i}" for i in range(t)])
    return pd.concat([index, values], axis=1)
