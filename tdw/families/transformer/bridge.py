"""Weights of the kit in TransformerLens 4, and a HookedTransformer's state dict in the kit.

TransformerLens 4 builds small models natively (`TransformerBridge.boot_native`), with one linear layer for
each of q, k, v and o over all heads, and always with biases and position embeddings: where we have none, they
are zero there, which is the same function. A tied unembedding becomes a copy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from einops import rearrange
from torch import Tensor

from tdw.errors import BadConfig, listed
from tdw.families.transformer.config import TransformerConfig
from tdw.families.transformer.network import NORM_EPS, Weights, unembedding

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

# TransformerLens brings transformers, datasets and wandb along. A researcher's own setting wins.
_NO_REPORTS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "WANDB_MODE": "offline",
    "DO_NOT_TRACK": "1",
}
_BUFFERS = ("mask", "IGNORE")


def to_transformer_lens(config: TransformerConfig, weights: Weights) -> TransformerBridge:
    """A TransformerLens model with these weights, on the CPU, for hooks, caches and patching.

    Args:
        config: the architecture.
        weights: by HookedTransformer name, float32.

    Raises:
        BadConfig: TransformerLens's native models can't express the architecture; says why.
    """
    reasons = inexpressible(config)
    if reasons:
        raise BadConfig(
            f"TransformerLens has no such native model: {'; '.join(reasons)}",
            "use the kit's own activations (network.logits with a cache); they have the same names",
        )
    for name, value in _NO_REPORTS.items():
        os.environ.setdefault(name, value)
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    # Cast: the classmethod is attached to the class at import, where a type checker can't see it.
    bridge: Any = cast("Any", TransformerBridge).boot_native(
        TransformerBridgeConfig(
            n_layers=config.n_layers,
            n_heads=config.n_heads,
            d_model=config.d_model,
            d_head=config.d_head,
            d_mlp=config.d_mlp or None,
            d_vocab=config.d_vocab,
            d_vocab_out=config.d_vocab_out,
            n_ctx=config.n_ctx,
            act_fn=config.activation if config.d_mlp else "relu",
            normalization_type=config.normalization,
            attn_only=not config.d_mlp,
            eps=NORM_EPS,
            init_weights=False,
        )
    )
    # A strict load: a name that TransformerLens adds or drops must be an error here.
    bridge.load_state_dict(_bridge_state(config, weights), strict=True)
    return bridge.eval()


def inexpressible(config: TransformerConfig) -> list[str]:
    """Why TransformerLens's native models can't express an architecture; empty if they can."""
    if config.d_mlp and config.activation == "square":
        return ["it has no activation 'square'"]
    return []


def weights_from_state_dict(config: TransformerConfig, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights from the state dict of a HookedTransformer (TransformerLens 1-3) of this architecture.

    Args:
        config: the architecture.
        state: tensors by name. Attention's buffers, and biases that are zero where the architecture has none,
            are dropped; so is `unembed.W_U` of a tied model, if it is the transposed embedding.

    Raises:
        BadConfig: lists every name that is missing or unknown, and every shape or value that does not fit.
    """
    shapes = config.weight_shapes
    problems: list[str] = []
    for name, tensor in state.items():
        last = name.rsplit(".", 1)[-1]
        if name in shapes or last in _BUFFERS:
            continue
        if name == "unembed.W_U" and config.tied:
            if not torch.equal(tensor, state.get("embed.W_E", tensor.new_zeros(0)).T):
                problems.append(f"{name}: not the transposed embedding, but the model is tied")
        elif not last.startswith("b_") or config.biases:
            problems.append(f"{name}: unknown")
        elif tensor.any():
            problems.append(f"{name}: not zero, but the model has no biases")
    for name, shape in shapes.items():
        if name not in state:
            problems.append(f"{name}: missing")
        elif tuple(state[name].shape) != shape:
            problems.append(f"{name}: shape {tuple(state[name].shape)}, expected {shape}")
    if problems:
        raise BadConfig(
            f"the state dict is not a model of this architecture:\n  {listed(problems)}",
            "load a HookedTransformer of the same widths, normalization, positions and biases",
        )
    return {name: state[name].detach().to("cpu", torch.float32).contiguous().clone() for name in shapes}


def _bridge_state(config: TransformerConfig, weights: Weights) -> dict[str, Tensor]:
    """State dict of the bridge: joins the heads and transposes to `torch.nn.Linear`'s (out, in)."""
    d_model, width = config.d_model, config.n_heads * config.d_head
    bias = {name: weights[name].flatten() for name in weights if name.rsplit(".", 1)[-1].startswith("b_")}
    positions = weights.get("pos_embed.W_pos", torch.zeros(config.n_ctx, d_model))
    state = {
        "embed.weight": weights["embed.W_E"],
        "pos_embed.weight": positions,
        "unembed.weight": unembedding(config, weights).T,
        "unembed.bias": bias.get("unembed.b_U", torch.zeros(config.d_vocab_out)),
    }
    for layer in range(config.n_layers):
        attn, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        for letter in "QKV":
            matrix = weights[f"{attn}.W_{letter}"]
            state[f"{attn}.{letter.lower()}.weight"] = rearrange(
                matrix, "head d_model d_head -> (head d_head) d_model"
            )
            state[f"{attn}.{letter.lower()}.bias"] = bias.get(f"{attn}.b_{letter}", torch.zeros(width))
        matrix = weights[f"{attn}.W_O"]
        state[f"{attn}.o.weight"] = rearrange(matrix, "head d_head d_model -> d_model (head d_head)")
        state[f"{attn}.o.bias"] = bias.get(f"{attn}.b_O", torch.zeros(d_model))
        if config.d_mlp:
            for side, size in (("in", config.d_mlp), ("out", d_model)):
                state[f"{mlp}.{side}.weight"] = weights[f"{mlp}.W_{side}"].T
                state[f"{mlp}.{side}.bias"] = bias.get(f"{mlp}.b_{side}", torch.zeros(size))
    for name, tensor in weights.items():
        if name.endswith((".w", ".b")):
            state[name.removesuffix(".w") + ".weight" if name.endswith(".w") else name[:-2] + ".bias"] = (
                tensor
            )
    return {name: tensor.detach().to("cpu", torch.float32).contiguous() for name, tensor in state.items()}
