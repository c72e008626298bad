"""The family's declaration. Functions that need torch are imported when they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tdw.families.keys import fields_of
from tdw.families.modulo_addition_1layer.claims import CONTROLS, MEASURES, QUANTITIES
from tdw.families.modulo_addition_1layer.comparison import COMPARISON
from tdw.families.modulo_addition_1layer.config import KEY, Config
from tdw.families.modulo_addition_1layer.context import CheckpointContext, Probe
from tdw.families.modulo_addition_1layer.cost import DEFAULT_EPOCHS, cost
from tdw.families.modulo_addition_1layer.explorer import EXPLORER
from tdw.families.modulo_addition_1layer.model.data import probe_fingerprint, probe_labels
from tdw.families.modulo_addition_1layer.model.probe_types import ProbePass
from tdw.families.modulo_addition_1layer.overview import OVERVIEW
from tdw.families.modulo_addition_1layer.recipes import RECIPES
from tdw.families.modulo_addition_1layer.reports.pictures import PICTURES
from tdw.families.modulo_addition_1layer.reports.sensitivity import SECTION
from tdw.known_settings import under_known_settings
from tdw.pure_loss import PureLoss
from tdw.recipes.common.landscape.training_loss import TrainingLoss
from tdw.recipes.context import Arrays
from tdw.recipes.family import Family, Form, Metric, Objective, Optimizer, Weights

if TYPE_CHECKING:
    import torch

DESCRIPTION = """\
A one-layer, norm-free transformer that learns **(a + b) mod p**, or another operation modulo p, from a part
of all pairs, and groks.

- input `[a, b, =]`; the answer is read at the last position; full batch; loss in float64
- learned positions; biases present, zero and frozen
- probe: the full grid of p² pairs

Unless a field says otherwise: addition, 4 heads, d_model 128, d_head 32, d_mlp 512, ReLU; AdamW, learning
rate 1e-3, weight decay 1.0, betas (0.9, 0.98).

Task and architecture: [Nanda et al. 2023](https://arxiv.org/abs/2301.05217).
"""


@under_known_settings
def _init_weights(config: Config) -> dict[str, torch.Tensor]:
    from tdw.families.modulo_addition_1layer.model import intervene, network

    return intervene.begin(config, network.init_weights(config))


@under_known_settings
def _make_optimizer(config: Config, weights: Weights) -> Optimizer:
    from tdw.families.modulo_addition_1layer.model.intervene import intervening
    from tdw.optimizers import optimizer

    hidden = [name for name in config.trained if name.startswith("blocks.")]
    made = optimizer.Optimizer(config.optimizer_config, weights, trained=config.trained, hidden=hidden)
    return intervening(config, weights, made)


@under_known_settings
def _objective(config: Config, *, device: str = "cpu", form: Form | None = None) -> Objective:
    from tdw.families.modulo_addition_1layer.model.objective import make_objective

    return make_objective(config, device=device, form=form)


@under_known_settings
def _pure_loss(config: Config, *, device: str = "cpu") -> PureLoss:
    from tdw.families.modulo_addition_1layer.model.objective import pure_loss

    return pure_loss(config, device=device)


@under_known_settings
def _probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    from tdw.families.modulo_addition_1layer.model.probe import probe_pass

    return probe_pass(config, weights, device=device)


def _open_checkpoint(config: Config, weights: Arrays, run_probe: Callable[[], Probe]) -> CheckpointContext:
    def open_loss() -> TrainingLoss:
        from tdw.families.modulo_addition_1layer.maths.learning.loss import training_loss

        return training_loss(config, weights)

    return CheckpointContext(
        config.p, weights, run_probe, label_probe=lambda: probe_labels(config), open_loss=open_loss
    )


@under_known_settings
def _to_transformer_lens(config: Config, weights: Weights) -> Any:
    from tdw.families.modulo_addition_1layer.model.bridge import to_transformer_lens

    return to_transformer_lens(config, weights)


@under_known_settings
def _weights_from_state_dict(config: Config, state: Weights) -> dict[str, torch.Tensor]:
    from tdw.families.modulo_addition_1layer.model.bridge import weights_from_state_dict

    return weights_from_state_dict(config, state)


def _lengths(config: Config) -> Mapping[str, int]:
    half = (config.p - 1) // 2
    return {"p": config.p, "(p-1)/2": half, "d_mlp": config.d_mlp, "n_heads": config.n_heads}


def _state_dict_layout(config: Config, state: Weights) -> str:
    from tdw.families.modulo_addition_1layer.layouts import layout_of

    return layout_of(config, state)


FAMILY = Family(
    name=Config.family,
    title="Modular addition, one layer",
    description=DESCRIPTION,
    code_version="",  # nothing changed since the version of the loop counted for both
    default_epochs=DEFAULT_EPOCHS,
    default_checkpoints=("0:1500:100", "1500:9000:500", "9000:13000:100", "13000:25000:500"),
    fields=fields_of(Config, KEY),
    make_config=Config,
    parse_variant=Config.parse,
    init_weights=_init_weights,
    make_optimizer=_make_optimizer,
    objective=_objective,
    probe_pass=_probe_pass,
    probe_fingerprint=probe_fingerprint,
    open_checkpoint=_open_checkpoint,
    metrics=(
        Metric("test_loss", "test loss", unit="nats", log=True),
        Metric("test_accuracy", "test accuracy"),
    ),
    recipes=RECIPES,
    comparison=COMPARISON,
    overview=OVERVIEW,
    explorer=EXPLORER,
    dashboard=(
        "training_curves",
        "mean_coarseness",
        "coarseness_distribution",
        "explorer/neurons",
        "explorer/heads",
        "neuron_coarseness",
        "blob_count",
        "multi_scale 8x8",
        "early_coarseness",
        "dominant_frequencies",
        "progress_measures",
        "summaries/grokking",
    ),
    pure_loss=_pure_loss,
    cost=cost,
    to_transformer_lens=_to_transformer_lens,
    weights_from_state_dict=_weights_from_state_dict,
    state_dict_layout=_state_dict_layout,
    lengths=_lengths,
    measures=MEASURES,
    controls=CONTROLS,
    quantities=QUANTITIES,
    pictures=PICTURES,
    report_sections=(SECTION,),
)
