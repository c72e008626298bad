"""What each head looks at, across training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Rule, share
from tdw.families.transformer.recipes.analyzers import SCORES
from tdw.recipes.common import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class Data:
    """One variant; `scores` is the table of head scores."""

    subject: subject.Subject
    scores: pd.DataFrame

    def heads(self, score: str) -> dict[str, str]:
        """Column -> head, of one score."""
        known = [str(name) for name in self.scores.columns]
        return {name: name.removeprefix(f"{score}_") for name in known if name.startswith(f"{score}_L")}


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The table of head scores."""
    reader = sources.only
    found = reader.summary("head_scores")
    return Data(subject.of(reader, found["epoch"]), found)


def chart(data: Data) -> Chart:
    """A panel per score, a line per head, and what an even head has."""
    found: list[Panel] = []
    for row, score in enumerate(SCORES):
        lines = series.lines_of(
            data.scores, data.heads(score), scheduled=data.subject.scheduled, legend=not row
        )
        even = float(data.scores[f"{score}_chance"].iloc[-1])
        words = score.replace("_", " ")
        found.append(
            Panel(
                lines,
                y=share("score (0 to 1)", most=5),
                title=words,
                rules=(Rule(y=even, text="even attention"),),
                row=row,
                small=score != "duplicate_token",
            )
        )
    return Chart(
        f"Head scores · {data.subject.label}", tuple(found), subtitle=data.subject.missing, gaps=(0.06, 0.08)
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, and those of the table of head scores."""
    return data.subject.rows(data.scores)


PLOT = Plot(
    name="head_scores",
    title="Head scores",
    description="""\
Attention of each head, averaged over queries of the probe, to: the *previous token*; earlier occurrences of
the query's token (*duplicate token*); positions just after them (*prefix matching*, where an induction head
looks, [Olsson et al. 2022](https://arxiv.org/abs/2209.11895)). The dashed line is the score of a head that
attends evenly.

**How to read it.** A score says where a head looks, not what it does with it. In text of few different tokens
many positions match by chance: compare with the dashed line, not with 0.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/head_scores",),
)
