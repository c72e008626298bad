"""A19: separation and circularity of the answers at each site, over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Line, share
from tdw.drawing.style import COLORS
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources

COLUMNS = ("snr", "circularity", "alignment", "alignment_frequency", "fisher_min")
SHOWN = ("attn_out", "mlp_out", "resid_post")
"""Before attention, "=" is the same for every pair: there is nothing to see."""


@dataclass(frozen=True)
class Data:
    """One variant; columns epoch, site and `COLUMNS`."""

    subject: subject.Subject
    sites: pd.DataFrame
    scheduled: tuple[int, ...]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of the geometry."""
    reader = sources.only
    found = reader.summary("answer_geometry")
    there = found["epoch"].unique()
    return Data(subject.load(reader, there), found[["epoch", "site", *COLUMNS]], reader.scheduled)


def chart(data: Data) -> Chart:
    """A line per site, in three panels."""

    def lines(column: str, *, legend: bool = False) -> list[Line]:
        marks: list[Line] = []
        for i, site in enumerate(SHOWN):
            rows = data.sites.loc[data.sites["site"] == site, ["epoch", column]]
            on = series.on_schedule(rows, data.scheduled)
            marks.append(
                Line(
                    on["epoch"].to_numpy(),
                    on[column].to_numpy(np.float64),
                    name=site,
                    color=COLORS[i],
                    group=site,
                    legend=legend,
                    symbol="circle",
                )
            )
        return marks

    snr = Axis("between / within classes", log=True, form=".3~g", step=1)
    return Chart(
        f"Geometry of the answers · {data.subject.label}",
        (
            Panel(lines("snr", legend=True), y=snr, title="separation (SNR)"),
            Panel(lines("circularity"), y=share("circularity (0–1)"), row=1, small=False),
            Panel(lines("alignment"), y=share("alignment (0–1)"), row=2, small=False),
        ),
        subtitle=data.subject.text,
        across=data.subject.rules,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, site and `COLUMNS`."""
    return data.sites.assign(variant=data.subject.variant)[["variant", "epoch", "site", *COLUMNS]]


PLOT = Plot(
    name="answer_geometry",
    title="Geometry of the answers",
    description="""\
How the classes of one answer lie at each site of the residual stream at "=": the variance between class
means over that within classes (SNR); how well a circle fits the means in their plane, and how evenly one
frequency winds it.

**How to read it.** High SNR means that the answer can be read off linearly; a model that uses several
frequencies has no single circle, so circularity may stay low where accuracy is perfect. See *Circles of the
answers*.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/answer_geometry",),
    uses=("summaries/grokking",),
)
