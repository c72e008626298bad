"""The scale metrics of A8, for any float32 maps (n, p, p): neurons and heads go through the same functions.

Each agrees with the plain definition on numpy.fft and torch.nn.functional.interpolate to about 1e-6; the
tests hold them side by side.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float32, Float64, Spectra, low_disc

_BLOCK = 16  # maps worked on at a time: their temporaries stay in the cache
Taps = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Float64]


def fft_ratio(spectra: Spectra, *, radius_fraction: float) -> Float64:
    """Share of the energy inside the low disc, constant included: float64 (n,); 0 for an all-zero map."""
    low = low_disc(spectra.p, radius_fraction)
    return np.minimum(_share(spectra.at(low), spectra.total), 1)


def fft_ratio_no_dc(spectra: Spectra, *, radius_fraction: float) -> Float64:
    """The same with the center pixel zeroed first: *coarseness*; float64 (n,), 0 for a constant map."""
    low = low_disc(spectra.p, radius_fraction)
    low[0, 0] = False
    return np.minimum(_share(spectra.at(low), spectra.varying), 1)


def modular_low_freq(spectra: Spectra, *, low_frequencies: int) -> Float64:
    """Share of the variance in frequencies 1..low_frequencies of A6: float64 (n,); 0 for a constant map."""
    return _share(spectra.by_frequency()[:, :low_frequencies].sum(axis=1), spectra.varying)


def gradient(maps: Float32) -> Float64:
    """(mean |dx| + mean |dy|) / 2 over neighbors inside the map: float64 (n,), unit of the maps."""
    n, p, _ = maps.shape
    buffer = np.empty(min(n, _BLOCK) * p * (p - 1), np.float32)
    out = np.empty(n)
    for start in range(0, n, _BLOCK):
        block = maps[start : start + _BLOCK]
        size = len(block)
        flat = buffer[: size * p * (p - 1)]
        total = np.zeros(size)
        for shape, upper, lower in (
            ((size, p, p - 1), block[:, :, 1:], block[:, :, :-1]),
            ((size, p - 1, p), block[:, 1:, :], block[:, :-1, :]),
        ):
            difference = flat.reshape(shape)
            np.subtract(upper, lower, out=difference)
            np.abs(difference, out=difference)
            total += difference.reshape(size, -1).sum(axis=1)
        out[start : start + size] = total / (2 * p * (p - 1))
    return out


def variance_preserved(maps: Float32, spectra: Spectra, *, bottleneck: int) -> Float64:
    """Variance after bilinear p -> bottleneck -> p over the variance before: float64 (n,); 0 for a constant
    map.

    Resizing is linear, B M Bᵀ with B = up · down, so the p x p result is never formed: with s = down M
    downᵀ and G = upᵀ up, its sum of squares is <s, G s G>, and its sum is w s wᵀ with w the column sums of
    up.
    """
    p = maps.shape[-1]
    up = resize_matrix(bottleneck, p)
    small = resize(maps, bottleneck, offset=spectra.mean).astype(np.float64)
    weights = up.sum(axis=0) / p
    small -= np.einsum("i,nij,j->n", weights, small, weights, optimize=True)[:, None, None]
    gram = up.T @ up
    after = np.einsum("nij,nij->n", gram @ small @ gram, small) / p**2
    return _share(after, spectra.variance)


def resize(maps: Float32, size: int, *, offset: Float64 | None = None) -> Float32:
    """Bilinear maps (n, size, size), corners not aligned, without antialiasing: float32.

    Args:
        maps: float32 (n, p, p).
        size: target width.
        offset: float64 (n,), taken off each map first.

    The same taps as `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`.
    """
    n, p, _ = maps.shape
    first, second, weight = _taps(p, size)
    w = weight.astype(np.float32)
    out = np.empty((n, size, size), np.float32)
    for start in range(0, n, _BLOCK):
        block = maps[start : start + _BLOCK]
        upper, lower = block[:, first], block[:, second]
        if offset is not None:
            shift = offset[start : start + _BLOCK].astype(np.float32)[:, None, None]
            upper -= shift
            lower -= shift
        rows = _mix(upper, lower, w[:, None])
        out[start : start + _BLOCK] = _mix(rows[:, :, first], rows[:, :, second], w)
    return out


@lru_cache(maxsize=32)
def resize_matrix(source: int, target: int) -> Float64:
    """The bilinear resize of a vector as a matrix: float64 (target, source), rows sum to 1."""
    first, second, weight = _taps(source, target)
    matrix = np.zeros((target, source))
    rows = np.arange(target)
    np.add.at(matrix, (rows, first), 1 - weight)
    np.add.at(matrix, (rows, second), weight)
    matrix.flags.writeable = False
    return matrix


def _taps(source: int, target: int) -> Taps:
    """For each target pixel the two source pixels and the weight of the second."""
    # The position is that of the pixel's center, and what lies outside is clamped to the first or last pixel.
    position = np.maximum((np.arange(target) + 0.5) * (source / target) - 0.5, 0)
    first = np.minimum(position.astype(np.intp), source - 1)
    return first, np.minimum(first + 1, source - 1), position - first


def _mix(first: Float32, second: Float32, weight: Float32) -> Float32:
    """first + (second - first) weight, in the place of `second`."""
    second -= first
    second *= weight
    second += first
    return second


def _share(part: Float64, whole: Float64) -> Float64:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
