"""Weights at epoch 0.

Schemes:
    normal: every matrix from N(0, std²), as TransformerLens 1-3 does by default, and with the same draws.
    gpt2: the same, with W_O and W_out divided by sqrt(2 n_layers) (Radford et al. 2019, "Language Models are
        Unsupervised Multitask Learners", section 2.3).
    torch: the distributions of `torch.nn`: N(0, 1) for the embedding, uniform within 1 / sqrt(inputs) for
        every other matrix; position embeddings from N(0, 0.02²).

Biases are 0, layer norm's weights 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from tdw.families.transformer.config import TransformerConfig, is_matrix_name

_INTO_RESIDUAL = ("W_O", "W_out")


def init_weights(config: TransformerConfig, *, seed: int) -> dict[str, Tensor]:
    """Weights at epoch 0, float32 on the CPU, by HookedTransformer name.

    Drawn in the order of `config.weight_shapes` by a generator of its own: the global one is not touched.
    """
    generator = torch.Generator().manual_seed(seed)
    draw = _DRAWS[config.init_scheme]
    weights: dict[str, Tensor] = {}
    for name, shape in config.weight_shapes.items():
        weights[name] = torch.ones(shape) if name.endswith(".w") else torch.zeros(shape)
        if is_matrix_name(name):
            draw(config, name, weights[name], generator)
    return weights


def _normal(config: TransformerConfig, name: str, weight: Tensor, generator: torch.Generator) -> None:
    weight.normal_(0.0, config.std, generator=generator)


def _gpt2(config: TransformerConfig, name: str, weight: Tensor, generator: torch.Generator) -> None:
    scale = (2 * config.n_layers) ** -0.5 if name.endswith(_INTO_RESIDUAL) else 1.0
    weight.normal_(0.0, config.std * scale, generator=generator)


def _torch(config: TransformerConfig, name: str, weight: Tensor, generator: torch.Generator) -> None:
    if name in ("embed.W_E", "pos_embed.W_pos"):
        weight.normal_(0.0, 1.0 if name == "embed.W_E" else 0.02, generator=generator)
        return
    # W_O is a matrix per head, but one linear layer over the joined heads.
    inputs = weight.shape[0] * weight.shape[1] if name.endswith("W_O") else weight.shape[-2]
    bound = 1 / math.sqrt(inputs)
    weight.uniform_(-bound, bound, generator=generator)


_DRAWS: dict[str, Callable[[TransformerConfig, str, Tensor, torch.Generator], None]] = {
    "normal": _normal,
    "gpt2": _gpt2,
    "torch": _torch,
}
