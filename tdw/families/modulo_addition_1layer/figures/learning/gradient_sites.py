"""A20: the training gradient by site and frequency, over training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing.chart import Chart, Choice, Option, Panel
from tdw.drawing.marks import Axis, Heat, Line, Scale, Steps
from tdw.drawing.series import on_schedule
from tdw.drawing.style import COLORS
from tdw.families.modulo_addition_1layer.analyzers.learning import gradients
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.families.modulo_addition_1layer.maths.learning.gradient_sites import SITES
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        epochs: (T,) of checkpoints.
        energy: float64 (T, 5, h), [epoch, site, frequency].
        scheduled: epochs that should be there.
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    energy: npt.NDArray[np.float64]
    scheduled: tuple[int, ...]

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Of each site's energy, (T, 5, h); NaN where a site has none."""
        total = self.energy.sum(axis=2, keepdims=True)
        return np.divide(self.energy, total, out=np.full_like(self.energy, np.nan), where=total > 0)


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The artifacts of every epoch."""
    reader = sources.only
    epochs = tuple(reader.epochs(gradients.NAME))
    energy = np.stack([reader.artifact(gradients.NAME, epoch)["energy"] for epoch in epochs])
    return Data(subject.load(reader, epochs), epochs, energy, reader.scheduled)


def chart(data: Data) -> Chart:
    """A heat map of frequencies over epochs, for a site that buttons choose; the sites' energies below."""
    import pandas as pd

    shares = data.shares
    scale = Scale("share of energy", top=float(np.nanmax(shares)) if np.isfinite(shares).any() else 1.0)
    maps = [
        Heat(np.array(data.epochs), Steps(1, 1), shares[:, i].T, scale, name=site, tag=site)
        for i, site in enumerate(SITES)
    ]
    total = data.energy.sum(axis=2)
    on = on_schedule(pd.DataFrame({"epoch": data.epochs, **dict(zip(SITES, total.T, strict=True))}),
                     data.scheduled)  # fmt: skip
    lines = [
        Line(on["epoch"].to_numpy(), on[site].where(on[site] > 0).to_numpy(), name=site, color=color,
             symbol="circle")
        for site, color in zip(SITES, COLORS, strict=False)
    ]  # fmt: skip
    return Chart(
        f"Training gradient by frequency · {data.subject.label}",
        (
            Panel(maps, y=Axis("frequency k", form="d")),
            Panel(lines, y=Axis("energy", log=True, form=".3~g", step=4), row=1, small=False),
        ),
        subtitle=data.subject.text,
        across=data.subject.rules,
        choices=(Choice(tuple(Option(site, (site,)) for site in SITES)),),
        heights=(60, 40),
        unified=False,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, site, frequency, energy, share."""
    import pandas as pd

    _, _, h = data.energy.shape
    cells = pd.MultiIndex.from_product(
        [data.epochs, SITES, range(1, h + 1)], names=["epoch", "site", "frequency"]
    )
    columns = {"energy": data.energy.ravel(), "share": data.shares.ravel()}
    found = pd.DataFrame(columns, index=cells).reset_index().assign(variant=data.subject.variant)
    return found[["variant", "epoch", "site", "frequency", "energy", "share"]]


PLOT = Plot(
    name="gradient_sites",
    title="Training gradient by frequency",
    description="""\
The energy of the training gradient at each site by frequency, as a share of the site's energy at that epoch,
and below it the energy itself. Sites: ∂W_E; W_E ∂W_Q, W_E ∂W_K, W_E ∂W_V (mean of the heads); W_E ∂W_in. See
the analyzer `gradients`.

**How to read it.** A bright row is a frequency that training works on now. Not so at Q: only "=" asks, so the
shares there are those of W_E times its residual, whatever is learned; read Q's energy alone. All sites but
W_E are seen through the embedding, so they show what the embedding holds, too. Weight decay pulls as well and
is not shown: once the loss is small, most of what moves the weights may be decay.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(gradients.NAME,),
    uses=("summaries/grokking",),
)
