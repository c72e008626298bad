"""The order of events in every variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import EPOCHS, Axis, Points
from tdw.drawing.style import COLORS, SYMBOLS
from tdw.families.markov_icl.figures.phases import EVENT_NAMES, STRATEGY_COLORS, events_of
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

_COLORS = {**STRATEGY_COLORS, "previous_token": COLORS[1], "prefix_matching": COLORS[5]}


@dataclass(frozen=True)
class Data:
    """Variants in the study's order: label -> event -> epoch; and the labels of those without the table."""

    variants: Mapping[str, str]
    events: Mapping[str, Mapping[str, int]]
    left_out: tuple[str, ...]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The table of events of every variant that has it."""

    def read(reader: VariantReader) -> tuple[str, str, dict[str, int]]:
        return reader.label, reader.variant, events_of(reader.summary("events"))

    found, left_out = sources.collect(read)
    return Data(
        {label: variant for label, variant, _ in found},
        {label: events for label, _, events in found},
        left_out,
    )


def chart(data: Data) -> Chart:
    """A row per variant, a mark per event."""
    labels = tuple(data.events)
    marks: list[Points] = []
    for symbol, (event, name) in zip(SYMBOLS, EVENT_NAMES.items(), strict=False):
        at = [(events[event], i) for i, events in enumerate(data.events.values()) if event in events]
        x, y = np.array(at, np.float64).reshape(-1, 2).T
        marks.append(
            Points(x, y, name=name, color=_COLORS[event], symbol=symbol, size=11, hover="epoch {x:,d}")
        )
    rows = Axis("variant", names=labels, range=(-0.6, len(labels) - 0.4), reverse=False)
    never = [
        f"{label}: no {event.replace('_', ' ')}"
        for label, events in data.events.items()
        for event in EVENT_NAMES
        if event not in events
    ]
    return Chart(
        "Order of events",
        (Panel(marks, x=EPOCHS, y=rows),),
        subtitle=sentences(
            "; ".join(never[:4]) + (" …" if len(never) > 4 else ""),
            f"not analyzed yet: {', '.join(data.left_out)}" if data.left_out else "",
        ),
        unified=False,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant and, per event, its epoch; empty where it did not happen."""
    import pandas as pd

    rows = [
        {"variant": data.variants[label], **{f"{event}_epoch": events.get(event) for event in EVENT_NAMES}}
        for label, events in data.events.items()
    ]
    return pd.DataFrame(rows)


PLOT = Plot(
    name="order_of_events",
    title="Order of events",
    description="""\
When each variant turned to the unigram strategy, when its previous-token score (layer 0) and its
prefix-matching score (later layers) had made half of their rise, and when it turned to the bigram strategy.

**How to read it.** One row per variant, time to the right. "Half of the rise" lies between an epoch that is
analyzed and the one before it. What half means depends on where a score ends: a score that goes on rising for
long after the turn reaches its half late. The study's README says what holds under other definitions.
""",
    code_version="1",
    scope="comparison",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/events",),
)
