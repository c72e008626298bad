"""How attention heads combine in neurons: what blob neurons read from each head, and what plaid ones read.

Through head h, a residue at full attention adds to the pre-activations of the neurons a row of

    T_h = C W_V,h W_O,h W_in      (p, d_mlp),  C = W_E[:p] less its mean over residues

so T_h[:, n] is the function of the residue that neuron n reads from head h. (The network weighs it with the
attention that the head gives, which depends on both residues; T_h is what there is to weigh.)

- read energy: ||T_h[:, n]||²; its share over heads says whose neuron it is.
- heads per neuron: 1 / sum_h share², between 1 and the number of heads.
- gain: ||sum_h T_h[:, n]||² / sum_h ||T_h[:, n]||²: H when all heads say the same, 1 when they are unrelated,
  0 when they cancel.
- composition of head h with a group of neurons G, ||W_V W_O W_in[:, G]|| / (||W_V W_O|| ||W_in[:, G]||) in
  Frobenius norms (Elhage et al. 2021), 0-1: weights only, whatever the embedding holds.
- energy by frequency: of T_h over the neurons of a group, the squares of the rows cos k and sin k of F T_h.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float64, fourier_basis

Arrays = dict[str, npt.NDArray[Any]]


def head_composition(weights: Mapping[str, npt.NDArray[Any]], groups: npt.NDArray[np.bool_]) -> Arrays:
    """What neurons read from each head, in float64.

    Args:
        weights: by TransformerLens name.
        groups: bool (G, d_mlp), which neurons are in each group, such as blobs and plaid neurons.

    Returns:
        With H heads and h = (p - 1) / 2:

        - `read_energy`: float64 (H, d_mlp);
        - `heads_per_neuron`, `gain`: float64 (d_mlp,), 0 for a neuron that reads nothing;
        - `composition`: float64 (H, G); 0 for an empty group;
        - `energy_by_frequency`: float64 (H, G, h), summed over the neurons of each group.
    """
    embed, w_v, w_o, w_in = (
        weights[name].astype(np.float64)
        for name in ("embed.W_E", "blocks.0.attn.W_V", "blocks.0.attn.W_O", "blocks.0.mlp.W_in")
    )
    residues = embed[:-1] - embed[:-1].mean(axis=0)
    into = w_o @ w_in  # (H, d_head, d_mlp)
    reads = (residues @ w_v) @ into  # (H, p, d_mlp)
    energy = (reads**2).sum(axis=1)
    total = energy.sum(axis=0)
    shares = _ratio(energy, np.broadcast_to(total, energy.shape))
    together = (reads.sum(axis=0) ** 2).sum(axis=0)
    squares = (fourier_basis(len(residues))[1:] @ reads) ** 2
    by_frequency = squares[:, 0::2] + squares[:, 1::2]  # (H, h, d_mlp)
    members = groups.astype(np.float64)
    # ||W_V X||² = tr(Xᵀ (W_Vᵀ W_V) X), so W_V W_O W_in (d_model, d_mlp) is never formed.
    gram = w_v.swapaxes(1, 2) @ w_v
    written = (into * (gram @ into)).sum(axis=1)  # (H, d_mlp), squared norm of W_V W_O W_in[:, n]
    circuit = (w_o * (gram @ w_o)).sum(axis=(1, 2))
    size = (w_in**2).sum(axis=0)
    scale = np.sqrt(np.outer(circuit, members @ size))
    return {
        "read_energy": energy,
        "heads_per_neuron": _ratio(np.ones_like(total), (shares**2).sum(axis=0)),
        "gain": _ratio(together, total),
        "composition": _ratio(np.sqrt(np.maximum(written @ members.T, 0)), scale),
        "energy_by_frequency": np.einsum("hkn,gn->hgk", by_frequency, members, optimize=True),
    }


def _ratio(part: Float64, whole: Float64) -> Float64:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
