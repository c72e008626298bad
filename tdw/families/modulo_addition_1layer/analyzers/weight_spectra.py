"""A14, A15: spectra of the circuits of every head, and how many directions each weight matrix uses."""

from __future__ import annotations

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.fourier.circuit_spectra import circuit_spectra
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.common.effective_rank import effective_dimensions
from tdw.recipes.summary import NoParameters

MATRICES = {
    "W_E": "embed.W_E",
    "W_pos": "pos_embed.W_pos",
    "W_Q": "blocks.0.attn.W_Q",
    "W_K": "blocks.0.attn.W_K",
    "W_V": "blocks.0.attn.W_V",
    "W_O": "blocks.0.attn.W_O",
    "W_in": "blocks.0.mlp.W_in",
    "W_out": "blocks.0.mlp.W_out",
    "W_U": "unembed.W_U",
}
"""Short name of each weight matrix -> its name in a checkpoint."""
PER_HEAD = ("W_Q", "W_K", "W_V", "W_O")


def compute(context: CheckpointContext, parameters: NoParameters) -> Arrays:
    """`circuit_spectra` of the weights, and `dimensions_<matrix>`: participation ratios, float64."""
    weights = {name: context.weight(name) for name in MATRICES.values()}
    dimensions = effective_dimensions(weights)
    named = {f"dimensions_{short}": np.asarray(dimensions[name]) for short, name in MATRICES.items()}
    return {**circuit_spectra(weights), **named}


def describe(arrays: Arrays) -> Metadata:
    """Effective ranks, mean of the heads, and the participation ratios of the MLP's matrices."""
    return {
        "mean_qk_effective_rank": float(arrays["qk_effective_rank"].mean()),
        "mean_ov_effective_rank": float(arrays["ov_effective_rank"].mean()),
        "dimensions_W_in": float(arrays["dimensions_W_in"]),
        "dimensions_W_out": float(arrays["dimensions_W_out"]),
    }


ANALYZER = Analyzer(
    name="weight_spectra",
    title="Weight spectra",
    description="""\
The circuits of each head as matrices over residues, M_OV = W_E W_V W_O W_U and M_QK = W_E W_Q (W_E W_K)ᵀ,
and the direct path W_E W_U ([Elhage et al.
2021](https://transformer-circuits.pub/2021/framework/index.html)). From singular values s and eigenvalues
λ: norm max s; *effective rank* (Σ s)² / Σ s²; *copying score* Σ max(Re λ, 0) / Σ |λ|. Shares by frequency k
are the Frobenius norms of the (cos k, sin k) blocks. *Dimensions* is the participation ratio (Σ s)² / Σ s²
of each weight matrix, all rows counted. The only query of this network is that of "=": W_Q gets a gradient
of rank one per head, so a QK rank that falls toward one follows from the architecture.
""",
    code_version="1",
    parameters=NoParameters,
    function=compute,
    arrays={
        **{
            f"{circuit}_{value}": f"float64 (n_heads,), {value.replace('_', ' ')} of {what}"
            for circuit, what in (
                ("ov", "M_OV"), ("qk", "M_QK"), ("ov_weights", "W_V W_O"), ("qk_weights", "W_Q W_Kᵀ"),
            )
            for value in ("norm", "effective_rank")
        },
        "direct_norm": "float64 (), of W_E W_U",
        "direct_effective_rank": "float64 (), of W_E W_U",
        "ov_copying": "float64 (n_heads,), copying score of M_OV, 0-1",
        "direct_copying": "float64 (), copying score of W_E W_U, 0-1",
        **{
            f"{circuit}_shares": f"float64 (n_heads, (p-1)/2), share of each frequency in {what}; sums to 1"
            for circuit, what in (
                ("ov", "M_OV"), ("qk", "M_QK"), ("value", "W_E W_V"), ("score", 'the scores of "="'),
            )
        },
        "direct_shares": "float64 ((p-1)/2,), share of each frequency in W_E W_U; sums to 1",
        "ov_in_blocks": "float64 (n_heads,), share of the squares of M_OV in blocks of one frequency, 0-1",
        "qk_in_blocks": "float64 (n_heads,), the same of M_QK",
        "direct_in_blocks": "float64 (), the same of W_E W_U",
        **{
            f"dimensions_{name}": (
                f"float64 {'(n_heads,)' if name in PER_HEAD else '()'}, participation ratio of {name}"
            )
            for name in MATRICES
        },
    },
    describe=describe,
)  # fmt: skip
