"""The family's declaration. Functions that need torch are imported when they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tdw.families.keys import fields_of
from tdw.families.model_functions import model_functions
from tdw.families.quadratic_mlp.analyzers import ANALYZERS, Context
from tdw.families.quadratic_mlp.comparison import COMPARISON, MEASURES, OVERVIEW, QUANTITIES, TABLE
from tdw.families.quadratic_mlp.config import DEFAULT_EPOCHS, KEY, Config
from tdw.families.quadratic_mlp.figures import PLOTS
from tdw.recipes.common.landscape import recipes as landscape
from tdw.recipes.context import Arrays
from tdw.recipes.cost import Cost
from tdw.recipes.family import Family, Metric

DESCRIPTION = """\
A network without attention learns **(a + b) mod p**: f(a, b) = (W_a[a] + W_b[b])² W_out, one hidden layer of
500 neurons with a square, trained by mean squared error on one-hot answers. The field `operation` gives it
another task.

- p = 97, half of the pairs train; AdamW, learning rate 0.01, weight decay 5, betas (0.9, 0.98), full batch
- weights N(0, 0.05²) at epoch 0; 100 steps are enough
- probe: the full grid of p² pairs

It generalizes by a solution that is known in closed form, one frequency per neuron
([Gromov 2023](https://arxiv.org/abs/2301.02679)).
"""


def _open(config: Config, weights: Arrays, run_probe: Callable[[], Any]) -> Context:
    return Context(config, weights, run_probe)


def _lengths(config: Config) -> Mapping[str, int]:
    return {"p": config.p, "width": config.width}


def _cost(config: Config) -> Cost:
    return Cost(step=0.002 + config.cost.seconds / DEFAULT_EPOCHS, cell=0.1, table=0.5)


FAMILY = Family(
    name=Config.family,
    title="Quadratic network, modular addition",
    description=DESCRIPTION,
    code_version="1",
    default_epochs=DEFAULT_EPOCHS,
    default_checkpoints=("0:100:5",),
    fields=fields_of(Config, KEY),
    make_config=Config,
    parse_variant=Config.parse,
    open_checkpoint=_open,
    **model_functions(
        "tdw.families.quadratic_mlp.model",
        metrics=(
            Metric("test_loss", "test loss", log=True),
            Metric("test_accuracy", "test accuracy"),
            Metric("train_accuracy", "train accuracy"),
        ),
        in_batches=True,
    ),
    recipes=(*ANALYZERS, TABLE, *PLOTS, *landscape.CURVATURE),
    comparison=COMPARISON,
    overview=OVERVIEW,
    dashboard=(
        "training_curves",
        "neurons",
        "phases",
        "neuron_weights",
        "neuron_maps 8x8",
        "summaries/neurons",
    ),
    cost=_cost,
    lengths=_lengths,
    measures=MEASURES,
    quantities=QUANTITIES,
)
