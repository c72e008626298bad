"""The residual stream and what is added to it, for every pair, from the weights and one probe pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.analysis.fourier import Float32

SITES = ("resid_pre", "attn_out", "mlp_out", "resid_post")


def site_activations(
    weights: Mapping[str, npt.NDArray[Any]], attention: Float32, mlp_post: Float32
) -> dict[str, Float32]:
    """Activations at the last position, float32 (p², d_model) by site (`SITES`), rows a-major.

    `resid_pre` is the embedding of "=" with its position: the same for every pair, so that nothing about the
    answer can be read there. It is a view of one row.

    Args:
        weights: by TransformerLens name.
        attention: (n_heads, 3, p, p), from the last position to a, b and "=".
        mlp_post: (d_mlp, p, p).
    """
    heads, _, p, _ = attention.shape
    embed, position = weights["embed.W_E"], weights["pos_embed.W_pos"]
    w_v, w_o = weights["blocks.0.attn.W_V"], weights["blocks.0.attn.W_O"]
    at_end = (embed[-1] + position[2]).astype(np.float32)
    to_a, to_b, to_end = (
        (x @ w_v) for x in (embed[:-1] + position[0], embed[:-1] + position[1], at_end[None])
    )
    z = np.empty((p, p, heads, w_v.shape[-1]), np.float32)
    for h in range(heads):
        np.multiply(attention[h, 0, :, :, None], to_a[h, :, None, :], out=z[:, :, h])
        z[:, :, h] += attention[h, 1, :, :, None] * to_b[h, None, :, :]
        z[:, :, h] += attention[h, 2, :, :, None] * to_end[h, 0]
    attn_out = z.reshape(p * p, -1) @ w_o.reshape(-1, w_o.shape[-1])
    mlp_out = mlp_post.reshape(len(mlp_post), -1).T @ weights["blocks.0.mlp.W_out"]
    return {
        "resid_pre": np.broadcast_to(at_end, attn_out.shape),
        "attn_out": attn_out,
        "mlp_out": mlp_out,
        "resid_post": at_end + attn_out + mlp_out,
    }
