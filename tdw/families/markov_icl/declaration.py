"""The family's declaration. Functions that need torch are imported when they are called."""

from __future__ import annotations

from tdw.families.keys import fields_of
from tdw.families.markov_icl.analyzers import STRATEGIES
from tdw.families.markov_icl.comparison import COMPARISON, MEASURES, OVERVIEW, QUANTITIES
from tdw.families.markov_icl.config import DEFAULT_EPOCHS, KEY, Config
from tdw.families.markov_icl.figures import PLOTS
from tdw.families.markov_icl.tables import SUMMARIES
from tdw.families.model_functions import model_functions
from tdw.families.transformer import exchange
from tdw.families.transformer.context import TransformerContext, lengths
from tdw.families.transformer.cost import estimate
from tdw.families.transformer.explorer import sequence_explorer
from tdw.families.transformer.recipes import RECIPES
from tdw.recipes.analyzer import Analyzer
from tdw.recipes.cost import Cost
from tdw.recipes.family import Family, Metric
from tdw.recipes.figure import Plot
from tdw.recipes.summary import Summary

DESCRIPTION = """\
A small transformer reads a sequence of a Markov chain that it has never seen and learns, over training, to
predict the next symbol **from what followed the present one so far**.

- each sequence is of a chain of its own: rows of its matrix Dirichlet(1), first symbol stationary
- two layers, attention only, one head each, width 32, learned positions, no layer norm
- 64 fresh sequences of 100 symbols per step; AdamW, learning rate 3e-3, weight decay 0.1, clipped at 1
- probe: 512 fixed sequences

Task and published course (uniform, then unigram, then bigram):
[Edelman et al. 2024](https://arxiv.org/abs/2402.11004).
"""


def _cost(config: Config) -> Cost:
    step = estimate(config.transformer, batch_size=config.batch_size, steps=1).seconds
    return Cost(step=0.005 + step, cell=0.05, table=0.5)


def _recipes() -> tuple[Analyzer | Summary | Plot, ...]:
    """Its own figures first; a generic one that it has itself is left out."""
    own = {plot.name for plot in PLOTS}
    generic = (recipe for recipe in RECIPES if not (isinstance(recipe, Plot) and recipe.name in own))
    return (*PLOTS, *generic, STRATEGIES, *SUMMARIES)


FAMILY = Family(
    name=Config.family,
    title="Markov chains in context",
    description=DESCRIPTION,
    code_version="1",
    default_epochs=DEFAULT_EPOCHS,
    default_checkpoints=("0:100:10", "100:1000:50", "1000:2000:100"),
    fields=fields_of(Config, KEY),
    make_config=Config,
    parse_variant=Config.parse,
    open_checkpoint=TransformerContext,
    **model_functions(
        "tdw.families.markov_icl.model",
        metrics=(
            Metric("test_loss", "test loss", unit="nats"),
            Metric("accuracy", "accuracy"),
            Metric("kl_unigram", "KL to unigram", unit="nats"),
            Metric("kl_bigram", "KL to bigram", unit="nats"),
        ),
        in_batches=True,
    ),
    recipes=_recipes(),
    comparison=COMPARISON,
    overview=OVERVIEW,
    explorer=sequence_explorer(lambda variant: [str(i) for i in range(Config.parse(variant).n_states)]),
    dashboard=(
        "training_curves",
        "phases",
        "loss_by_position",
        "explorer/heads",
        "head_scores",
        "attention_patterns 6x10",
        "logit_lens 6x10",
        "logit_attribution",
        "order_of_events",
        "summaries/events",
    ),
    cost=_cost,
    to_transformer_lens=exchange.to_transformer_lens,
    weights_from_state_dict=exchange.weights_from_state_dict,
    state_dict_layout=exchange.state_dict_layout,
    lengths=lengths,
    measures=MEASURES,
    quantities=QUANTITIES,
)
