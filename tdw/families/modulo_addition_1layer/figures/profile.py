"""A profile that changes over training: as a heat map over epochs, and as bars at one epoch with a slider.

Both share the vertical axis, so a bar is beside its row; a line in the heat map shows the epoch of the
bars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import AnyMark, Axis, Bars, Heat, Line, Moving, Numbers, Scale
from tdw.drawing.style import DENSITY_SCALE, MUTED, TEST
from tdw.families.modulo_addition_1layer.figures.subject import Subject

_MOST_STOPS = 120


@dataclass(frozen=True)
class Profile:
    """What is drawn.

    Attributes:
        epochs: int (n,), ascending; missing ones are in, with NaN.
        rows: (m,), centers of the rows on the vertical axis.
        values: float (m, n), what the bars show.
        axis: of the rows.
        value: what the values are; form: how they are written, in d3-format.
        log: colors by log10(1 + value), so that few beside many can be seen.
        limit: float (n,), drawn as a line across the bars, and below which bars are gray; or None.
        limit_name: what it is.
    """

    epochs: npt.NDArray[np.int64]
    rows: Numbers
    values: npt.NDArray[np.floating]
    axis: Axis
    value: str
    form: str = ",d"
    log: bool = False
    limit: npt.NDArray[np.floating] | None = None
    limit_name: str = ""


def chart(profile: Profile, title: str, subject: Subject, *, subtitle: str) -> Chart:
    """The heat map of all epochs, and bars at one of them."""
    there = np.flatnonzero(~np.isnan(profile.values).all(axis=0))
    stops = series.spread(there.tolist(), _MOST_STOPS)
    highest = float(np.nanmax(profile.values))
    ends = _edges(profile.rows)
    rows = Axis(
        profile.axis.title,
        range=(ends[0], ends[1]),
        form=profile.axis.form,
        ticks=profile.axis.ticks,
        step=profile.axis.step,
    )
    scale = Scale(profile.value, highest, colors=DENSITY_SCALE, log=profile.log, form=profile.form)
    hover = f"epoch {{x:,d}}<br>{{y}}<br>{{z:{profile.form}}}"
    heat = Heat(profile.epochs, profile.rows, profile.values, scale, hover=hover)
    upright = [
        Line(np.array([at, at]), ends, color=TEST, legend=False, small=False, hover=None)
        for at in profile.epochs[stops].tolist()
    ]
    bars: list[AnyMark | Moving] = [Moving([_bars(profile, i) for i in stops])]
    if profile.limit is not None:
        bars.append(Moving([_limit(profile, float(value), ends) for value in profile.limit[stops]]))
    values = Axis(profile.value, range=(0, highest * 1.03 or 1), form=profile.form)
    return Chart(
        f"{title} · {subject.label}",
        (
            Panel([heat, Moving(upright)], y=rows, rules=subject.rules),
            Panel(bars, x=values, y=rows, column=1, small=False),
        ),
        subtitle=subtitle,
        epochs=tuple(int(profile.epochs[i]) for i in stops),
        widths=(66, 28),
        share_y=True,
        unified=False,
    )


def _bars(profile: Profile, column: int) -> Bars:
    return Bars(
        profile.rows,
        profile.values[:, column].astype(np.float32),
        name=profile.value,
        horizontal=True,
        legend=False,
        limit=None if profile.limit is None else float(profile.limit[column]),
        hover=f"{{x:{profile.form}}}",
    )


def _limit(profile: Profile, value: float, ends: Numbers) -> Line:
    name, at = profile.limit_name, np.array([value, value])
    hover = f"{name} {{x:{profile.form}}}"
    return Line(at, ends, name=name, color=MUTED, width=1.5, dash="dash", legend=False, hover=hover)


def _edges(rows: Numbers) -> Numbers:
    half = float(rows[1] - rows[0]) / 2 if len(rows) > 1 else 0.5
    return np.array([float(rows[0]) - half, float(rows[-1]) + half])
