"""A14: the circuits of each head as matrices over residues: norm, effective rank, copying, frequencies.

With W_E the embedding of the residues 0..p-1 (without "="), per head

    M_OV = W_E W_V W_O W_U      (p, p), from the residue that is read to the logits
    M_QK = W_E W_Q (W_E W_K)ᵀ   (p, p), scores between residues, not divided by sqrt(d_head)

and the direct path W_E W_U (Elhage et al. 2021). From singular values s and eigenvalues λ: norm = max s,
effective rank = (sum s)² / sum s², copying score = sum max(Re λ, 0) / sum |λ|, which means something where
input and output are the same residues. The Fourier share at k is the Frobenius norm of the (cos k, sin k) x
(cos k, sin k) block of F M Fᵀ over the sum of these norms; for the values W_E W_V the norm of the two rows
cos k and sin k. `in_blocks` says how much of a matrix the blocks hold: of its squares, without the constant.

In this network the only query is that of "=". M_QK over residues is not what the loss sees: W_Q gets its
gradient from one input, an outer product of rank one per step and head, and weight decay shrinks the rest.
So a QK rank that falls toward one follows from the architecture. What the model reads are the scores
x_end W_Q (W_E W_K)ᵀ / sqrt(d_head), p numbers per head; `score_shares` are their amplitudes by k.

X Y with X (p, r), Y (r, p) has the nonzero eigenvalues of Y X (r, r) and, with X = Q R and Yᵀ = Q' R',
the singular values of R R'ᵀ: no p x p decomposition is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float64, fourier_basis
from tdw.recipes.common.effective_rank import participation_ratio

Arrays = dict[str, npt.NDArray[Any]]


def circuit_spectra(weights: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Spectra of the circuits of every head and of the direct path, computed in float64.

    Args:
        weights: by TransformerLens name.

    Returns:
        With H heads and h = (p - 1) / 2 frequencies, float64:

        - `{ov,qk,ov_weights,qk_weights}_norm`, `_effective_rank` (H,): of M_OV, M_QK, W_V W_O, W_Q W_Kᵀ;
          `direct_norm`, `direct_effective_rank` ();
        - `ov_copying` (H,), `direct_copying` (): 0-1, 0 for a zero matrix;
        - `{ov,qk,value,score}_shares` (H, h), `direct_shares` (h,): sum to 1 over k, 0 for a zero matrix;
        - `{ov,qk}_in_blocks` (H,), `direct_in_blocks` (): 0-1.
    """
    embed, unembed, w_q, w_k, w_v, w_o = (
        weights[name].astype(np.float64)
        for name in ("embed.W_E", "unembed.W_U", *(f"blocks.0.attn.W_{x}" for x in "QKVO"))
    )
    residues = embed[:-1]
    at_end = embed[-1] + weights["pos_embed.W_pos"][2]
    values = residues @ w_v  # (H, p, d_head)
    queries, keys = residues @ w_q, residues @ w_k
    outputs = w_o @ unembed  # (H, d_head, p)
    scores = np.einsum("hpe,he->hp", keys, at_end @ w_q) / np.sqrt(w_q.shape[-1])
    keys_t = keys.swapaxes(1, 2)
    # The direct path has the form X Y as well, through d_model.
    direct = residues[None], unembed[None]
    found: Arrays = {}
    for name, left, right in (
        ("ov", values, outputs),
        ("qk", queries, keys_t),
        ("ov_weights", w_v, w_o),
        ("qk_weights", w_q, w_k.swapaxes(1, 2)),
        ("direct", *direct),
    ):
        singular = singular_values_of_product(left, right)
        found[f"{name}_norm"] = singular[:, 0]
        found[f"{name}_effective_rank"] = participation_ratio(singular)
    for name, left, right in (("ov", values, outputs), ("direct", *direct)):
        found[f"{name}_copying"] = copying_score(left, right)
    for name, left, right in (("ov", values, outputs), ("qk", queries, keys_t), ("direct", *direct)):
        found[f"{name}_shares"], found[f"{name}_in_blocks"] = block_shares(left, right)
    basis = fourier_basis(len(residues))
    found["value_shares"] = _normalized(_by_frequency((basis @ values) ** 2).sum(axis=-1))
    found["score_shares"] = _normalized(_by_frequency((scores @ basis.T)[..., None] ** 2)[..., 0])
    return {name: array[0] if name.startswith("direct") else array for name, array in found.items()}


def singular_values_of_product(left: Float64, right: Float64) -> Float64:
    """Singular values of left @ right, (n, p, r) and (n, r, q): float64 (n, min(p, q, r)), descending."""
    left_factor: Float64 = np.asarray(np.linalg.qr(left, mode="r"))
    right_factor: Float64 = np.asarray(np.linalg.qr(right.swapaxes(1, 2), mode="r"))
    product = left_factor @ right_factor.swapaxes(1, 2)
    return np.asarray(np.linalg.svd(product, compute_uv=False), np.float64)


def copying_score(left: Float64, right: Float64) -> Float64:
    """sum max(Re λ, 0) / sum |λ| over the eigenvalues of left @ right, (n, p, r), (n, r, p): float64 (n,)."""
    values = np.linalg.eigvals(right @ left if left.shape[2] < left.shape[1] else left @ right)
    size = np.abs(values).sum(axis=1)
    positive = np.maximum(values.real, 0).sum(axis=1)
    return np.divide(positive, size, out=np.zeros_like(size), where=size > 0)


def block_shares(left: Float64, right: Float64) -> tuple[Float64, Float64]:
    """Fourier shares of left @ right, (n, p, r) and (n, r, p), by the 2 x 2 blocks of F M Fᵀ.

    Returns:
        Shares, float64 (n, h), of the Frobenius norms of the blocks; and the share of the squares that the
        blocks hold of all of F M Fᵀ without the constant's row and column, float64 (n,).
    """
    basis = fourier_basis(left.shape[1])[1:]
    squares = ((basis @ left) @ (right @ basis.T)) ** 2
    pairs = squares[:, 0::2] + squares[:, 1::2]
    blocks = np.einsum("nkk->nk", pairs[:, :, 0::2] + pairs[:, :, 1::2])
    total = squares.sum(axis=(1, 2))
    inside = np.divide(blocks.sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
    return _normalized(blocks), inside


def _by_frequency(squares: Float64) -> Float64:
    """Squares of components (n, p, m) summed over cos and sin of each frequency: (n, h, m)."""
    return squares[:, 1::2] + squares[:, 2::2]


def _normalized(squares: Float64) -> Float64:
    """Roots of (n, h), divided by their sum over h."""
    norms = np.sqrt(squares)
    total = norms.sum(axis=-1, keepdims=True)
    return np.divide(norms, total, out=np.zeros_like(norms), where=total > 0)
