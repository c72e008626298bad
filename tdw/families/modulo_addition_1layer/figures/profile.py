"""A profile that changes over training: as a heatmap over epochs, and as bars at one epoch with a slider.

Both share the vertical axis, so a bar stands beside its row; a line in the heatmap shows the epoch of the
bars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.drawing import frames, preview, series, style

_HEATMAP, _BARS = (0.0, 0.66), (0.72, 1.0)
_MOST_FRAMES = 120


@dataclass(frozen=True)
class Profile:
    """What is drawn.

    Attributes:
        epochs: int (n,), ascending; missing ones are in, with NaN.
        rows: (m,), centers of the rows on the vertical axis.
        values: float (m, n), what the bars show.
        row_title, value_title: of the axes, with units.
        row_axis: more of Plotly's vertical axis.
        value_form: of the values in hover texts, as in d3-format.
        log_color: colors by log10(1 + value), so that few beside many can be seen.
        limit: float (n,), drawn as a line across the bars, and above which bars are in another color; or
            None.
    """

    epochs: npt.NDArray[np.int64]
    rows: npt.NDArray[Any]
    values: npt.NDArray[np.floating]
    row_title: str
    value_title: str
    row_axis: Mapping[str, Any] = field(default_factory=dict[str, Any])
    value_form: str = ",d"
    log_color: bool = False
    limit: npt.NDArray[np.floating] | None = None
    limit_name: str = ""

    @property
    def there(self) -> npt.NDArray[np.intp]:
        """Columns that are not missing."""
        return np.flatnonzero(~np.isnan(self.values).all(axis=0))

    @property
    def highest(self) -> float:
        """The largest value, for axes that stay fixed while the slider moves."""
        return float(np.nanmax(self.values))


def draw(profile: Profile, *, title: str, subtitle: str, **layout: Any) -> style.Figure:
    """The interactive figure."""
    columns = series.spread(profile.there.tolist(), _MOST_FRAMES)
    epochs = [int(profile.epochs[i]) for i in columns]
    bottom, top = _edges(profile.rows)
    first = columns[-1]
    traces = [
        _heatmap(profile),
        {
            "y": profile.rows,
            "xaxis": "x2",
            "name": profile.value_title,
            "hovertemplate": f"%{{x:{profile.value_form}}}<extra></extra>",
            "showlegend": False,
            **_bars(profile, first),
        },
        {
            "mode": "lines",
            "y": np.array([bottom, top]),
            "line": {"color": style.TEST, "width": 2},
            "hoverinfo": "skip",
            "showlegend": False,
            **_cursor(profile, first),
        },
    ]
    if profile.limit is not None:
        traces.append(
            {
                "mode": "lines",
                "xaxis": "x2",
                "y": np.array([bottom, top]),
                "line": {"color": style.MUTED, "width": 1.5, "dash": "dash"},
                "name": profile.limit_name,
                "hovertemplate": f"{profile.limit_name} %{{x:{profile.value_form}}}<extra></extra>",
                "showlegend": False,
                **_limit(profile, first),
            }
        )
    return style.figure(
        title,
        traces,
        subtitle=subtitle,
        frames=[
            frames.frame(
                epoch,
                [_bars(profile, i), _cursor(profile, i)]
                + ([] if profile.limit is None else [_limit(profile, i)]),
                traces=range(1, len(traces)),
            )
            for epoch, i in zip(epochs, columns, strict=True)
        ],
        hovermode="closest",
        bargap=0.08,
        margin=style.fixed(bar=True, slider=True),
        xaxis=style.epoch_axis(domain=_HEATMAP, showgrid=False),
        xaxis2={
            "domain": _BARS,
            "title": {"text": profile.value_title},
            "range": [0, profile.highest * 1.03 or 1],
        },
        yaxis={
            "title": {"text": profile.row_title},
            "range": [bottom, top],
            "showgrid": False,
            **profile.row_axis,
        },
        sliders=[frames.slider(epochs, active=len(epochs) - 1)],
        updatemenus=[{**frames.player(), "pad": {"b": 26}}],
        **layout,
    )


def _heatmap(profile: Profile) -> dict[str, Any]:
    hover = "epoch %{{x:,d}}<br>%{{y}}<br>%{{{}:" + profile.value_form + "}}<extra></extra>"
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": profile.epochs,
        "y": profile.rows,
        "z": profile.values.astype(np.float32),
        "zmin": 0,
        "zmax": profile.highest or 1,
        "colorscale": style.DENSITY_SCALE,
        "colorbar": {"title": {"text": profile.value_title, "side": "right"}},
        "hoverongaps": False,
        "hovertemplate": hover.format("z"),
    }
    if profile.log_color:
        ticks = [t for t in (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000) if t <= profile.highest]
        trace |= {
            "z": np.log10(1 + profile.values).astype(np.float32),
            "zmax": float(np.log10(1 + profile.highest)) or 1,
            "customdata": profile.values.astype(np.float32),
            "hovertemplate": hover.format("customdata"),
        }
        trace["colorbar"] |= {
            "tickvals": [float(np.log10(1 + t)) for t in ticks],
            "ticktext": [f"{t:,}" for t in ticks],
        }
    return trace


def _bars(profile: Profile, column: int) -> dict[str, Any]:
    values = profile.values[:, column].astype(np.float32)
    if profile.limit is None:
        return {"type": "bar", "orientation": "h", "x": values, "marker": {"color": style.COLORS[0]}}
    # 0 is the usual color, 1 that of what reaches the limit: numbers are a tenth of the size of color names.
    above = (values >= profile.limit[column]).astype(np.uint8)
    colors = [[0, style.MUTED], [1, style.COLORS[0]]]
    marker = {"color": above, "cmin": 0, "cmax": 1, "colorscale": colors}
    return {"type": "bar", "orientation": "h", "x": values, "marker": marker}


def _cursor(profile: Profile, column: int) -> dict[str, Any]:
    epoch = int(profile.epochs[column])
    return {"type": "scatter", "x": [epoch, epoch]}


def _limit(profile: Profile, column: int) -> dict[str, Any]:
    assert profile.limit is not None
    value = float(profile.limit[column])
    return {"type": "scatter", "x": [value, value]}


def _edges(rows: npt.NDArray[Any]) -> tuple[float, float]:
    half = float(rows[1] - rows[0]) / 2 if len(rows) > 1 else 0.5
    return float(rows[0]) - half, float(rows[-1]) + half


def draw_preview(profile: Profile, *, title: str) -> bytes:
    """The heatmap, small."""
    figure, (axis,) = preview.canvas(title)
    values = np.log10(1 + profile.values) if profile.log_color else profile.values
    preview.heatmap(axis, profile.epochs, profile.rows, z=values, scale=style.DENSITY_SCALE)
    preview.label(axis, y=profile.row_title)
    return preview.to_png(figure)
