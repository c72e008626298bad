"""Tables of a variant: distance from each strategy, the levels they reach, and when the model turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from tdw.families.markov_icl.analyzers import STRATEGIES
from tdw.families.transformer.recipes.analyzers import HEAD_SCORES
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import HISTORY, Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

    from tdw.families.markov_icl.config import Config

Float64 = npt.NDArray[np.float64]
NAMES = ("uniform", "unigram", "bigram")
LEVELS = (*NAMES, "entropy")
LEAST_RISE = 0.2
"""Of a head's score over training, for the head to count as formed.

In the six runs of `studies/induction` the previous-token score rises by 0.27 or more where the head forms, by
0.12 in a run that ends while it is still under way, and by at most 0.05 for either score without a head.
"""
EVENTS = ("unigram", "previous_token", "prefix_matching", "bigram")


def strategies(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See STRATEGY_TABLE."""
    import pandas as pd

    means = {f"kl_{name}": inputs.stack(STRATEGIES.name, f"kl_{name}").mean(axis=1) for name in NAMES}
    return pd.DataFrame({"epoch": np.array(inputs.epochs, np.int64), **means})


def levels(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See LEVEL_TABLE."""
    import pandas as pd

    from tdw.families.markov_icl.known_levels import levels_of

    config = cast("Config", inputs.config)
    found = levels_of(config.n_states, config.length)
    row: dict[str, float] = {
        "uniform": found.uniform,
        "unigram": float(found.unigram.mean()),
        "bigram": float(found.bigram.mean()),
        "entropy": found.entropy,
        **{f"{name}_error": error for name, error in found.errors.items()},
    }
    return pd.DataFrame({name: [value] for name, value in row.items()})


def events(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See EVENT_TABLE."""
    import pandas as pd

    epochs = np.array(inputs.epochs, np.int64)
    kl = {name: inputs.stack(STRATEGIES.name, f"kl_{name}").mean(axis=1) for name in NAMES}
    previous = inputs.stack(HEAD_SCORES.name, "previous_token")
    prefix = inputs.stack(HEAD_SCORES.name, "prefix_matching")
    found = {
        "unigram": first(epochs, kl["unigram"] < kl["uniform"]),
        "previous_token": half_rise(epochs, _highest(previous[:, :1])),
        "prefix_matching": half_rise(epochs, _highest(prefix[:, 1:])),
        "bigram": first(epochs, kl["bigram"] < kl["unigram"]),
    }
    closest = int(np.argmin(kl["unigram"]))
    return pd.DataFrame(
        {
            **{f"{name}_epoch": [found[name]] for name in EVENTS},
            "closest_to_unigram_epoch": [float(epochs[closest])],
            "closest_to_unigram": [kl["unigram"][closest]],
            "previous_token_rise": [_rise(_highest(previous[:, :1]))],
            "prefix_matching_rise": [_rise(_highest(prefix[:, 1:]))],
        }
    )


def first(epochs: npt.NDArray[np.int64], holds: npt.NDArray[np.bool_]) -> float:
    """The first epoch at which something holds, NaN for none."""
    return float(epochs[holds][0]) if holds.any() else np.nan


def half_rise(epochs: npt.NDArray[np.int64], values: Float64) -> float:
    """The first epoch at which a series has made half of its way from its first to its highest value.

    NaN for a series that rises by less than LEAST_RISE, and for one with a gap.
    """
    if not len(values) or np.isnan(values).any() or _rise(values) < LEAST_RISE:
        return np.nan
    return first(epochs, values >= (values[0] + values.max()) / 2)


def _rise(values: Float64) -> float:
    return float(values.max() - values[0]) if len(values) else np.nan


def _highest(scores: Float64) -> Float64:
    """The highest score of some layers' heads per epoch; empty without a layer."""
    return scores.reshape(len(scores), -1).max(axis=1) if scores.size else np.empty(0)


def _describe_events(table: pd.DataFrame) -> Metadata:
    row = table.iloc[0]
    return {f"{name} epoch": float(row[f"{name}_epoch"]) for name in EVENTS}


def _describe_levels(table: pd.DataFrame) -> Metadata:
    return {f"{name} (nats)": round(float(table[name].iloc[0]), 5) for name in LEVELS}


STRATEGY_TABLE = Summary(
    name="strategies",
    title="Distance from strategies",
    description="One row per epoch: KL(strategy ‖ model) in nats, mean over positions and the probe.",
    code_version="1",
    needs=(STRATEGIES.name,),
    function=strategies,
)
LEVEL_TABLE = Summary(
    name="levels",
    title="Levels of the strategies",
    description="""\
One row: the expected loss in nats, mean over positions, of each strategy and of a model that knows the chain
(`entropy`). Exact for two states; for more, means over drawn chains with the standard error beside them.
""",
    code_version="1",
    needs=(HISTORY,),
    function=levels,
    describe=_describe_levels,
)
EVENT_TABLE = Summary(
    name="events",
    title="Order of events",
    description="""\
One row. `unigram_epoch`: the first analyzed epoch at which the model is nearer (by KL) to the unigram
strategy than to the uniform one; `bigram_epoch`: nearer to the bigram than to the unigram strategy.
`previous_token_epoch`: the highest previous-token score of layer 0 has made half of its rise from the first
analyzed epoch to its maximum, if that rise is at least 0.2; `prefix_matching_epoch`: likewise prefix
matching in the later layers. Empty where it did not happen. `closest_to_unigram`: the smallest distance from
the unigram strategy, and when.
""",
    code_version="2",
    needs=(STRATEGIES.name, HEAD_SCORES.name),
    function=events,
    describe=_describe_events,
)
SUMMARIES = (STRATEGY_TABLE, LEVEL_TABLE, EVENT_TABLE)
