"""A20: where the training gradient acts, by site and frequency, and how much of it reaches each neuron.

With ∂W the gradient of the training loss (weight decay is no part of it) and F the Fourier basis over
residues, the sites are matrices with a residue per row:

    W_E: ∂W_E[:p];   Q, K, V: W_E[:p] ∂W_X per head, mean of the energies over heads;   W_in: W_E[:p] ∂W_in

The energy at k is the sum of squares of the rows cos k and sin k of F times the site. Amplitudes are their
roots, and the cosine between two sites is that of their amplitudes over k, each of length 1.

Of what queries learn Q says only how much: "=" alone asks, so ∂W_Q is the product of x_end, its residual, and
one row for each head, and the shares over k are those of W_E[:p] x_end whatever the gradient is.

A neuron's gradient flow is ||∂w_in||, of its column of W_in, and ||∂w_out||, of its row of W_out. A ReLU
neuron computes the same when w_in grows by a factor and w_out shrinks by it, and both gradients change with
that; ||w_in|| ||∂w_in|| does not. `compare_groups` sets blob neurons against the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float64, fourier_basis

SITES = ("W_E", "Q", "K", "V", "W_in")
Named = Mapping[str, npt.NDArray[Any]]


def gradient_energy(weights: Named, gradients: Named) -> Float64:
    """Energy of the training gradient by site and frequency: float64 (5, h), in the order of `SITES`.

    Args:
        weights, gradients: by TransformerLens name. Units: squared gradient (times squared embedding).
    """
    embed = weights["embed.W_E"][:-1].astype(np.float64)
    attention = [gradients[f"blocks.0.attn.W_{x}"].astype(np.float64) for x in "QKV"]
    basis = fourier_basis(len(embed))
    seen = basis @ embed
    at_sites = [
        (basis @ gradients["embed.W_E"][:-1].astype(np.float64))[None],
        *(seen @ gradient for gradient in attention),
        (seen @ gradients["blocks.0.mlp.W_in"].astype(np.float64))[None],
    ]
    squares = np.stack([(site**2).sum(axis=2).mean(axis=0) for site in at_sites])
    return squares[:, 1::2] + squares[:, 2::2]


def site_cosines(energy: Float64) -> Float64:
    """Cosine of the amplitudes of every two sites, from energies (n, h): float64 (n, n); 0 where one is 0."""
    amplitude = np.sqrt(energy)
    length = np.linalg.norm(amplitude, axis=1, keepdims=True)
    unit = np.divide(amplitude, length, out=np.zeros_like(amplitude), where=length > 0)
    return unit @ unit.T


@dataclass(frozen=True)
class NeuronFlow:
    """Gradient that reaches each neuron.

    Attributes:
        into, out_of: float64 (d_mlp,), ||∂w_in|| and ||∂w_out||.
        invariant: float64 (d_mlp,), ||w_in|| ||∂w_in||, nats.
    """

    into: Float64
    out_of: Float64
    invariant: Float64


def neuron_flow(weights: Named, gradients: Named) -> NeuronFlow:
    """Gradient flow of every neuron.

    Args:
        weights, gradients: by TransformerLens name.
    """
    into = np.linalg.norm(gradients["blocks.0.mlp.W_in"].astype(np.float64), axis=0)
    length = np.linalg.norm(weights["blocks.0.mlp.W_in"].astype(np.float64), axis=0)
    out_of = np.linalg.norm(gradients["blocks.0.mlp.W_out"].astype(np.float64), axis=1)
    return NeuronFlow(into, out_of, length * into)
