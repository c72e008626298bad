"""The family's declaration. Functions that need torch are imported when they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tdw.families.modulo_addition_1layer.claims import CONTROLS, MEASURES, QUANTITIES
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model.data import probe_fingerprint, probe_labels
from tdw.families.modulo_addition_1layer.pictures import PICTURES
from tdw.families.modulo_addition_1layer.sensitivity import SECTION
from tdw.recipes.family import Adam, Family, Field, Form, Objective, ProbePass, Weights

if TYPE_CHECKING:
    import torch

DESCRIPTION = """\
A one-layer, ReLU, norm-free transformer that learns **(a + b) mod p** from a part of all pairs, and groks.

- 4 heads, d_model 128, d_head 32, d_mlp 512; learned positions; biases present, zero and frozen
- input `[a, b, =]`; the answer is read at the last position
- AdamW, learning rate 1e-3, weight decay 1.0, betas (0.9, 0.98), full batch; loss in float64
- probe: the full grid of p² pairs

Task and architecture: [Nanda et al. 2023](https://arxiv.org/abs/2301.05217).
"""


def _init_weights(config: Config) -> dict[str, torch.Tensor]:
    from tdw.families.modulo_addition_1layer.model.network import init_weights

    return init_weights(config)


def _objective(config: Config, *, device: str = "cpu", form: Form | None = None) -> Objective:
    from tdw.families.modulo_addition_1layer.model.objective import make_objective

    return make_objective(config, device=device, form=form)


def _probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    from tdw.families.modulo_addition_1layer.model.probe import probe_pass

    return probe_pass(config, weights, device=device)


def _to_transformer_lens(config: Config, weights: Weights) -> Any:
    from tdw.families.modulo_addition_1layer.model.bridge import to_transformer_lens

    return to_transformer_lens(config, weights)


def _weights_from_state_dict(config: Config, state: Weights) -> dict[str, torch.Tensor]:
    from tdw.families.modulo_addition_1layer.model.bridge import weights_from_state_dict

    return weights_from_state_dict(config, state)


FAMILY = Family(
    name=Config.family,
    title="Modular addition, one layer",
    description=DESCRIPTION,
    asset_prefix=(),
    default_epochs=25_000,
    default_checkpoints=("0:1500:100", "1500:9000:500", "9000:13000:100", "13000:25000:500"),
    analyzers=(
        "neuron_activations",
        "attention_patterns",
        "dominant_frequencies",
        "neuron_frequencies",
        "downsampled_activations",
        "coarseness",
        "coarseness_stats",
        "progress_measures",
        "relabelling",
    ),
    fields=(
        Field("p", int, None, "the modulus, an odd prime"),
        Field("seed", int, None, "seed of the initialization"),
        Field("data_seed", int, 598, "seed of the split into training and test pairs"),
        Field("train_fraction", float, 0.3, "fraction of the pairs that train"),
    ),
    trained=Config.trained,
    optimizer=Adam(lr=Config.lr, weight_decay=Config.weight_decay, betas=Config.betas, eps=Config.eps),
    make_config=Config,
    parse_variant=Config.parse,
    init_weights=_init_weights,
    objective=_objective,
    probe_pass=_probe_pass,
    probe_fingerprint=probe_fingerprint,
    probe_labels=probe_labels,
    to_transformer_lens=_to_transformer_lens,
    weights_from_state_dict=_weights_from_state_dict,
    measures=MEASURES,
    controls=CONTROLS,
    quantities=QUANTITIES,
    pictures=PICTURES,
    report_sections=(SECTION,),
)
