"""Direct logit attribution: what each component writes straight into the logit of the right output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdw.families.transformer import network
from tdw.families.transformer.probe import ProbePass


@dataclass(frozen=True)
class Attribution:
    """Contributions to the right output's logit above the mean logit, averaged over sequences.

    Attributes:
        components: of the configuration: "embed", "pos_embed", "L0H1" for heads, "L0 bias" for attention's
            output bias, "L0 mlp", and "bias" for what follows the residual stream.
        by_position: float64 (components, positions); a column sums to the mean of the logit itself.
    """

    components: tuple[str, ...]
    by_position: npt.NDArray[np.float64]


@torch.no_grad()
def direct_logit_attribution(probed: ProbePass) -> Attribution:
    """The final residual stream is a sum of components, and the logits are linear in it.

    Layer norm's scale is taken as it was in the pass, its other steps are linear (Elhage et al. 2021, "A
    Mathematical Framework for Transformer Circuits").
    """
    config, activations = probed.config, probed.activations
    direction, constant = _read_out(probed)
    parts: dict[str, Tensor] = {"embed": _along(activations["hook_embed"], direction)}
    if config.positions == "learned":
        parts["pos_embed"] = _along(activations["hook_pos_embed"], direction)
    for layer in range(config.n_layers):
        block = f"blocks.{layer}"
        # What a unit of each head's z is worth, instead of every head's output by itself.
        worth = torch.einsum("btd,hed->bthe", direction, probed.weights[f"{block}.attn.W_O"])
        by_head = (activations[f"{block}.attn.hook_z"] * worth).sum(dim=-1)
        parts |= {f"L{layer}H{head}": by_head[..., head] for head in range(config.n_heads)}
        if config.biases:
            parts[f"L{layer} bias"] = direction @ probed.weights[f"{block}.attn.b_O"]
        if config.d_mlp:
            parts[f"L{layer} mlp"] = _along(activations[f"{block}.hook_mlp_out"], direction)
    if config.biases or config.normalization == "LN":
        parts["bias"] = constant
    rows = [parts[name].double().mean(dim=0).cpu().numpy() for name in config.components]
    return Attribution(config.components, np.stack(rows))


def _read_out(probed: ProbePass) -> tuple[Tensor, Tensor]:
    """The direction of the stream that raises the right logit above the mean, and what no stream changes.

    Returns:
        direction (sequences, positions, d_model), constant (sequences, positions).
    """
    config, weights, targets = probed.config, probed.weights, probed.probe.targets
    unembedding = network.unembedding(config, weights)
    direction = (unembedding - unembedding.mean(dim=1, keepdim=True)).T[targets]
    constant = torch.zeros_like(direction[..., 0])
    if config.biases:
        bias = weights["unembed.b_U"]
        constant = constant + (bias - bias.mean())[targets]
    if config.normalization == "LN":
        constant = constant + direction @ weights["ln_final.b"]
        direction = direction * weights["ln_final.w"]
    if config.normalization is not None:
        direction = direction - direction.mean(dim=-1, keepdim=True)
        direction = direction / probed.activations["ln_final.hook_scale"]
    return direction, constant


def _along(activation: Tensor, direction: Tensor) -> Tensor:
    return (activation * direction).sum(dim=-1)
