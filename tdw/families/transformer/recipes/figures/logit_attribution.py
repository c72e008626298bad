"""What each component writes into the logit of the right token, across training and by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw.drawing.chart import Chart
from tdw.drawing.marks import Axis
from tdw.families.transformer.recipes.analyzers import ATTRIBUTION
from tdw.families.transformer.recipes.figures import by_position
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


def load(sources: Sources, parameters: NoParameters) -> by_position.Data:
    """Contributions at every epoch; the table has the components' names."""
    reader = sources.only
    names = [str(name) for name in reader.summary("logit_attribution").columns if name != "epoch"]
    return by_position.read(reader, ATTRIBUTION.name, "logit", tuple(names))


def chart(data: by_position.Data) -> Chart:
    """A line per component."""
    return by_position.chart(
        data, "Direct logit attribution", Axis("right token's logit above the mean", form=".3f")
    )


def table(data: by_position.Data) -> pd.DataFrame:
    """Columns variant, epoch, component, and the contribution at each position."""
    return by_position.table(data, "component")


PLOT = Plot(
    name="logit_attribution",
    title="Direct logit attribution",
    description="""\
What each component (embedding, positions, head, MLP) writes straight into the logit of the right token,
above the mean of all logits, averaged over the probe ([Elhage et al.
2021](https://transformer-circuits.pub/2021/framework)). At the left the mean over the positions that count,
at the right each position at the slider's epoch. L1H0 is head 0 of layer 1.

**How to read it.** The lines add up to the right token's logit above the mean. A component near 0 may still
matter: what it writes can be read by a later head instead of the unembedding.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(ATTRIBUTION.name, "summaries/logit_attribution"),
)
