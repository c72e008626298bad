"""Tables over epochs of what the kit's analyzers give: one row per epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tdw.families.transformer.recipes.analyzers import ATTRIBUTION, HEAD_SCORES, LENS, SCORES
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd


def head_columns(n_layers: int, n_heads: int) -> list[str]:
    """What heads are called, layer by layer: L0H0, L0H1, ..."""
    return [f"L{layer}H{head}" for layer in range(n_layers) for head in range(n_heads)]


def head_scores(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See SCORE_TABLE."""
    columns: dict[str, Any] = {}
    chance = inputs.stack(HEAD_SCORES.name, "chance")
    for place, name in enumerate(SCORES):
        scores = inputs.stack(HEAD_SCORES.name, name)
        flat = scores.reshape(len(scores), -1)
        columns |= {f"best_{name}": flat.max(axis=1, initial=0.0)}
        heads = head_columns(*scores.shape[1:])
        columns |= {f"{name}_{head}": flat[:, i] for i, head in enumerate(heads)}
        columns[f"{name}_chance"] = chance[:, place]
    return inputs.table(columns)


def logit_lens(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See LENS_TABLE."""
    from tdw.families.transformer.measures.prediction import in_context_score

    losses = inputs.stack(LENS.name, "loss")
    columns: dict[str, Any] = {"loss": losses[:, -1].mean(axis=1)}
    if losses.shape[2] > 1:
        columns["in_context_score"] = [in_context_score(rows[-1]) for rows in losses]
    columns |= {f"lens_{depth}": losses[:, depth].mean(axis=1) for depth in range(losses.shape[1])}
    return inputs.table(columns)


def logit_attribution(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """See ATTRIBUTION_TABLE."""
    config: Any = inputs.config
    means = inputs.stack(ATTRIBUTION.name, "logit").mean(axis=2)
    return inputs.table({name: means[:, i] for i, name in enumerate(config.transformer.components)})


def _describe(table: pd.DataFrame) -> Metadata:
    last = table.iloc[-1]
    return {str(name): round(float(last[name]), 4) for name in list(table.columns)[1:4]}


SCORE_TABLE = Summary(
    name="head_scores",
    title="Head scores",
    description="""\
One row per epoch; `previous_token_L0H1` is the score of head 1 of layer 0, `best_previous_token` the highest
of all heads, `previous_token_chance` that of a head that attends evenly. Likewise duplicate token and prefix
matching.
""",
    code_version="1",
    needs=(HEAD_SCORES.name,),
    function=head_scores,
    describe=_describe,
)
LENS_TABLE = Summary(
    name="logit_lens",
    title="Loss by depth",
    description="""\
One row per epoch, in nats: `loss` on the probe; `in_context_score`, the loss of the last tenth of the
positions minus that of the first; `lens_0` and so on, the loss of the residual stream read out before that
block.
""",
    code_version="1",
    needs=(LENS.name,),
    function=logit_lens,
    describe=_describe,
)
ATTRIBUTION_TABLE = Summary(
    name="logit_attribution",
    title="Direct logit attribution",
    description="One row per epoch: what each component adds to the right token's logit, in the mean.",
    code_version="1",
    needs=(ATTRIBUTION.name,),
    function=logit_attribution,
)
SUMMARIES = (SCORE_TABLE, LENS_TABLE, ATTRIBUTION_TABLE)
