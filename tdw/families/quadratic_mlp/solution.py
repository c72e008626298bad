"""The solution in closed form (Gromov 2023, arXiv:2301.02679): every neuron holds one frequency.

With w = 2 pi k / p, a neuron of frequency k has W_a = cos(w a + u), W_b = cos(w b + v) and
W_out = cos(w q + u + v). Of its square times W_out, one term is cos(w (a + b - q)) / 2, whatever the phases.
All others turn with u + v, 3u + v, u + 3v, u - v, 2u, 2v or 2u + 2v. Gromov lets random phases average them
out; here m >= 8 neurons of a frequency have the phases u = 2 pi j / m and v = 2 u, j = 0..m-1, for which
each of them sums to 0 exactly. The outputs are then proportional to the sum of cos(w (a + b - q)) over all k,
which is p/2 - 1/2 at q = a + b mod p and -1/2 elsewhere.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tdw.errors import BadConfig

LEAST_PER_FREQUENCY = 8


def solution(p: int, width: int) -> dict[str, Tensor]:
    """Weights with which every pair is answered right: float32, by name.

    Scaled so that the right output is 1 - 1/p and every other -1/p, which is the one-hot answer without its
    mean. Neurons that are left over once all frequencies have their share are 0.

    Args:
        p: the modulus, odd.
        width: neurons.

    Raises:
        BadConfig: too few neurons for every frequency.
    """
    frequencies = (p - 1) // 2
    share = width // frequencies
    if share < LEAST_PER_FREQUENCY:
        raise BadConfig(
            f"{width} neurons are {share} for each of the {frequencies} frequencies of p = {p}",
            f"use a width of at least {LEAST_PER_FREQUENCY * frequencies}",
        )
    neuron = torch.arange(share * frequencies)
    w = 2 * math.pi * (neuron // share + 1).double() / p
    u = 2 * math.pi * (neuron % share).double() / share
    residues = torch.arange(p).double()[:, None]
    # The right output is scale^3 share p / 4 above the others: share neurons per frequency, each 1/2.
    scale = (share * p / 4) ** (-1 / 3)
    weights = {
        "W_a": torch.zeros(p, width),
        "W_b": torch.zeros(p, width),
        "W_out": torch.zeros(width, p),
    }
    used = len(neuron)
    weights["W_a"][:, :used] = scale * torch.cos(residues * w + u)
    weights["W_b"][:, :used] = scale * torch.cos(residues * w + 2 * u)
    weights["W_out"][:used] = (scale * torch.cos(residues * w + 3 * u)).T
    return weights
