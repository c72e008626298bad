"""The numba form as it was first written: every sum in the order in which stored variants were trained.

Nothing is padded, transposed or kept from call to call. `mix.py` may take any other way to the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import Tensor

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import kernels
from tdw.families.modulo_addition_1layer.model.data import Indices, labels, split
from tdw.recipes.family import Weights

_compiled = numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"}, error_model="numpy")


@_compiled
def _forward(tables, base, weights, a, b, post, skip):
    p, d_mlp = skip.shape[1], post.shape[1]
    fours = tables.shape[0] // 4 * 4
    row = np.empty(base.shape[0], np.float32)
    for n in range(a.shape[0]):
        row[:] = base
        at = p + b[n]
        for h in range(0, fours, 4):
            a0, a1, a2, a3 = tables[h, a[n]], tables[h + 1, a[n]], tables[h + 2, a[n]], tables[h + 3, a[n]]
            b0, b1, b2, b3 = tables[h, at], tables[h + 1, at], tables[h + 2, at], tables[h + 3, at]
            u0, u1 = weights[n, h, 0], weights[n, h + 1, 0]
            u2, u3 = weights[n, h + 2, 0], weights[n, h + 3, 0]
            v0, v1 = weights[n, h, 1], weights[n, h + 1, 1]
            v2, v3 = weights[n, h + 2, 1], weights[n, h + 3, 1]
            for m in range(row.shape[0]):
                row[m] += (
                    u0 * a0[m] + u1 * a1[m] + u2 * a2[m] + u3 * a3[m]
                    + v0 * b0[m] + v1 * b1[m] + v2 * b2[m] + v3 * b3[m]
                )  # fmt: skip
        for h in range(fours, tables.shape[0]):
            of_a, of_b = tables[h, a[n]], tables[h, at]
            to_a, to_b = weights[n, h, 0], weights[n, h, 1]
            for m in range(row.shape[0]):
                row[m] += to_a * of_a[m] + to_b * of_b[m]
        for m in range(d_mlp):
            post[n, m] = max(row[m], np.float32(0))
        for m in range(p):
            skip[n, m] = row[d_mlp + m]


@_compiled
def _backward(tables, weights, a, b, post, d_post, d_skip, d_tables, d_base, d_scores):
    p, d_mlp = d_skip.shape[1], post.shape[1]
    row = np.zeros(d_base.shape[0], np.float32)
    total = np.zeros(d_base.shape[0], np.float32)
    for n in range(a.shape[0]):
        for m in range(d_mlp):
            row[m] = d_post[n, m] if post[n, m] > 0 else np.float32(0)
        for m in range(p):
            row[d_mlp + m] = d_skip[n, m]
        for m in range(row.shape[0]):
            total[m] += row[m]
        at_a, at_b = a[n], p + b[n]
        for h in range(tables.shape[0]):
            to_a, to_b = weights[n, h, 0], weights[n, h, 1]
            d_to_a = np.float32(0)
            d_to_b = np.float32(0)
            of_a, d_of_a = tables[h, at_a], d_tables[h, at_a]
            for m in range(row.shape[0]):
                d_to_a += row[m] * of_a[m]
                d_of_a[m] += to_a * row[m]
            of_b, d_of_b = tables[h, at_b], d_tables[h, at_b]
            for m in range(row.shape[0]):
                d_to_b += row[m] * of_b[m]
                d_of_b[m] += to_b * row[m]
            mean = to_a * d_to_a + to_b * d_to_b
            d_scores[at_a, h] += to_a * (d_to_a - mean)
            d_scores[at_b, h] += to_b * (d_to_b - mean)
    for m in range(row.shape[0]):
        d_base[m] += total[m]


@dataclass
class _Tables:
    """What `Tables` computes, and what its gradients need again."""

    inputs: Tensor
    into: Tensor
    to_value: Tensor
    values: Tensor
    through: Tensor
    tables: Tensor
    base: Tensor
    query: Tensor
    key: Tensor
    scores: Tensor
    readout: Tensor


def _tables(config: Config, weights: Weights) -> _Tables:
    p, h, e, d_mlp = config.p, config.n_heads, config.d_head, config.d_mlp
    embed, position, w_u = weights["embed.W_E"], weights["pos_embed.W_pos"], weights["unembed.W_U"]
    at_end = embed[p] + position[2]
    inputs = torch.cat([embed[:p] + (position[0] - at_end), embed[:p] + (position[1] - at_end), at_end[None]])
    into = torch.zeros(config.d_model, -(-(d_mlp + p) // 16) * 16)
    into[:, :d_mlp] = weights["blocks.0.mlp.W_in"]
    into[:, d_mlp : d_mlp + p] = w_u
    to_value = weights["blocks.0.attn.W_V"].permute(1, 0, 2).reshape(-1, h * e)
    values = (inputs @ to_value).view(-1, h, e).permute(1, 0, 2)
    through = weights["blocks.0.attn.W_O"].view(h * e, -1) @ into
    tables = torch.bmm(values, through.view(h, e, -1))
    base = torch.mv(into.T, at_end)
    base += tables[:, 2 * p].sum(dim=0)
    query = torch.einsum("d,hde->he", at_end, weights["blocks.0.attn.W_Q"]) / math.sqrt(e)
    key = torch.einsum("hde,he->dh", weights["blocks.0.attn.W_K"], query)
    readout = weights["blocks.0.mlp.W_out"] @ w_u
    scores = inputs[: 2 * p] @ key
    return _Tables(inputs, into, to_value, values, through, tables, base, query, key, scores, readout)


def _blocks(config: Config, index: Indices) -> list[Indices]:
    a, b = np.divmod(index, config.p)
    index = index[np.lexsort((a, b, a // 12))]
    return [index[start : start + 384] for start in range(0, len(index), 384)]


class _Forward:
    """The forward pass of a block."""

    def __init__(self, config: Config, t: _Tables, index: Indices) -> None:
        n, p = len(index), config.p
        self.a, self.b = np.divmod(index, p)
        self.answers = labels(config, index)
        self.attention = np.empty((n, config.n_heads, 2), np.float32)
        self.post, self.logits = torch.empty(n, config.d_mlp), torch.empty(n, p)
        self.exps, self.peak = torch.empty(n, p, dtype=torch.float64), np.empty(n)
        kernels.attention_weights(t.scores.numpy(), self.a, self.b, self.attention)
        _forward(
            t.tables.numpy(), t.base.numpy(), self.attention, self.a, self.b, self.post.numpy(),
            self.logits.numpy(),
        )  # fmt: skip
        self.logits.addmm_(self.post, t.readout)
        kernels.subtract_peak(self.logits.numpy(), self.peak, self.exps.numpy())
        self.exps.exp_()


@torch.no_grad()
def metrics(config: Config, weights: Weights) -> tuple[float, float]:
    """See Objective."""
    t, index = _tables(config, weights), split(config)[1]
    loss, hits = 0.0, 0
    for part in _blocks(config, index):
        f = _Forward(config, t, part)
        more = kernels.loss_and_hits(f.logits.numpy(), f.peak, f.exps.numpy(), f.answers)
        loss, hits = loss + more[0], hits + more[1]
    return loss / len(index), hits / len(index)


@torch.no_grad()
def loss_and_gradients(config: Config, weights: Weights) -> tuple[float, dict[str, Tensor]]:
    """See Objective; gradients by name."""
    t, index = _tables(config, weights), split(config)[0]
    d_tables, d_base = torch.zeros_like(t.tables), torch.zeros_like(t.base)
    d_scores, d_readout = torch.zeros_like(t.scores), torch.zeros_like(t.readout)
    loss = 0.0
    for part in _blocks(config, index):
        f = _Forward(config, t, part)
        logits = f.logits.numpy()
        loss += kernels.loss_and_gradient(logits, f.peak, f.exps.numpy(), f.answers, len(index))
        d_readout.addmm_(f.post.T, f.logits)
        d_post = f.logits @ t.readout.T
        _backward(
            t.tables.numpy(), f.attention, f.a, f.b, f.post.numpy(), d_post.numpy(), logits,
            d_tables.numpy(), d_base.numpy(), d_scores.numpy(),
        )  # fmt: skip
    return loss / len(index), _gradients(config, weights, t, d_tables, d_base, d_scores, d_readout)


def _gradients(
    config: Config, weights: Weights, t: _Tables, d_tables: Tensor, d_base: Tensor, d_scores: Tensor,
    d_readout: Tensor,
) -> dict[str, Tensor]:  # fmt: skip
    p, h, e, d_mlp = config.p, config.n_heads, config.d_head, config.d_mlp
    w_o, w_u = weights["blocks.0.attn.W_O"].view(h * e, -1), weights["unembed.W_U"]
    at_end = t.inputs[2 * p]
    d_tables[:, 2 * p] = d_base
    d_values = torch.bmm(d_tables, t.through.view(h, e, -1).transpose(1, 2))
    d_through = torch.bmm(t.values.transpose(1, 2), d_tables).view(h * e, -1)
    d_values = d_values.permute(1, 0, 2).reshape(2 * p + 1, h * e)
    d_to_value = t.inputs.T @ d_values
    d_inputs = d_values @ t.to_value.T
    d_into = w_o.T @ d_through
    d_into.addr_(at_end, d_base)
    d_inputs[: 2 * p].addmm_(d_scores, t.key.T)
    d_key = d_scores.T @ t.inputs[: 2 * p]
    d_query = torch.einsum("hd,hde->he", d_key, weights["blocks.0.attn.W_K"]) / math.sqrt(e)
    of_a, of_b = d_inputs[:p], d_inputs[p : 2 * p]
    d_position_a, d_position_b = of_a.sum(dim=0), of_b.sum(dim=0)
    d_end = d_inputs[2 * p] - d_position_a - d_position_b + t.into @ d_base
    d_end = d_end + torch.einsum("hde,he->d", weights["blocks.0.attn.W_Q"], d_query)
    return {
        "embed.W_E": torch.cat([of_a + of_b, d_end[None]]),
        "pos_embed.W_pos": torch.stack([d_position_a, d_position_b, d_end]),
        "blocks.0.attn.W_Q": at_end[None, :, None] * d_query[:, None, :],
        "blocks.0.attn.W_K": d_key[:, :, None] * t.query[:, None, :],
        "blocks.0.attn.W_V": d_to_value.view(-1, h, e).permute(1, 0, 2),
        "blocks.0.attn.W_O": (d_through @ t.into.T).view(h, e, -1),
        "blocks.0.mlp.W_in": d_into[:, :d_mlp],
        "blocks.0.mlp.W_out": d_readout @ w_u.T,
        "unembed.W_U": d_into[:, d_mlp : d_mlp + p] + weights["blocks.0.mlp.W_out"].T @ d_readout,
    }
