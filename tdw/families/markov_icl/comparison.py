"""Variants side by side, and what claims may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.markov_icl.analyzers import STRATEGIES
from tdw.families.markov_icl.tables import EVENTS, LEVELS, NAMES
from tdw.families.transformer.recipes.analyzers import HEAD_SCORES, LENS
from tdw.recipes.comparison import Comparison
from tdw.recipes.measures import Measure, Quantity, column, series
from tdw.recipes.overview import Curve, OverviewColumn

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.variant_tables import VariantTables

TABLES = ("logit_lens", "strategies", "levels", "events", "head_scores")
_FIRST = ("closest_to_unigram", "closest_to_unigram_epoch", "previous_token_rise", "prefix_matching_rise")


def columns(variant: VariantTables, early: int) -> Mapping[str, Any]:
    """See DESCRIPTION."""
    of = variant.number
    return {
        "final_loss": of("logit_lens", "loss"),
        "final_in_context_score": of("logit_lens", "in_context_score"),
        **{f"final_kl_{name}": of("strategies", f"kl_{name}") for name in NAMES},
        **{f"level_{name}": of("levels", name) for name in LEVELS},
        **{f"{name}_epoch": of("events", f"{name}_epoch") for name in EVENTS},
        **{name: of("events", name) for name in _FIRST},
        "initial_previous_token": of("head_scores", "best_previous_token", row=0),
        "final_previous_token": of("head_scores", "best_previous_token"),
        "initial_prefix_matching": of("head_scores", "best_prefix_matching", row=0),
        "final_prefix_matching": of("head_scores", "best_prefix_matching"),
    }


DESCRIPTION = """\
One row per variant. `final_*` and `initial_*` are at the last and the first analyzed epoch, on the probe:
loss and KL in nats, mean over positions; scores are the highest of all heads. `level_*`: expected losses
of the strategies. `*_epoch`: see the table `events`.
"""
COMPARISON = Comparison(
    tables=TABLES,
    alike=(LENS.name, STRATEGIES.name, HEAD_SCORES.name),
    columns=columns,
    whole=(*(f"{name}_epoch" for name in EVENTS), "closest_to_unigram_epoch"),
    description=DESCRIPTION,
    code_version="1",
)
MEASURES: Mapping[str, Measure] = {
    "unigram_epoch": column("unigram_epoch", "the turn from uniform to unigram"),
    "bigram_epoch": column("bigram_epoch", "the turn from unigram to bigram"),
    "previous_token_epoch": column("previous_token_epoch", "half of the rise of the previous-token score"),
    "prefix_matching_epoch": column("prefix_matching_epoch", "half of the rise of prefix matching"),
    "closest_to_unigram": column("closest_to_unigram", "smallest KL to the unigram strategy"),
    "previous_token_rise": column("previous_token_rise", "rise of the previous-token score"),
    "prefix_matching_rise": column("prefix_matching_rise", "rise of prefix matching"),
    "final_loss": column("final_loss", "final loss"),
    "final_kl_bigram": column("final_kl_bigram", "final KL to the bigram strategy"),
    "final_kl_unigram": column("final_kl_unigram", "final KL to the unigram strategy"),
    "level_unigram": column("level_unigram", "level of the unigram strategy"),
    "level_bigram": column("level_bigram", "level of the bigram strategy"),
    "level_entropy": column("level_entropy", "entropy of the chains"),
    "kl_unigram": series("KL to the unigram strategy", "strategies", "kl_unigram"),
    "kl_bigram": series("KL to the bigram strategy", "strategies", "kl_bigram"),
    "previous_token": series("previous-token score", "head_scores", "best_previous_token"),
    "prefix_matching": series("prefix matching", "head_scores", "best_prefix_matching"),
}
QUANTITIES = (
    Quantity("final_loss", "final loss (nats)", overview=True),
    Quantity("level_bigram", "bigram level (nats)", overview=True),
    Quantity("unigram_epoch", "unigram from epoch", overview=True),
    Quantity("previous_token_epoch", "previous-token head from epoch", overview=True),
    Quantity("prefix_matching_epoch", "prefix matching from epoch", overview=True),
    Quantity("bigram_epoch", "bigram from epoch", overview=True),
)


def _turn(table: pd.DataFrame) -> str:
    epoch = float(table["bigram_epoch"].iloc[0])
    return "not yet" if np.isnan(epoch) else f"{epoch:,.0f}"


def _loss(table: pd.DataFrame) -> Curve:
    return table["epoch"].to_numpy(np.int64), table["loss"].to_numpy(np.float64)


OVERVIEW = (
    OverviewColumn("bigram from epoch", "events", text=_turn),
    OverviewColumn("loss", "logit_lens", curve=_loss, note="0.4 to 1.2 nats", unit="nats", low=0.4, high=1.2),
)
