"""The phases of training: the loss against what counting reaches, and when the heads form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Rule, share
from tdw.drawing.style import COLORS, TEST
from tdw.families.markov_icl.tables import EVENTS, LEVELS, NAMES
from tdw.recipes.common import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

STRATEGY_COLORS = dict(zip(NAMES, (COLORS[6], COLORS[0], COLORS[2]), strict=True))
EVENT_NAMES = {
    "unigram": "nearer to unigram than to uniform",
    "previous_token": "half of the previous-token rise",
    "prefix_matching": "half of the prefix-matching rise",
    "bigram": "nearer to bigram than to unigram",
}


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        course: columns epoch, loss (nats, of the probe), kl_uniform, kl_unigram, kl_bigram (nats),
            best_previous_token, best_prefix_matching (0-1).
        levels: uniform, unigram, bigram and entropy, in nats.
        events: name -> epoch, of those that happened.
    """

    subject: subject.Subject
    course: pd.DataFrame
    levels: Mapping[str, float]
    events: Mapping[str, int]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """Tables of the variant, joined by epoch."""
    reader = sources.only
    course = reader.summary("logit_lens")[["epoch", "loss"]]
    course = course.merge(reader.summary("strategies"), on="epoch", how="outer")
    scores = reader.summary("head_scores")[["epoch", "best_previous_token", "best_prefix_matching"]]
    course = course.merge(scores, on="epoch", how="outer").sort_values("epoch")
    levels = reader.summary("levels").iloc[0]
    return Data(
        subject.of(reader, course["epoch"]),
        course,
        {name: float(levels[name]) for name in LEVELS},
        events_of(reader.summary("events")),
    )


def events_of(table: pd.DataFrame) -> dict[str, int]:
    """Event -> epoch, of those that happened, in the order of time."""
    row = table.iloc[0]
    found = {name: row[f"{name}_epoch"] for name in EVENTS}
    known = {name: int(epoch) for name, epoch in found.items() if epoch == epoch}
    return dict(sorted(known.items(), key=lambda item: item[1]))


def chart(data: Data) -> Chart:
    """Loss with levels, distances from strategies, and head scores above each other."""

    def lines(names: Mapping[str, str], look: Mapping[str, str]) -> list[series.Line]:
        return series.lines_of(data.course, names, scheduled=data.subject.scheduled, look=look)

    turns = tuple(
        Rule(x=epoch, text=f"{name} {epoch:,}")
        for name, epoch in data.events.items()
        if name in ("unigram", "bigram")
    )
    heads = tuple(
        Rule(x=epoch, text=f"{epoch:,}") for name, epoch in data.events.items() if name.startswith("pre")
    )
    levels = tuple(Rule(y=value, text=f"{name} {value:.4f}") for name, value in data.levels.items())
    distances = {f"kl_{name}": f"KL({name} ‖ model)" for name in NAMES}
    scores = {"best_previous_token": "previous token", "best_prefix_matching": "prefix matching"}
    order = ", ".join(f"{name.replace('_', ' ')} {epoch:,}" for name, epoch in data.events.items())
    return Chart(
        f"Phases · {data.subject.label}",
        (
            Panel(lines({"loss": "loss of the probe"}, {"loss": TEST}), y=_loss(data), rules=levels),
            Panel(
                lines(distances, {f"kl_{name}": color for name, color in STRATEGY_COLORS.items()}),
                y=Axis("KL", "nats", zero=True, form=".4f"),
                rules=turns,
                row=1,
            ),
            Panel(
                lines(scores, {"best_previous_token": COLORS[1], "best_prefix_matching": COLORS[5]}),
                y=share("highest head score"),
                rules=heads,
                row=2,
                small=False,
            ),
        ),
        subtitle=sentences(f"order: {order}" if order else "", data.subject.missing),
        heights=(44, 30, 26),
        gaps=(0.06, 0.05),
    )


def _loss(data: Data) -> Axis:
    """All levels are in, and a loss far above them at the beginning is not."""
    ends = [*data.levels.values(), data.course["loss"].min()]
    low, high = min(ends), max(ends)
    return Axis("loss", "nats", range=(low - 0.06 * (high - low), high + 0.1 * (high - low)), form=".4f")


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, loss, KL to each strategy, highest head scores, and the levels (nats)."""
    levels = {f"level_{name}": level for name, level in data.levels.items()}
    return data.subject.rows(data.course.assign(**levels))


PLOT = Plot(
    name="phases",
    title="Phases of training",
    description="""\
Above, the loss on the probe with the expected loss of each strategy that needs no training: *uniform*,
*unigram* (counts of states so far), *bigram* (counts of what followed the present state), and the chains'
*entropy*, which a model would reach that knew the chain. In the middle the distance KL(strategy ‖ model) from
each strategy. Below, the highest previous-token and prefix-matching score of all heads.

**How to read it.** The dashed vertical lines are the events of the table `events`: the model is nearer to
the unigram strategy than to the uniform one, nearer to the bigram than to the unigram one, and half of the
rise of either score. Levels are expectations, the loss is of 512 sequences: a difference of a hundredth is
chance. The bigram strategy is the best possible, except that the first symbol is stationary and so says
something about the chain ([Edelman et al. 2024](https://arxiv.org/abs/2402.11004)).
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(
        "summaries/logit_lens",
        "summaries/strategies",
        "summaries/head_scores",
        "summaries/levels",
        "summaries/events",
    ),
)
