"""How many runs would decide a claim, were the effect as large as it was seen.

The effect of a small study is uncertain, and where it was found worth a second look it is too large on
average: the number is a guide from below, not a promise.
"""

# scipy has no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tdw.statistics.exact import Float64

SAMPLES = 2000
MOST = 500
_SEED = 20_230_112
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Needed:
    """How many runs a test needs.

    Attributes:
        runs: the fewest with the power that was wanted; None where `most` are too few.
        power: probability of p <= alpha with so many runs; with `most` of them where `runs` is None.
        effect: that was assumed.
        alpha: level of the test, two-sided; divided by the number of claims it is the first step of Holm's.
        wanted: power that was asked for.
        most: runs that were looked at, at most.
    """

    runs: int | None
    power: float
    effect: float
    alpha: float
    wanted: float
    most: int


def runs_for_correlation(rho: float, *, alpha: float = 0.05, wanted: float = 0.8, most: int = MOST) -> Needed:
    """Runs for which Spearman's correlation is significant, by simulation with a fixed seed.

    Pairs are drawn from a normal distribution with that rank correlation: Pearson's is 2 sin(pi rho / 6)
    (Kendall and Gibbons 1990). The limit of the level comes from as many independent pairs.

    Args:
        rho: rank correlation that was seen.
        alpha, wanted, most: see `Needed`.

    Raises:
        ValueError: rho outside -1..1.
    """
    if not -1 <= rho <= 1:
        raise ValueError(f"rho is {rho}, outside -1..1")
    slope = 2 * math.sin(math.pi * abs(rho) / 6)

    def power(n: int) -> float:
        x, noise = np.random.default_rng(_SEED).standard_normal((2, SAMPLES, n))
        of_x = _ranks(x)
        null = _correlations(of_x, _ranks(noise))
        y = slope * x + math.sqrt(max(0.0, 1 - slope**2)) * noise
        return _rejected(_correlations(of_x, _ranks(y)), null, alpha)

    return _fewest(power, Needed(None, 0.0, rho, alpha, wanted, most), first=4)


def runs_for_separation(
    auc: float, share: float, *, alpha: float = 0.05, wanted: float = 0.8, most: int = MOST
) -> Needed:
    """Runs in both groups for which the rank test parts them, by simulation with a fixed seed.

    Both groups are normal with one spread, apart by sqrt(2) times the normal quantile of `auc`.

    Args:
        auc: probability that was seen that a member of the first group has the larger value.
        share: of the runs that belong to the first group.
        alpha, wanted, most: see `Needed`.

    Raises:
        ValueError: auc outside 0..1, or share not between 0 and 1.
    """
    if not 0 <= auc <= 1 or not 0 < share < 1:
        raise ValueError(f"auc is {auc} and share {share}; give auc within 0..1 and share between 0 and 1")
    # A perfect separation has no finite distance; nine spreads part any number of runs that is looked at.
    distance = min(math.sqrt(2) * NormalDist().inv_cdf(min(0.5 + abs(auc - 0.5), 1 - 1e-12)), 9.0)

    def power(n: int) -> float:
        first = min(max(round(share * n), 1), n - 1)
        values = np.random.default_rng(_SEED).standard_normal((SAMPLES, n))
        middle = first * (n - 1) / 2
        null = _ranks(values)[:, :first].sum(axis=1) - middle
        values[:, :first] += distance
        return _rejected(_ranks(values)[:, :first].sum(axis=1) - middle, null, alpha)

    return _fewest(power, Needed(None, 0.0, auc, alpha, wanted, most), first=4)


def runs_for_share(
    share: float, *, null: float = 0.5, alpha: float = 0.05, wanted: float = 0.8, most: int = MOST
) -> Needed:
    """Runs for which the exact binomial test, twice the smaller tail, tells a share from `null`; exact.

    With `null` one half this is the sign test, ties not counted.

    Args:
        share: of the runs on one side that was seen.
        null: the share that it is compared with.
        alpha, wanted, most: see `Needed`.

    Raises:
        ValueError: share outside 0..1.
    """
    from scipy.stats import binom

    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}, outside 0..1")
    power = 0.0
    # The power of a discrete test rises in a saw's teeth, so every number is looked at.
    for n in range(2, most + 1):
        hits = np.arange(n + 1)
        rejected = 2 * np.minimum(binom.cdf(hits, n, null), binom.sf(hits - 1, n, null)) <= alpha
        power = float(binom.pmf(hits, n, share)[rejected].sum())
        if power >= wanted:
            return Needed(n, power, share, alpha, wanted, most)
    return Needed(None, power, share, alpha, wanted, most)


def _ranks(values: Float64) -> Float64:
    """Ranks (m, n) along the last axis, 0 for the least; no two values are equal."""
    return values.argsort(axis=-1).argsort(axis=-1).astype(np.float64)


def _correlations(a: Float64, b: Float64) -> Float64:
    """Correlation of ranks without ties, row by row: (m,)."""
    n = a.shape[-1]
    return 1 - 6 * ((a - b) ** 2).sum(axis=-1) / (n * (n * n - 1))


def _rejected(found: Float64, null: Float64, alpha: float) -> float:
    """Share of `found` as far from 0 as the least distance that at most alpha of `null` reach."""
    distances, times = np.unique(np.round(np.abs(null), 9), return_counts=True)
    reached = times[::-1].cumsum()[::-1] / len(null)
    allowed = distances[reached <= alpha]
    return float((np.abs(found) >= allowed[0] - _TOLERANCE).mean()) if len(allowed) else 0.0


def _fewest(power: Callable[[int], float], asked: Needed, *, first: int) -> Needed:
    """The fewest runs with the power that was wanted, by halving; the power rises with the runs."""
    low, high = first - 1, first
    reached = power(high)
    while reached < asked.wanted:
        if high >= asked.most:
            return Needed(None, reached, asked.effect, asked.alpha, asked.wanted, asked.most)
        low, high = high, min(2 * high, asked.most)
        reached = power(high)
    while high - low > 1:
        middle = (low + high) // 2
        here = power(middle)
        if here >= asked.wanted:
            high, reached = middle, here
        else:
            low = middle
    return Needed(high, reached, asked.effect, asked.alpha, asked.wanted, asked.most)
