"""The loss by position beside what each strategy reaches there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing.chart import Chart
from tdw.families.markov_icl.analyzers import STRATEGIES
from tdw.families.transformer.recipes.figures import by_position
from tdw.families.transformer.recipes.figures import loss_by_position as of_any
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.drawing.marks import Numbers
    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class Data:
    """The loss of the model, and the levels: name -> (positions,), nats."""

    model: by_position.Data
    levels: Mapping[str, Numbers]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The model's loss at every epoch; the levels follow from the variant's states and length."""
    from tdw.families.markov_icl.config import Config
    from tdw.families.markov_icl.known_levels import levels_of

    config = Config.parse(sources.only.variant)
    found = levels_of(config.n_states, config.length)
    entropy = np.full(config.length - 1, found.entropy)
    return Data(
        of_any.load(sources, parameters),
        {"unigram": found.unigram, "bigram": found.bigram, "entropy": entropy},
    )


def chart(data: Data) -> Chart:
    """As of any transformer, with the levels."""
    return of_any.chart(data.model, levels=data.levels)


def table(data: Data) -> pd.DataFrame:
    """As of any transformer."""
    return of_any.table(data.model)


PLOT: Plot = dataclasses.replace(
    of_any.PLOT,
    description="""\
Cross-entropy in nats at each position, averaged over the probe: above at the slider's epoch and at the first,
with the expected loss of the *unigram* and the *bigram* strategy at that position, and the chains' *entropy*;
below at every analyzed epoch, one row each, whatever lies between them.

**How to read it.** A model of the plateau follows the unigram curve, and after the turn the bigram curve: it
gains where more of the chain has been seen. The first positions can't be predicted better by anything.
""",
    load=load,
    chart=chart,
    table=table,
    needs=(*of_any.PLOT.needs, STRATEGIES.name),
)
