"""The network as pure functions of its weights: the reference form, for any device, differentiable.

Only the last position is ever read, so only its query, MLP and unembedding are computed. What the other
positions contribute, their keys and values, depends on one token alone: it is a table over the p tokens,
gathered for each pair. The mathematics is TransformerLens's `HookedTransformer` with causal attention, scores
divided by sqrt(d_head) and no normalization; the tests compare every activation.

The biases are zero and frozen (T1), so no term here adds them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.replicates import replicate_weights
from tdw.families.transformer.network import ACTIVATIONS
from tdw.recipes.family import Weights


def init_weights(config: Config) -> dict[str, Tensor]:
    """Weights at epoch 0, float32 on the CPU, by TransformerLens name.

    The draws of TransformerLens 1-3 after `torch.manual_seed(seed)`: N(0, init_std²), in the order of
    `Config.drawn`, biases zero. The global generator is not touched.
    """
    generator = torch.Generator().manual_seed(config.seed)
    weights = {name: torch.zeros(shape) for name, shape in config.weight_shapes.items()}
    for name in config.drawn:
        weights[name].normal_(0.0, config.init_std, generator=generator)
    return replicate_weights(weights, key=config.base_key, replicate=config.replicate)


def residual_inputs(weights: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """The residual stream before attention: of each a (p, d), of each b (p, d), and of "=" (d,)."""
    embed, position = weights["embed.W_E"], weights["pos_embed.W_pos"]
    return embed[:-1] + position[0], embed[:-1] + position[1], embed[-1] + position[2]


def attention_pattern(weights: Weights, a: Tensor, b: Tensor) -> Tensor:
    """Attention from the last position to the three, (N, n_heads, 3)."""
    at_a, at_b, at_end = residual_inputs(weights)
    w_q, w_k = weights["blocks.0.attn.W_Q"], weights["blocks.0.attn.W_K"]
    query = torch.einsum("d,hde->he", at_end, w_q) / math.sqrt(w_q.shape[-1])
    key = torch.einsum("hde,he->dh", w_k, query)
    scores = torch.stack([(at_a @ key)[a], (at_b @ key)[b], (at_end @ key).expand(len(a), -1)], dim=-1)
    return scores.softmax(dim=-1)


def last_residual(weights: Weights, a: Tensor, b: Tensor) -> Tensor:
    """The residual stream between attention and MLP at the last position, (N, d_model)."""
    at_a, at_b, at_end = residual_inputs(weights)
    w_v, w_o = weights["blocks.0.attn.W_V"], weights["blocks.0.attn.W_O"]
    n_heads, d_model, d_head = w_v.shape
    values = w_v.permute(1, 0, 2).reshape(d_model, n_heads * d_head)
    pattern = attention_pattern(weights, a, b)
    z = (
        pattern[..., 0:1] * (at_a @ values)[a].view(-1, n_heads, d_head)
        + pattern[..., 1:2] * (at_b @ values)[b].view(-1, n_heads, d_head)
        + pattern[..., 2:3] * (at_end @ values).view(1, n_heads, d_head)
    )
    return at_end + z.reshape(-1, n_heads * d_head) @ w_o.reshape(n_heads * d_head, d_model)


def logits(weights: Weights, a: Tensor, b: Tensor, *, activation: str = "relu") -> Tensor:
    """Logits at the last position, (N, p).

    Args:
        weights: by TransformerLens name, float32.
        a: first operands, int64 (N,).
        b: second operands, int64 (N,).
        activation: of the neurons.
    """
    residual = last_residual(weights, a, b)
    post = ACTIVATIONS[activation](residual @ weights["blocks.0.mlp.W_in"])
    return (residual + post @ weights["blocks.0.mlp.W_out"]) @ weights["unembed.W_U"]


def cross_entropy(logits: Tensor, answers: Tensor) -> Tensor:
    """Mean cross-entropy in nats, float64: float32 is unstable once the model is sure of its answers (T2)."""
    return -logits.double().log_softmax(dim=-1).gather(-1, answers[:, None]).mean()


def activations(weights: Weights, a: Tensor, b: Tensor, *, activation: str = "relu") -> dict[str, Tensor]:
    """Every activation that reaches the last position's logits, by TransformerLens hook name, batch first.

    Values at the last position (N, ...), except those that attention reads at all three: `attn.hook_k` and
    `attn.hook_v` (N, 3, n_heads, d_head). `attn.hook_attn_scores` and `attn.hook_pattern` are the last
    query's row, (N, n_heads, 3). `logits` (N, p) has no hook in TransformerLens; there it is the output.
    """
    at_a, at_b, at_end = residual_inputs(weights)
    attn = {name: weights[f"blocks.0.attn.{name}"] for name in ("W_Q", "W_K", "W_V", "W_O")}
    stream = torch.stack([at_a[a], at_b[b], at_end.expand(len(a), -1)], dim=1)
    q = torch.einsum("nd,hde->nhe", stream[:, 2], attn["W_Q"])
    k = torch.einsum("nsd,hde->nshe", stream, attn["W_K"])
    v = torch.einsum("nsd,hde->nshe", stream, attn["W_V"])
    scores = torch.einsum("nhe,nshe->nhs", q, k) / math.sqrt(q.shape[-1])
    pattern = scores.softmax(dim=-1)
    z = torch.einsum("nhs,nshe->nhe", pattern, v)
    attn_out = torch.einsum("nhe,hed->nd", z, attn["W_O"])
    resid_mid = stream[:, 2] + attn_out
    pre = resid_mid @ weights["blocks.0.mlp.W_in"]
    post = ACTIVATIONS[activation](pre)
    mlp_out = post @ weights["blocks.0.mlp.W_out"]
    resid_post = resid_mid + mlp_out
    n = len(a)
    return {
        "hook_embed": weights["embed.W_E"][-1].expand(n, -1),
        "hook_pos_embed": weights["pos_embed.W_pos"][2].expand(n, -1),
        "blocks.0.hook_resid_pre": stream[:, 2],
        "blocks.0.attn.hook_q": q,
        "blocks.0.attn.hook_k": k,
        "blocks.0.attn.hook_v": v,
        "blocks.0.attn.hook_attn_scores": scores,
        "blocks.0.attn.hook_pattern": pattern,
        "blocks.0.attn.hook_z": z,
        "blocks.0.hook_attn_out": attn_out,
        "blocks.0.hook_resid_mid": resid_mid,
        "blocks.0.mlp.hook_pre": pre,
        "blocks.0.mlp.hook_post": post,
        "blocks.0.hook_mlp_out": mlp_out,
        "blocks.0.hook_resid_post": resid_post,
        "logits": resid_post @ weights["unembed.W_U"],
    }
