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
    config, weights, activations = probed.config, probed.weights, probed.activations
    tokens, targets = probed.probe.tokens, probed.probe.targets.flatten()
    directions, constants = _read_outs(probed)

    def right(into_logits: Tensor, streams: Tensor) -> Tensor:
        """What streams (sequences x positions, width) add to the right logits, (sequences, positions)."""
        # Outputs first: a product with a few columns takes longer than one with a few rows.
        picked = (into_logits @ streams.T).gather(0, targets[None])[0].view(tokens.shape)
        return picked / activations["ln_final.hook_scale"][..., 0] if config.normalization else picked

    parts: dict[str, Tensor] = {"embed": right(directions, activations["hook_embed"].flatten(0, 1))}
    if config.positions == "learned":
        parts["pos_embed"] = right(directions, activations["hook_pos_embed"].flatten(0, 1))
    for layer in range(config.n_layers):
        block = f"blocks.{layer}"
        z = activations[f"{block}.attn.hook_z"].flatten(0, 1)
        for head, out in enumerate(weights[f"{block}.attn.W_O"]):
            parts[f"L{layer}H{head}"] = right(directions @ out.T, z[:, head])
        if config.biases:
            bias = weights[f"{block}.attn.b_O"]
            parts[f"L{layer} bias"] = right(directions, bias.expand(len(z), -1))
        if config.d_mlp:
            parts[f"L{layer} mlp"] = right(directions, activations[f"{block}.hook_mlp_out"].flatten(0, 1))
    if config.biases or config.normalization == "LN":
        parts["bias"] = constants[targets].view(tokens.shape)
    rows = [parts[name].double().mean(dim=0).cpu().numpy() for name in config.components]
    return Attribution(config.components, np.stack(rows))


def _read_outs(probed: ProbePass) -> tuple[Tensor, Tensor]:
    """What raises each output's logit above the mean logit, but for layer norm's scale.

    Returns:
        directions of the residual stream (d_vocab_out, d_model), and what no stream changes (d_vocab_out,).
    """
    config, weights = probed.config, probed.weights
    unembedding = network.unembedding(config, weights)
    directions = (unembedding - unembedding.mean(dim=1, keepdim=True)).T
    constants = torch.zeros_like(directions[:, 0])
    if config.biases:
        bias = weights["unembed.b_U"]
        constants = constants + (bias - bias.mean())
    if config.normalization == "LN":
        constants = constants + directions @ weights["ln_final.b"]
        directions = directions * weights["ln_final.w"]
    if config.normalization is not None:
        directions = directions - directions.mean(dim=-1, keepdim=True)
    return directions, constants
