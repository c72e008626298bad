"""A22: whether coarse neurons hold particular frequencies: coarseness against frequency, beside pure waves.

Coarseness is the share of a map's variance at low frequencies, so a neuron of one low frequency is coarse by
definition. The curve says how much: the coarseness of max(0, f(w_k a) + f(w_k b)), f cos or sin (their
mean), which is what a neuron of one frequency computes when attention is even; the band holds every shape
and wave of A11 after its ReLU. What a neuron has beyond the curve (`excess`) is not explained by its
frequency. Whether low numbers are preferred at all is for the relabelling control (A12) to say.

How particular the frequencies of blobs are: the total variation distance between the frequencies of the blobs
and those of the other neurons, ½ sum_k |q_k - r_k|, 0 for the same distribution and 1 for disjoint ones, with
a seeded permutation test. Few blobs lie far from the others by chance alone; `chance` says how far. A random
group of m neurons has hypergeometric numbers of each frequency, so these are drawn and not the groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.maths.coarseness.pure_waves import (
    SHAPES,
    WAVES,
    coarseness_of,
    wave_maps,
)
from tdw.families.zp_fourier import Float64, require_odd
from tdw.recipes.common.permutation_test import permutation_p_value


@dataclass(frozen=True)
class WaveCurve:
    """Coarseness of pure waves after a ReLU, by frequency 1..h; 0-1.

    Attributes:
        expected: float64 (h,), of max(0, f(w_k a) + f(w_k b)).
        lowest, highest: float64 (h,), over every shape and wave of A11.
    """

    expected: Float64
    lowest: Float64
    highest: Float64


@lru_cache(maxsize=16)
def wave_curve(p: int, *, radius_fraction: float = 0.125) -> WaveCurve:
    """The curve at a modulus; computed once per modulus (transforms of 8 (p - 1) / 2 maps).

    Args:
        p: the modulus, odd.
        radius_fraction: of the low disc, as for `coarseness`.

    Raises:
        BadConfig: p is even or below 3.
    """
    require_odd(p)
    values = {
        (shape, wave): coarseness_of(np.maximum(wave_maps(p, wave, shape), 0), radius_fraction)
        for shape in SHAPES
        for wave in WAVES
    }
    every = np.stack(list(values.values()))
    expected = np.mean([values["of_both", wave] for wave in WAVES], axis=0)
    return WaveCurve(expected, every.min(axis=0), every.max(axis=0))


@dataclass(frozen=True)
class AgainstFrequency:
    """Coarseness against frequency at one checkpoint; h = (p - 1) / 2.

    Attributes:
        neurons, blobs: int64 (h,), neurons and blobs of each best frequency.
        mean_coarseness: float64 (h,), NaN where there is no neuron.
        excess: float64 (n,), coarseness less that of a pure wave of the neuron's frequency; NaN for a
            neuron that is left out.
        explained: 1 - sum excess² / sum (coarseness - mean)²: 1 when the curve says all, below 0 when it
            says less than the mean; NaN without variation.
        distance: total variation distance between the frequencies of blobs and others; NaN when a group
            is empty.
        chance: mean distance of random groups of as many neurons as there are blobs; NaN like `distance`.
        p_value: of the distance under random groups; NaN where it is.
    """

    neurons: npt.NDArray[np.int64]
    blobs: npt.NDArray[np.int64]
    mean_coarseness: Float64
    excess: Float64
    explained: float
    distance: float
    chance: float
    p_value: float


def against_frequency(
    coarseness: npt.NDArray[np.floating],
    frequency: npt.NDArray[np.integer],
    fraction: npt.NDArray[np.floating],
    *,
    p: int,
    seed: int,
    blob_from: float = 0.7,
    min_fraction: float = 0.0,
    radius_fraction: float = 0.125,
    permutations: int = 999,
) -> AgainstFrequency:
    """Coarseness of neurons against their best frequency.

    Args:
        coarseness: (n,), 0-1.
        frequency: (n,), best frequency 1..h; 0 (a constant map) leaves the neuron out.
        fraction: (n,), share of the variance at that frequency.
        p: the modulus.
        seed: of the permutation test.
        blob_from: coarseness of a blob, at least.
        min_fraction: neurons whose fraction is below are left out.
        radius_fraction: of the low disc, as for `coarseness`.
        permutations: of the test.
    """
    h = require_odd(p)
    used = (frequency > 0) & (fraction >= min_fraction)
    k, values = np.asarray(frequency, np.int64)[used], coarseness[used].astype(np.float64)
    blob = values >= blob_from
    neurons = np.bincount(k, minlength=h + 1)[1:]
    sums = np.bincount(k, weights=values, minlength=h + 1)[1:]
    excess = np.full(len(coarseness), np.nan)
    excess[used] = values - wave_curve(p, radius_fraction=radius_fraction).expected[k - 1]
    varying = ((values - values.mean()) ** 2).sum() if values.size else 0.0
    blobs = np.bincount(k[blob], minlength=h + 1)[1:]
    distance = chance = p_value = float("nan")
    if 0 < blob.sum() < len(blob):
        distance = float(_distances(blobs[None], neurons)[0])
        rng = np.random.default_rng(seed)
        groups = rng.multivariate_hypergeometric(neurons, int(blob.sum()), method="count", size=permutations)
        random = _distances(groups, neurons)
        chance, p_value = float(random.mean()), permutation_p_value(distance, random)
    return AgainstFrequency(
        neurons=neurons.astype(np.int64),
        blobs=blobs.astype(np.int64),
        mean_coarseness=np.divide(sums, neurons, out=np.full(h, np.nan), where=neurons > 0),
        excess=excess,
        explained=float(1 - (excess[used] ** 2).sum() / varying) if varying > 0 else float("nan"),
        distance=distance,
        chance=chance,
        p_value=p_value,
    )


def _distances(inside: npt.NDArray[np.integer], neurons: npt.NDArray[np.integer]) -> Float64:
    """Total variation distance of groups from the others, counts by frequency (m, h) of (h,): (m,)."""
    outside = neurons - inside
    shares = inside / inside.sum(axis=1, keepdims=True) - outside / outside.sum(axis=1, keepdims=True)
    return np.abs(shares).sum(axis=1) / 2
