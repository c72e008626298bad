"""Accuracy and loss of the two templates apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, share
from tdw.families.symbolic_ioi.analyzers import TEMPLATES, TEMPLATES_ANALYZER
from tdw.recipes.common import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_TITLES = {"ABA": "ABA: the answer is the second name", "ABB": "ABB: the answer is the first name"}


@dataclass(frozen=True)
class Data:
    """One variant; columns epoch, accuracy_ABA, accuracy_ABB, loss_ABA, loss_ABB (nats)."""

    subject: subject.Subject
    values: pd.DataFrame


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Both templates at every epoch."""
    import pandas as pd

    reader = sources.only
    epochs = reader.epochs(TEMPLATES_ANALYZER.name)
    found = [reader.artifact(TEMPLATES_ANALYZER.name, epoch) for epoch in epochs]
    columns = {
        f"{measure}_{template}": np.array([arrays[measure][i] for arrays in found])
        for measure in ("accuracy", "loss")
        for i, template in enumerate(TEMPLATES)
    }
    return Data(subject.of(reader, epochs), pd.DataFrame({"epoch": epochs, **columns}))


def chart(data: Data) -> Chart:
    """Accuracy above loss, a line per template."""
    of = data.subject.scheduled
    accuracy = {f"accuracy_{each}": title for each, title in _TITLES.items()}
    loss = {f"loss_{each}": title for each, title in _TITLES.items()}
    return Chart(
        f"Accuracy by template · {data.subject.label}",
        (
            Panel(series.lines_of(data.values, accuracy, scheduled=of), y=share("accuracy", most=5)),
            Panel(
                series.lines_of(data.values, loss, scheduled=of, legend=False),
                y=Axis("loss", "nats", zero=True, form=".3f"),
                row=1,
                small=False,
            ),
        ),
        subtitle=data.subject.missing,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, accuracy and loss (nats) of each template."""
    return data.subject.rows(data.values)


PLOT = Plot(
    name="templates",
    title="Accuracy by template",
    description="""\
Accuracy and loss of the sequences in which the first name is repeated (`A B A`, the answer is B) and of
those in which the second is (`A B B`, the answer is A).

**How to read it.** A model that always answers one of the two positions is right in one template and wrong in
the other: an accuracy of 1/2 over all can be that, or a guess in each.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(TEMPLATES_ANALYZER.name,),
)
