"""The loss of the residual stream read out at every depth, across training and by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw.drawing.chart import Chart
from tdw.drawing.marks import Axis
from tdw.families.transformer.recipes.analyzers import LENS
from tdw.families.transformer.recipes.figures import by_position
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


def load(sources: Sources, parameters: NoParameters) -> by_position.Data:
    """The lens at every epoch; the last depth is the model itself."""
    reader = sources.only
    depths = reader.artifact(LENS.name, reader.epochs(LENS.name)[-1])["loss"].shape[0]
    before = (f"before block {i}" for i in range(depths - 1))
    return by_position.read(reader, LENS.name, "loss", (*before, "model"))


def chart(data: by_position.Data) -> Chart:
    """A line per depth."""
    return by_position.chart(data, "Logit lens", Axis("loss", "nats", form=".4f"))


def table(data: by_position.Data) -> pd.DataFrame:
    """Columns variant, epoch, depth, and the loss in nats at each position."""
    return by_position.table(data, "depth")


PLOT = Plot(
    name="logit_lens",
    title="Logit lens",
    description="""\
Cross-entropy in nats of the residual stream if it is read out before a block, through the final norm and
the unembedding (the *logit lens*, nostalgebraist 2020), and of the model itself. At the left the mean over
the positions that count, at the right each position at the slider's epoch.

**How to read it.** Where a line falls toward the model's, the layers before that block already know the
answer in the directions that the unembedding reads. A stream can hold it in other directions and look bad.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(LENS.name,),
)
