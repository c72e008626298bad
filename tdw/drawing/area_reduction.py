"""Making maps smaller by area: every pixel of the source counts by the area it covers.

Picking or interpolating single pixels of a map with high frequencies beats against its grid (moiré) and looks
like coarse structure; the mean over the covered area does not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8]
_BLOCK = 32  # maps at a time: their float32 temporaries stay small for any modulus


@lru_cache(maxsize=64)
def area_weights(size: int, target: int) -> npt.NDArray[np.float32]:
    """float32 (target, size): the share of each source pixel in each target pixel; rows sum to 1."""
    edges = np.arange(target + 1) * (size / target)
    left, right = edges[:-1, None], edges[1:, None]
    pixels = np.arange(size)
    overlap = np.minimum(right, pixels + 1) - np.maximum(left, pixels)
    weights = (np.clip(overlap, 0, None) * (target / size)).astype(np.float32)
    weights.flags.writeable = False
    return weights


def reduce_area(maps: npt.NDArray[np.generic], target: int) -> npt.NDArray[np.float32]:
    """float32 (n, target, target) from (n, p, p); maps that are not larger come back as they are."""
    if maps.shape[-1] <= target:
        return maps.astype(np.float32)
    weights = area_weights(maps.shape[-1], target)
    reduced: npt.NDArray[Any] = weights @ maps.astype(np.float32) @ weights.T
    return reduced


def reduce_codes(codes: Codes, target: int) -> Codes:
    """The same for 8-bit codes (n, p, p), rounded: uint8 (n, t, t)."""
    if codes.shape[-1] <= target:
        return codes
    out = np.empty((len(codes), target, target), np.uint8)
    for start in range(0, len(codes), _BLOCK):
        rows = slice(start, start + _BLOCK)
        out[rows] = reduce_area(codes[rows], target) + np.float32(0.5)
    return out
