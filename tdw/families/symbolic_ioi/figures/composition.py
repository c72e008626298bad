"""What is lost without composition through queries, keys or values; and what heads copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.chart import Chart, Choice, Option, Panel
from tdw.drawing.marks import Axis, Line, Rule, share
from tdw.drawing.style import COLORS, MUTED
from tdw.families.symbolic_ioi.analyzers import INPUTS, REPLACEMENTS
from tdw.recipes.common import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_WORDS = dict(zip(INPUTS[1:], ("queries", "keys", "values"), strict=True))
_BUTTONS = dict(zip(reversed(REPLACEMENTS), ("replaced by its mean", "left out"), strict=True))


@dataclass(frozen=True)
class Data:
    """One variant: the tables of composition, and of the heads' copying scores."""

    subject: subject.Subject
    composition: pd.DataFrame
    copying: pd.DataFrame


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Both tables."""
    reader = sources.only
    found = reader.summary("composition")
    return Data(subject.of(reader, found["epoch"]), found, reader.summary("copying"))


def chart(data: Data) -> Chart:
    """Accuracy and loss of the whole model and of each ablation, and copying below."""

    def lines(measure: str, *, legend: bool) -> list[Line]:
        of = data.subject.scheduled
        whole = series.lines_of(
            data.composition, {measure: "whole model"}, scheduled=of, legend=legend, look={measure: MUTED}
        )
        found = [replace(line, width=3) for line in whole]
        for replacement in _BUTTONS:
            names = {f"{measure}_{x}_{replacement}": f"without {word}" for x, word in _WORDS.items()}
            each = series.lines_of(data.composition, names, scheduled=of, legend=legend)
            found += [replace(line, tag=replacement) for line in each]
        return found

    heads = {str(name): str(name) for name in data.copying.columns if name != "epoch"}
    colors: Mapping[str, str] = {name: COLORS[(3 + i) % len(COLORS)] for i, name in enumerate(heads)}
    copies = series.lines_of(data.copying, heads, scheduled=data.subject.scheduled, look=colors)
    return Chart(
        f"Composition · {data.subject.label}",
        (
            Panel(lines("accuracy", legend=True), y=share("accuracy", most=5)),
            Panel(
                lines("loss", legend=False), y=Axis("loss", "nats", zero=True, form=".3f"), row=1, small=False
            ),
            Panel(
                copies,
                y=share("copying score", most=5),
                rules=(Rule(y=0.5, text="neither"),),
                row=2,
                small=False,
            ),
        ),
        subtitle=data.subject.missing,
        choices=(Choice(tuple(Option(text, (name,)) for name, text in _BUTTONS.items())),),
        heights=(40, 30, 30),
        gaps=(0.06, 0.05),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, those of the table of composition, and copying_ of every head."""
    copies = data.copying.rename(columns=lambda name: name if name == "epoch" else f"copying_{name}")
    found = data.composition.merge(copies, on="epoch", how="outer")
    return data.subject.rows(found)


PLOT = Plot(
    name="composition",
    title="Composition by ablation",
    description="""\
Accuracy and loss of the whole model, and of the model whose later layers no longer see in their queries,
keys or values what earlier heads wrote: replaced by its mean over all sequences, or left out, as the buttons
say. Below, the copying score of each head's OV circuit: 1 raises the logit of the name that it attends to, 0
lowers it, 1/2 does neither ([Elhage et al. 2021](https://transformer-circuits.pub/2021/framework)).

**How to read it.** A line that falls away from the whole model's is a path that the model needs. Chance
between the two names of a sequence is an accuracy of 1/2. A model of one layer has no composition: all lines
are one. It is the logic of the task, not GPT-2's circuit for it.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/composition", "summaries/copying"),
)
