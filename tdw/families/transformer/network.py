"""The network as pure functions of its weights, for any device, differentiable.

The mathematics is that of TransformerLens's `HookedTransformer`. Where a `cache` dictionary is given, every
activation is put into it under TransformerLens's hook name, batch first; `hook_attn_scores` is after the
causal mask, so the future is -inf there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from tdw.families.transformer.config import TransformerConfig

Weights = Mapping[str, Tensor]
Cache = dict[str, Tensor]

NORM_EPS = 1e-5
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "square": torch.square,
}
"""By TransformerLens's names, except that it has no "square"."""


def logits(
    config: TransformerConfig, weights: Weights, tokens: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """Logits at every position, float32 (batch, positions, d_vocab_out).

    Args:
        config: the architecture.
        weights: by HookedTransformer name, float32.
        tokens: int64 (batch, positions), positions at most n_ctx.
        cache: filled with every activation by hook name.
    """
    return unembed(config, weights, residual(config, weights, tokens, cache=cache), cache=cache)


def residual(
    config: TransformerConfig, weights: Weights, tokens: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """The residual stream after the last block, (batch, positions, d_model)."""
    stream = embed(config, weights, tokens, cache=cache)
    for layer in range(config.n_layers):
        stream = block(config, weights, layer, stream, cache=cache)
    return stream


def embed(
    config: TransformerConfig, weights: Weights, tokens: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """The residual stream before the first block, (batch, positions, d_model)."""
    embedded = functional.embedding(tokens, weights["embed.W_E"])
    _keep(cache, "hook_embed", embedded)
    if config.positions == "none":
        return embedded
    positions = weights["pos_embed.W_pos"][: tokens.shape[1]]
    _keep(cache, "hook_pos_embed", positions.expand_as(embedded))
    return embedded + positions


def block(
    config: TransformerConfig, weights: Weights, layer: int, stream: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """The residual stream after block `layer`, from the one before it."""
    name = f"blocks.{layer}"
    _keep(cache, f"{name}.hook_resid_pre", stream)
    normed = normalize(config, weights, f"{name}.ln1", stream, cache=cache)
    attended = attention(config, weights, layer, (normed, normed, normed), cache=cache)
    stream = stream + attended
    if config.d_mlp:
        _keep(cache, f"{name}.hook_resid_mid", stream)
        normed = normalize(config, weights, f"{name}.ln2", stream, cache=cache)
        stream = stream + mlp(config, weights, layer, normed, cache=cache)
    _keep(cache, f"{name}.hook_resid_post", stream)
    return stream


def attention(
    config: TransformerConfig,
    weights: Weights,
    layer: int,
    inputs: tuple[Tensor, Tensor, Tensor],
    *,
    cache: Cache | None = None,
) -> Tensor:
    """What the heads of block `layer` add to the residual stream, (batch, positions, d_model).

    Args:
        config: the architecture.
        weights: by HookedTransformer name.
        layer: the block.
        inputs: what queries, keys and values are computed from, each (batch, positions, d_model): the same
            tensor three times, but for ablations of composition.
        cache: filled with this block's activations.
    """
    name = f"blocks.{layer}.attn"
    q, k, v = (_heads(weights, name, letter, x) for letter, x in zip("QKV", inputs, strict=True))
    for letter, x in (("q", q), ("k", k), ("v", v)):
        _keep(cache, f"{name}.hook_{letter}", x.transpose(1, 2))
    scores = _scores(q, k)
    _keep(cache, f"{name}.hook_attn_scores", scores)
    pattern = scores.softmax(dim=-1)
    _keep(cache, f"{name}.hook_pattern", pattern)
    z = (pattern @ v).transpose(1, 2)
    _keep(cache, f"{name}.hook_z", z)
    out = z.flatten(2) @ weights[f"{name}.W_O"].flatten(0, 1)
    if config.biases:
        out = out + weights[f"{name}.b_O"]
    _keep(cache, f"blocks.{layer}.hook_attn_out", out)
    return out


def mlp(
    config: TransformerConfig, weights: Weights, layer: int, x: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """What the neurons of block `layer` add to the residual stream, (batch, positions, d_model)."""
    name = f"blocks.{layer}.mlp"
    pre = x @ weights[f"{name}.W_in"]
    if config.biases:
        pre = pre + weights[f"{name}.b_in"]
    _keep(cache, f"{name}.hook_pre", pre)
    post = ACTIVATIONS[config.activation](pre)
    _keep(cache, f"{name}.hook_post", post)
    out = post @ weights[f"{name}.W_out"]
    if config.biases:
        out = out + weights[f"{name}.b_out"]
    _keep(cache, f"blocks.{layer}.hook_mlp_out", out)
    return out


def normalize(
    config: TransformerConfig, weights: Weights, name: str, x: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """Layer norm `name` ("blocks.0.ln1", "ln_final") of x over its last dimension; x itself without norm."""
    if config.normalization is None:
        return x
    if cache is not None:
        centered = x - x.mean(dim=-1, keepdim=True)
        scale = (centered.square().mean(dim=-1, keepdim=True) + NORM_EPS).sqrt()
        _keep(cache, f"{name}.hook_scale", scale)
        _keep(cache, f"{name}.hook_normalized", centered / scale)
    learned = config.normalization == "LN"
    w, b = (weights[f"{name}.w"], weights[f"{name}.b"]) if learned else (None, None)
    return functional.layer_norm(x, x.shape[-1:], w, b, NORM_EPS)


def unembed(
    config: TransformerConfig, weights: Weights, stream: Tensor, *, cache: Cache | None = None
) -> Tensor:
    """Logits from the residual stream after the last block: final norm and unembedding."""
    out = normalize(config, weights, "ln_final", stream, cache=cache) @ unembedding(config, weights)
    return out + weights["unembed.b_U"] if config.biases else out


def unembedding(config: TransformerConfig, weights: Weights) -> Tensor:
    """The matrix from residual stream to logits, (d_model, d_vocab_out)."""
    return weights["embed.W_E"].T if config.tied else weights["unembed.W_U"]


def _heads(weights: Weights, name: str, letter: str, x: Tensor) -> Tensor:
    """Queries, keys or values by head, (batch, n_heads, positions, d_head)."""
    matrix = weights[f"{name}.W_{letter}"]
    heads, d_model, d_head = matrix.shape
    # One product for all heads.
    joined = x @ matrix.transpose(0, 1).reshape(d_model, heads * d_head)
    bias = weights.get(f"{name}.b_{letter}")
    if bias is not None:
        joined = joined + bias.flatten()
    return joined.view(*joined.shape[:-1], heads, d_head).transpose(1, 2)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    """Attention scores (batch, n_heads, positions, positions) with -inf for the future."""
    batch, heads, positions, d_head = q.shape
    future = torch.full((positions, positions), -math.inf, dtype=q.dtype, device=q.device).triu(1)
    # One kernel multiplies, scales and masks, instead of a pass over all scores for each.
    scores = torch.baddbmm(
        future, q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2), alpha=1 / math.sqrt(d_head)
    )
    return scores.view(batch, heads, positions, positions)


def _keep(cache: Cache | None, name: str, activation: Tensor) -> None:
    if cache is not None:
        cache[name] = activation
