"""What a head moves, read off its weights: the OV circuit from token to logit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdw.families.transformer import network
from tdw.families.transformer.config import TransformerConfig
from tdw.families.transformer.network import Weights

Float64 = npt.NDArray[np.float64]


@torch.no_grad()
def ov_circuits(config: TransformerConfig, weights: Weights) -> Float64:
    """W_E W_V W_O W_U of every head: float64 (n_layers, n_heads, d_vocab, d_vocab_out).

    How much attending to a token raises each logit (Elhage et al. 2021, "A Mathematical Framework for
    Transformer Circuits"); layer norm is left out.
    """
    embedding, unembedding = weights["embed.W_E"].double(), network.unembedding(config, weights).double()
    layers: list[Tensor] = []
    for layer in range(config.n_layers):
        value, out = (weights[f"blocks.{layer}.attn.W_{name}"].double() for name in "VO")
        layers.append(embedding @ value @ out @ unembedding)
    return torch.stack(layers).cpu().numpy()


def copying_score(circuit: Float64) -> Float64:
    """Positive share of the eigenvalues, the sum of max(Re, 0) over the sum of absolute values.

    1 for a head that raises the logit of what it attends to, 0 for one that lowers it, 1/2 for neither. NaN
    where all eigenvalues are 0.

    Args:
        circuit: square matrices from token to the logits of the same tokens, float64 (..., n, n).
    """
    eigenvalues = np.linalg.eigvals(circuit)
    positive, size = eigenvalues.real.clip(min=0).sum(axis=-1), np.abs(eigenvalues).sum(axis=-1)
    return np.divide(positive, size, out=np.full_like(size, np.nan), where=size > 0)
