"""The residual stream and what is added to it, for every pair, from the weights and one probe pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float32

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
    p = attention.shape[-1]
    embed, position = weights["embed.W_E"], weights["pos_embed.W_pos"]
    w_v, w_o = weights["blocks.0.attn.W_V"], weights["blocks.0.attn.W_O"]
    at_end = (embed[-1] + position[2]).astype(np.float32)
    stream = np.concatenate([embed[:-1] + position[0], embed[:-1] + position[1], at_end[None]])
    written = ((stream @ w_v) @ w_o).swapaxes(
        0, 1
    )  # (2 p + 1, heads, d_model): what a token adds at full attention
    of_a, of_b, of_end = written[:p], written[p:-1], written[-1]
    # Attention mixes these rows: for one a (then one b), all pairs are one small product.
    to_a, to_b, to_end = attention.transpose(1, 2, 3, 0)
    mixed = np.concatenate([to_a, to_end], axis=-1) @ np.concatenate(
        [of_a, np.broadcast_to(of_end, of_a.shape)], axis=1
    )
    mixed += (to_b.swapaxes(0, 1) @ of_b).swapaxes(0, 1)
    attn_out = mixed.reshape(p * p, -1)
    mlp_out = mlp_post.reshape(len(mlp_post), -1).T @ weights["blocks.0.mlp.W_out"]
    return {
        "resid_pre": np.broadcast_to(at_end, attn_out.shape),
        "attn_out": attn_out,
        "mlp_out": mlp_out,
        "resid_post": at_end + attn_out + mlp_out,
    }
