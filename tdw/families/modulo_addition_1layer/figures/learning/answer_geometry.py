"""A19: separation and circularity of the answers at each site, over training."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, share
from tdw.families.modulo_addition_1layer.figures import over_training
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    from tdw.families.modulo_addition_1layer.figures.over_training import OverTraining
    from tdw.recipes.reading.reader import Sources

COLUMNS = ("snr", "circularity", "alignment", "alignment_frequency", "fisher_min")
SHOWN = ("attn_out", "mlp_out", "resid_post")
"""Before attention, "=" is the same for every pair: there is nothing to see."""


def load(sources: Sources, parameters: NoParameters) -> OverTraining:
    """The summary of the geometry."""
    return over_training.load(sources, "answer_geometry", ("epoch", "site", *COLUMNS))


def chart(data: OverTraining) -> Chart:
    """A line per site, in three panels."""
    names = {site: site for site in SHOWN}
    of = partial(series.lines_by, data.rows, "site", scheduled=data.scheduled, names=names)
    snr = Axis("between / within classes", log=True, form=".3~g", step=1)
    return Chart(
        f"Geometry of the answers · {data.subject.label}",
        (
            Panel(of("snr"), y=snr, title="separation (SNR)"),
            Panel(of("circularity", legend=False), y=share("circularity (0–1)"), row=1, small=False),
            Panel(of("alignment", legend=False), y=share("alignment (0–1)"), row=2, small=False),
        ),
        subtitle=data.subject.text,
        across=data.subject.rules,
    )


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
    table=over_training.table,
    needs=("summaries/answer_geometry",),
    uses=("summaries/grokking",),
)
