"""The family's declaration. Functions that need torch are imported when they are called."""

from __future__ import annotations

from collections.abc import Mapping

from tdw.families.keys import fields_of
from tdw.families.model_functions import model_functions
from tdw.families.symbolic_ioi.analyzers import ANALYZERS
from tdw.families.symbolic_ioi.comparison import COMPARISON, MEASURES, OVERVIEW, QUANTITIES, SUMMARIES
from tdw.families.symbolic_ioi.config import DEFAULT_EPOCHS, KEY, Config, token_labels
from tdw.families.symbolic_ioi.figures import PLOTS
from tdw.families.transformer import context, exchange
from tdw.families.transformer.cost import estimate
from tdw.families.transformer.explorer import sequence_explorer
from tdw.families.transformer.recipes import RECIPES
from tdw.recipes.cost import Cost
from tdw.recipes.family import Family, Metric

DESCRIPTION = """\
Indirect object identification in symbols: `<BOS> A B S <MID>`, where S is A or B, and the answer is the name
that is **not** repeated. It is the logic of the task, **not GPT-2's circuit** for it.

- 6 names, all 60 sequences in every batch; there is no test set
- attention only, no layer norm, learned positions; the answer is read at the last position
- AdamW, learning rate 1e-3, no weight decay; every weight N(0, init_std²) at epoch 0

Task and claims: [arXiv:2510.25013](https://arxiv.org/abs/2510.25013).
"""


def _lengths(config: Config) -> Mapping[str, int]:
    return {**context.lengths(config), "n_names": config.n_names}


def _cost(config: Config) -> Cost:
    sequences = 2 * config.n_names * (config.n_names - 1)
    step = estimate(config.transformer, batch_size=sequences, steps=1).seconds
    return Cost(step=0.002 + step, cell=0.01, table=0.5)


FAMILY = Family(
    name=Config.family,
    title="Indirect object identification in symbols",
    description=DESCRIPTION,
    code_version="1",
    default_epochs=DEFAULT_EPOCHS,
    default_checkpoints=("0:100:20", "100:1000:100"),
    fields=fields_of(Config, KEY),
    make_config=Config,
    parse_variant=Config.parse,
    open_checkpoint=context.TransformerContext,
    **model_functions(
        "tdw.families.symbolic_ioi.model", metrics=(Metric("accuracy", "accuracy"),), in_batches=True
    ),
    recipes=(*PLOTS, *RECIPES, *ANALYZERS, *SUMMARIES),
    comparison=COMPARISON,
    overview=OVERVIEW,
    explorer=sequence_explorer(lambda variant: token_labels(Config.parse(variant))),
    dashboard=(
        "training_curves",
        "composition",
        "templates",
        "explorer/heads",
        "head_scores",
        "outcomes",
        "attention_patterns 6x10",
        "logit_lens 6x10",
        "logit_attribution",
        "loss_by_position",
        "summaries/solved",
    ),
    cost=_cost,
    to_transformer_lens=exchange.to_transformer_lens,
    weights_from_state_dict=exchange.weights_from_state_dict,
    state_dict_layout=exchange.state_dict_layout,
    lengths=_lengths,
    measures=MEASURES,
    quantities=QUANTITIES,
)
