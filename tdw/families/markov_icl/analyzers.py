"""How far a checkpoint is from what counting predicts. Importing this loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tdw.compute import one_thread
from tdw.families.transformer.context import TransformerContext
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.context import Arrays
from tdw.recipes.figure import NoParameters

if TYPE_CHECKING:
    from tdw.families.markov_icl.config import Config


def _strategies(context: TransformerContext, parameters: NoParameters) -> Arrays:
    from tdw.families.markov_icl import strategies

    config = cast("Config", context.config)
    with one_thread():
        log_model = context.probe.log_probs.cpu()
        found = strategies.divergences(strategies.of_probe(config.n_states, config.length), log_model)
    return {f"kl_{name}": values for name, values in found.items()}


def _describe(arrays: Arrays) -> Metadata:
    return {f"{name} (nats)": round(float(values.mean()), 6) for name, values in arrays.items()}


STRATEGIES = Analyzer(
    name="strategies",
    title="Distance from strategies",
    description="""\
KL(strategy ‖ model) in nats at each position, averaged over the probe. *Uniform* predicts every state alike;
*unigram* counts how often each state has occurred so far, *bigram* what has followed the present state; both
add one to each count, the posterior mean under Dirichlet(1)
([Edelman et al. 2024](https://arxiv.org/abs/2402.11004)).
""",
    code_version="1",
    parameters=NoParameters,
    function=_strategies,
    arrays={"kl_{uniform,unigram,bigram}": "float64 (n_ctx,), nats"},
    describe=_describe,
)
