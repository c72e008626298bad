"""Replicates (T11): runs of one configuration that differ by rounding alone.

Training is chaotic in its rounding, so two sound forms of one computation, or one on two processors, give
other outcomes for one key. A replicate shows how far: each initial weight is multiplied by 1 + 1e-7 z, z from
N(0, 1), which is about the rounding of a float32. What differs between replicates is not determined by the
configuration.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

SIZE = 1e-7


def replicate_weights(weights: dict[str, Tensor], *, key: str, replicate: int) -> dict[str, Tensor]:
    """The initial weights of a replicate; those of replicate 0 are returned as they are.

    Args:
        weights: float32, of replicate 0.
        key: of replicate 0, so that the replicates of two variants are drawn independently.
        replicate: which one.
    """
    if not replicate:
        return weights
    seed = int.from_bytes(hashlib.sha256(f"{key} replicate {replicate}".encode()).digest()[:7], "big")
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, Tensor] = {}
    # By name: the order in which weights are listed must not decide what they are.
    for name in sorted(weights):
        factor = 1 + SIZE * torch.randn(weights[name].shape, generator=generator, dtype=torch.float64)
        found[name] = (weights[name].double() * factor).float()
    return {name: found[name] for name in weights}
