"""A19: the means of the answers in their plane, with the circle that fits them, by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Line, Moving, Points
from tdw.drawing.style import COLORS, MUTED
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.families.modulo_addition_1layer.figures.learning.answer_geometry import SHOWN
from tdw.families.modulo_addition_1layer.maths.sites import SITES
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

NAME = "site_geometry"
_MOST = 60  # stops of the slider


@dataclass(frozen=True)
class Data:
    """One variant at T epochs; sites as in `SHOWN`.

    Attributes:
        available: number of epochs with artifacts, of which these are a choice.
        plane: float32 (T, 3, p, 2). center: float64 (T, 3, 2). radius: float64 (T, 3).
        frequency: int64 (T, 3).
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    available: int
    plane: npt.NDArray[np.float32]
    center: npt.NDArray[np.float64]
    radius: npt.NDArray[np.float64]
    frequency: npt.NDArray[np.int64]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The artifacts of an even choice of epochs."""
    reader = sources.only
    available = reader.epochs(NAME)
    epochs = tuple(series.spread(available, _MOST))
    at = [reader.artifact(NAME, epoch) for epoch in epochs]
    sites = [SITES.index(site) for site in SHOWN]
    plane, center, radius, frequency = (
        np.stack([arrays[name][sites] for arrays in at])
        for name in ("plane", "center", "circle_radius", "alignment_frequency")
    )
    return Data(subject.load(reader, available), epochs, len(available), plane, center, radius, frequency)


def chart(data: Data) -> Chart:
    """A panel per site: the class means, and the circle that fits them."""
    answers = np.arange(data.plane.shape[2], dtype=np.int64)
    panels: list[Panel] = []
    for i, site in enumerate(SHOWN):
        means = [
            Points(
                plane[:, 0],
                plane[:, 1],
                color=COLORS[i],
                detail=answers,
                hover="answer {detail:d}",
                legend=False,
            )
            for plane in data.plane[:, i]
        ]
        circles = [
            _circle(center, radius)
            for center, radius in zip(data.center[:, i], data.radius[:, i], strict=True)
        ]
        side = float(np.abs(data.plane[:, i]).max()) * 1.1 or 1.0
        x, y = (Axis(f"component {n}", form=".3~g", range=(-side, side), most=5) for n in (1, 2))
        panels.append(
            Panel(
                (Moving(circles), Moving(means)),
                x=x,
                y=y,
                title=tuple(f"{site}: k = {k}" if k else site for k in data.frequency[:, i]),
                column=i,
            )
        )
    shown = "" if len(data.epochs) == data.available else f"{len(data.epochs)} of {data.available} epochs"
    return Chart(
        f"Circles of the answers · {data.subject.label}",
        tuple(panels),
        subtitle=sentences(data.subject.text, shown),
        epochs=data.epochs,
        square=True,
        unified=False,
    )


def _circle(center: npt.NDArray[np.float64], radius: float) -> Line:
    angle = np.linspace(0, 2 * np.pi, 73)
    return Line(
        center[0] + radius * np.cos(angle),
        center[1] + radius * np.sin(angle),
        color=MUTED,
        dash="dot",
        hover=None,
        legend=False,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, site, answer, x, y (units of the activations) and alignment_frequency."""
    import pandas as pd

    t, sites, p, _ = data.plane.shape
    return pd.DataFrame(
        {
            "variant": data.subject.variant,
            "epoch": np.repeat(np.array(data.epochs), sites * p),
            "site": np.tile(np.repeat(SHOWN, p), t),
            "answer": np.tile(np.arange(p, dtype=np.int64), t * sites),
            "x": data.plane[..., 0].ravel(),
            "y": data.plane[..., 1].ravel(),
            "alignment_frequency": np.repeat(data.frequency.ravel(), p),
        }
    )


PLOT = Plot(
    name="answer_circles",
    title="Circles of the answers",
    description="""\
The mean activation of each answer at three sites of the residual stream at "=", on the first two principal
components of the means (units of the activations), with the circle that fits them best; k is the frequency
that winds the answers around it most evenly.

**How to read it.** Answers on the circle, in the order that k winds, mean that the answer can be read off one
frequency. A component's sign is arbitrary, so a picture may turn over
between epochs.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(NAME,),
    uses=("summaries/grokking",),
)
