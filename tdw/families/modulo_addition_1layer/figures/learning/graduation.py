"""A18: when each pair (a, b) is learned, as a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Heat, Scale, Steps
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class Data:
    """One variant; `pairs` has columns a, b, answer, train, graduation_epoch, right_at_end."""

    subject: subject.Subject
    pairs: pd.DataFrame

    def map_of(self, *, train: bool) -> npt.NDArray[np.float64]:
        """Graduation epochs (p, p), [b, a]; NaN for the other pairs, and where a pair never graduates."""
        among = self.pairs["train"] == train
        epochs = self.pairs["graduation_epoch"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        shown: npt.NDArray[np.float64] = np.where(among, epochs, np.nan).astype(np.float64)
        p = int(self.pairs["a"].max()) + 1
        return shown.reshape(p, p).T


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of graduation."""
    reader = sources.only
    return Data(subject.load(reader, reader.checkpoints), reader.summary("graduation"))


def chart(data: Data) -> Chart:
    """Two maps with one scale of colors: pairs that train, and the others."""
    known = data.pairs["graduation_epoch"].dropna()
    scale = Scale("graduation epoch", top=float(known.max()) if len(known) else 1.0, form=",d")
    panels: list[Panel] = []
    for column, (train, name) in enumerate(((True, "train pairs"), (False, "test pairs"))):
        of = data.pairs[data.pairs["train"] == train]
        done = int(of["graduation_epoch"].notna().sum())
        panels.append(
            Panel(
                (Heat(Steps(0, 1), Steps(0, 1), data.map_of(train=train), scale),),
                x=Axis("a"),
                y=Axis("b"),
                title=f"{name}: {done:,} of {len(of):,} graduate",
                column=column,
            )
        )
    return Chart(
        f"When each pair is learned · {data.subject.label}",
        tuple(panels),
        subtitle=sentences(data.subject.text, "empty: the other pairs, and pairs that never graduate"),
        square=True,
    )


def table(data: Data) -> pd.DataFrame:
    """The summary, with the variant."""
    return data.pairs.assign(variant=data.subject.variant)


PLOT = Plot(
    name="graduation",
    title="When each pair is learned",
    description="""\
Each pair (a, b) by the epoch at which it graduates: the first checkpoint that opens three consecutive ones
at which the model's answer is right. Left the pairs that train, right those that don't.

**How to read it.** Lines of one answer (for addition the diagonals a + b = const) mean that some answers are
learned before others; a map without structure, that all are learned at once. Epochs are those of checkpoints.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/graduation",),
    uses=("summaries/grokking",),
)
