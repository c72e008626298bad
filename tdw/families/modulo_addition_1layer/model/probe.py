"""One forward pass of the whole grid of pairs: what every analyzer starts from."""

from __future__ import annotations

import numpy as np
import torch

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.data import probe_tokens
from tdw.families.modulo_addition_1layer.model.objective import why_plain
from tdw.families.modulo_addition_1layer.model.probe_types import ProbePass
from tdw.families.transformer.network import ACTIVATIONS
from tdw.recipes.family import Weights


def probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    """Neuron and attention maps of the full grid.

    Args:
        config: the variant.
        weights: by TransformerLens name, float32, on any device.
        device: where to compute; the arrays come back on the CPU.
    """
    if not why_plain(config, device):
        from tdw.families.modulo_addition_1layer.model.mix import mix_probe_pass

        here = {name: tensor.detach().to("cpu", torch.float32) for name, tensor in weights.items()}
        return mix_probe_pass(config, here)
    return plain_probe_pass(config, weights, device=device)


@torch.no_grad()
def plain_probe_pass(config: Config, weights: Weights, *, device: str) -> ProbePass:
    """The reference form of the probe pass."""
    p = config.p
    here = {name: tensor.detach().to(device) for name, tensor in weights.items()}
    tokens = torch.as_tensor(probe_tokens(config)).to(device)
    a, b = tokens[:, 0], tokens[:, 1]
    residual = network.last_residual(here, a, b)
    post = ACTIVATIONS[config.activation](residual @ here["blocks.0.mlp.W_in"])
    pattern = network.attention_pattern(here, a, b)
    return ProbePass(
        mlp_post=np.ascontiguousarray(post.T.cpu().numpy()).reshape(-1, p, p),
        attention=np.ascontiguousarray(pattern.permute(1, 2, 0).cpu().numpy()).reshape(-1, 3, p, p),
        weights={name: tensor.cpu().numpy() for name, tensor in here.items()},
    )
