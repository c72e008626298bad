"""S6: the windows of a run on its losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Line, Rule, loss
from tdw.drawing.style import TEST, TRAIN
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_EVENTS = {
    "memorized_epoch": "memorized",
    "fall_start_epoch": "test loss falls",
    "fall_end_epoch": "fall ends",
    "rebound_epoch": "rebound",
}


@dataclass(frozen=True)
class Data:
    """One variant: its history, and the one row of the summary."""

    subject: subject.Subject
    history: pd.DataFrame
    outcome: dict[str, Any]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """History and outcome."""
    reader = sources.only
    row = {str(name): value for name, value in reader.summary("outcome").iloc[0].items()}
    history = reader.history()[["epoch", "train_loss", "test_loss"]]
    return Data(subject.load(reader, reader.checkpoints), history, row)


def chart(data: Data) -> Chart:
    """Both losses, and a rule at each event."""
    import pandas as pd

    epochs = data.history["epoch"].to_numpy(np.int64)

    def line(column: str, name: str, color: str) -> Line:
        values = data.history[column].to_numpy(np.float64)
        there = ~np.isnan(values)  # the test set is not evaluated at each epoch
        at, values = epochs[there], values[there]
        shown = series.thin(at, values)
        return Line(at[shown], values[shown], name=name, color=color)

    events = tuple(
        Rule(x=int(data.outcome[name]), text=f"{text}: {int(data.outcome[name]):,}")
        for name, text in _EVENTS.items()
        if not pd.isna(data.outcome[name])
    )
    losses = (line("train_loss", "train loss", TRAIN), line("test_loss", "test loss", TEST))
    return Chart(
        f"Outcome: {data.outcome['outcome']} · {data.subject.label}",
        (Panel(losses, y=loss(step=2), rules=events),),
        subtitle=sentences(str(data.outcome["rules"]), data.subject.missing),
    )


def table(data: Data) -> pd.DataFrame:
    """The row of the summary, with the variant."""
    import pandas as pd

    return pd.DataFrame([{"variant": data.subject.variant, **data.outcome}])


PLOT = Plot(
    name="outcome",
    title="Outcome of the run",
    description="""\
The windows of the run: memorization, plateau, fall of the test loss, and what came after, by rules relative
to the run's own losses, which the subtitle names.

**How to read it.** The outcome in the title is the first that applies: no memorization, no second descent,
unfinished descent, rebound, together (the fall ends within twice the time that memorization took), late
(beyond half of the run), delayed. The first three say what had not happened by the last epoch, not that it
can't.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("history", "summaries/outcome"),
    uses=("summaries/grokking",),
)
