"""Our weights in TransformerLens 4, and a HookedTransformer's state dict in ours.

TransformerLens 4 builds toy models natively (`TransformerBridge.boot_native`), with one linear layer for each
of q, k, v and o over all heads; HookedTransformer's names and shapes (TransformerLens 1-3), which we store,
have a matrix a head. The mapping only transposes and joins heads, so no number changes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from einops import rearrange
from torch import Tensor

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.layouts import convert
from tdw.recipes.family import Weights

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

_BUFFERS = ("mask", "IGNORE")


@contextlib.contextmanager
def _same_variables() -> Generator[None]:
    """What is imported inside sets environment variables; none of them is left."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@_same_variables()
def to_transformer_lens(config: Config, weights: Weights) -> TransformerBridge:
    """A TransformerLens model with these weights, on the CPU, for hooks, caches and patching.

    Nothing is fetched and nothing reported: a model that is built natively needs no hub.

    Args:
        config: the variant.
        weights: by HookedTransformer name, float32.

    Raises:
        BadConfig: TransformerLens has no such activation.
    """
    if config.activation == "square":
        raise BadConfig(
            f"TransformerLens has no activation {config.activation!r}",
            "read the weights with `v.at(epoch).weights()`; the probe's maps need no TransformerLens",
        )
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    # Cast: the classmethod is attached to the class at import, where a type checker can't see it.
    bridge: Any = cast("Any", TransformerBridge).boot_native(
        TransformerBridgeConfig(
            n_layers=1,
            n_heads=config.n_heads,
            d_model=config.d_model,
            d_head=config.d_head,
            d_mlp=config.d_mlp,
            d_vocab=config.d_vocab,
            d_vocab_out=config.p,
            n_ctx=config.n_ctx,
            act_fn=config.activation,
            normalization_type=None,
            init_weights=False,
        )
    )
    # Not copy_ in place of a strict load: a name that TransformerLens adds or drops must be an error here.
    bridge.load_state_dict(_bridge_state(weights), strict=True)
    return bridge.eval()


def weights_from_state_dict(config: Config, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights from a state dict of this architecture, in a layout that `layouts` knows.

    Args:
        config: the variant.
        state: tensors by name, of any floating dtype. Attention's buffers are dropped, missing biases are
            zero, and an output for "=" whose probability is negligible is dropped.

    Raises:
        BadConfig: lists every name that is missing or unknown, every shape that differs and every bias
            that is not zero; or an output for "=" that counts.
    """
    state = convert(config, state)
    shapes = config.weight_shapes
    problems: list[str] = []
    weights: dict[str, Tensor] = {}
    for name in state:
        if name not in shapes and name.rsplit(".", 1)[-1] not in _BUFFERS:
            problems.append(f"{name}: unknown")
    for name, shape in shapes.items():
        frozen = name not in config.trained
        if name not in state:
            if not frozen:
                problems.append(f"{name}: missing")
            weights[name] = torch.zeros(shape)
            continue
        if tuple(state[name].shape) != shape:
            problems.append(f"{name}: shape {tuple(state[name].shape)}, expected {shape}")
            continue
        weights[name] = state[name].detach().to("cpu", torch.float32).contiguous().clone()
        if frozen and weights[name].any():
            problems.append(f"{name}: not zero, but this family's biases are")
    if problems:
        listed = "\n  ".join(problems)
        raise BadConfig(
            f"the state dict is not a model of {config.family}, {config.key}:\n  {listed}",
            "load a one-layer transformer of this architecture and modulus, without layer norm and biases, "
            "as HookedTransformer, TransformerBridge or the repository of Nanda et al. names its tensors",
        )
    return weights


def _bridge_state(weights: Weights) -> dict[str, Tensor]:
    """State dict of the bridge: joins the heads and transposes to `torch.nn.Linear`'s (out, in)."""
    state = {
        "embed.weight": weights["embed.W_E"],
        "pos_embed.weight": weights["pos_embed.W_pos"],
        "blocks.0.attn.o.weight": rearrange(
            weights["blocks.0.attn.W_O"], "head d_head d_model -> d_model (head d_head)"
        ),
        "blocks.0.attn.o.bias": weights["blocks.0.attn.b_O"],
        "unembed.weight": weights["unembed.W_U"].T,
        "unembed.bias": weights["unembed.b_U"],
    }
    for theirs, ours in (("q", "Q"), ("k", "K"), ("v", "V")):
        matrix = weights[f"blocks.0.attn.W_{ours}"]
        state[f"blocks.0.attn.{theirs}.weight"] = rearrange(
            matrix, "head d_model d_head -> (head d_head) d_model"
        )
        state[f"blocks.0.attn.{theirs}.bias"] = weights[f"blocks.0.attn.b_{ours}"].reshape(-1)
    for side in ("in", "out"):
        state[f"blocks.0.mlp.{side}.weight"] = weights[f"blocks.0.mlp.W_{side}"].T
        state[f"blocks.0.mlp.{side}.bias"] = weights[f"blocks.0.mlp.b_{side}"]
    return {name: tensor.detach().to("cpu", torch.float32).contiguous() for name, tensor in state.items()}
