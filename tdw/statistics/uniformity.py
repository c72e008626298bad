"""Whether runs choose members of 1..h, such as their key frequencies, evenly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAMPLES = 20_000
_SEED = 20_230_112


@dataclass(frozen=True)
class Uniformity:
    """How evenly the runs chose.

    Attributes:
        counts: int64 (h,), runs that chose frequency 1, 2, ...
        expected: float64 (h,), the same on average if every choice were as likely: sum of set sizes over h.
        statistic: sum over k of (count - expected)² / expected.
        p_value: simulated share of random choices with a statistic as large, the observed one counted in.
        samples: how many random choices were drawn.
        runs: that chose anything.
    """

    counts: npt.NDArray[np.int64]
    expected: npt.NDArray[np.float64]
    statistic: float
    p_value: float
    samples: int
    runs: int


def uniform_choice(chosen: Sequence[Collection[int]], h: int) -> Uniformity:
    """Test whether every set of its size is as likely for each run, the runs being independent.

    A run chooses no frequency twice, so the counts are not multinomial and the distribution of the statistic
    is not chi-squared: it is simulated, each run drawing a set of its own size.

    Args:
        chosen: for each run the frequencies it uses, within 1..h; an empty set counts for nothing.
        h: number of frequencies, (p - 1) / 2.

    Raises:
        ValueError: a frequency outside 1..h, or no run that chose any.
    """
    sets = [frozenset(one) for one in chosen if len(one)]
    outside = sorted(k for one in sets for k in one if not 1 <= k <= h)
    if outside:
        raise ValueError(f"frequency {outside[0]} is outside 1..{h}")
    if not sets:
        raise ValueError("no run has a frequency; leave the test out")
    counts = np.bincount([k for one in sets for k in one], minlength=h + 1)[1:].astype(np.int64)
    expected = np.full(h, counts.sum() / h)
    observed = _distance(counts, expected)
    generator = np.random.default_rng(_SEED)
    drawn = np.zeros((SAMPLES, h), np.int64)
    for one in sets:
        # The places of the smallest of h random numbers are a random set.
        picks = np.argpartition(generator.random((SAMPLES, h)), len(one) - 1, axis=1)[:, : len(one)]
        np.add.at(drawn, (np.arange(SAMPLES)[:, None], picks), 1)
    hits = int((_distance(drawn, expected) >= observed - 1e-9).sum())
    return Uniformity(counts, expected, float(observed), (1 + hits) / (1 + SAMPLES), SAMPLES, len(sets))


def _distance(counts: npt.NDArray[np.int64], expected: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return ((counts - expected) ** 2 / expected).sum(axis=-1)
