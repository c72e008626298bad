"""Statistics for few variants: exact where that is possible, and saying so where it is not.

Everything here is about n pairs of numbers, one pair a variant, n about eight. Distributions are enumerated,
not approximated; beyond the sizes named they are sampled with a fixed seed, so a result never changes from
one run to the next.
"""

# scipy has no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
MAX_PERMUTED = 8  # 8! = 40,320 orders are enumerated
MAX_RESAMPLED = 9  # C(17, 9) = 24,310 resamples are enumerated
SAMPLES = 20_000
_SEED = 20_230_112
_TOLERANCE = 1e-12  # statistics that are equal but for rounding count as equal


@dataclass(frozen=True)
class Association:
    """How two quantities go together over variants.

    Attributes:
        n: pairs of numbers.
        rho: Spearman's rank correlation, -1 to 1; NaN for fewer than three pairs or a constant quantity.
        p_value: two-sided, share of all orders with a correlation as far from 0; NaN where rho is.
        exact: the p-value is over all orders, not over a sample of them.
        low, high: bootstrap interval of rho at `level`; percentiles, which are too narrow for few pairs. NaN
            where `undefined` is more than the share 1 - level that the interval itself leaves out: the
            resamples without a correlation could then move its ends anywhere.
        level: of the interval.
        undefined: share of resamples in which a quantity is constant, so that there is no correlation.
    """

    n: int
    rho: float
    p_value: float
    exact: bool
    low: float
    high: float
    level: float
    undefined: float

    @property
    def interval(self) -> str:
        """The interval in words, or why there is none."""
        if math.isnan(self.rho):
            return "undefined: there is no correlation"
        if math.isnan(self.low):
            return f"undefined: {100 * self.undefined:.0f} % of the resamples have no correlation"
        return f"{self.low:+.2f} to {self.high:+.2f}"


@dataclass(frozen=True)
class Line:
    """Least-squares line y = intercept + slope x over n points."""

    slope: float
    intercept: float
    n: int


def ranks(values: Float64) -> Float64:
    """Ranks (..., n) along the last axis from 1; equal values share the mean of their places."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=-1), np.float64)


def spearman(x: Sequence[float] | Float64, y: Sequence[float] | Float64) -> float:
    """Spearman's rank correlation; NaN for fewer than three pairs or a constant quantity."""
    return float(_correlation(ranks(np.asarray(x, np.float64)), ranks(np.asarray(y, np.float64))))


def partial_spearman(
    x: Sequence[float] | Float64, y: Sequence[float] | Float64, given: Sequence[float] | Float64
) -> float:
    """Spearman's correlation of x and y given a third quantity (Kendall 1942); NaN where it is undefined."""
    xy, xz, yz = spearman(x, y), spearman(x, given), spearman(y, given)
    rest = (1 - xz**2) * (1 - yz**2)
    return (xy - xz * yz) / math.sqrt(rest) if rest > 0 else math.nan


def associate(
    x: Sequence[float] | Float64, y: Sequence[float] | Float64, *, level: float = 0.95
) -> Association:
    """Rank correlation of x and y, (n,) each, with permutation p-value and bootstrap interval."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    rho = spearman(a, b)
    if math.isnan(rho):
        nan = math.nan
        return Association(len(a), nan, nan, exact=True, low=nan, high=nan, level=level, undefined=1.0)
    orders, exact = _orders(len(a))
    of_a, of_b = ranks(a), ranks(b)
    shuffled = np.abs(_correlation(of_a, of_b[orders]))
    hits, number = int((shuffled >= abs(rho) - _TOLERANCE).sum()), len(orders)
    # The observed order is one of all; of a sample it is added (Phipson and Smyth 2010).
    p_value = hits / number if exact else (hits + 1) / (number + 1)
    low, high, undefined = _bootstrap(a, b, level)
    return Association(
        len(a), rho, p_value, exact=exact, low=low, high=high, level=level, undefined=undefined
    )


def smallest_p_value(n: int) -> float:
    """The smallest two-sided p-value that `associate` can give n pairs: 2 / n!, or that of its sample."""
    return min(1.0, 2 / math.factorial(n)) if n <= MAX_PERMUTED else 1 / (SAMPLES + 1)


def fit_line(x: Sequence[float] | Float64, y: Sequence[float] | Float64) -> Line | None:
    """Least-squares line; None for fewer than three points or a constant x."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(a) < 3 or np.ptp(a) == 0:
        return None
    da = a - a.mean()
    slope = float(da @ (b - b.mean()) / (da @ da))
    return Line(slope, float(b.mean() - slope * a.mean()), len(a))


@dataclass(frozen=True)
class Separation:
    """Whether a quantity separates two groups.

    Attributes:
        n_first, n_second: sizes.
        auc: probability that a member of the first has the larger value (ties half); NaN for an empty group.
        p_value: two-sided, share of all ways to choose the first group with an AUC as far from 1/2.
        threshold: midway between the groups where they are apart, else None.
    """

    n_first: int
    n_second: int
    auc: float
    p_value: float
    threshold: float | None


def separate(first: Sequence[float] | Float64, second: Sequence[float] | Float64) -> Separation:
    """Compare two groups by the exact rank test (Mann-Whitney), over all ways to divide them."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not len(a) or not len(b):
        return Separation(len(a), len(b), math.nan, math.nan, None)
    both = ranks(np.concatenate([a, b]))
    observed = both[: len(a)].sum()
    p_value = _rank_sum_p_value(both, len(a))
    auc = (observed - len(a) * (len(a) + 1) / 2) / (len(a) * len(b))
    threshold = None
    if a.min() > b.max() or a.max() < b.min():
        threshold = float((a.min() + b.max()) / 2 if a.min() > b.max() else (a.max() + b.min()) / 2)
    return Separation(len(a), len(b), float(auc), p_value, threshold)


def smallest_separation(first: int, second: int) -> float:
    """The smallest two-sided p-value of the exact rank test, when no values tie: both ends are as far."""
    return min(1.0, 2 / math.comb(first + second, first)) if first and second else math.nan


def sign_test(differences: Sequence[float] | Float64) -> tuple[int, int, float]:
    """Exact two-sided sign test.

    Returns:
        How many differences are below 0, how many above (zeros are left out), and the p-value; 1 for none.
    """
    d = np.asarray(differences, np.float64)
    below, above = int((d < 0).sum()), int((d > 0).sum())
    n, k = below + above, min(below, above)
    tail = sum(math.comb(n, i) for i in range(k + 1)) / 2**n
    return below, above, min(1.0, 2 * tail)


def relabelled_p_value(
    observed: float, choices: Sequence[Sequence[float]], statistic: Callable[[Float64], Float64]
) -> float:
    """Share of statistics at or below the observed, when each variant gets one of its labelings at random.

    Args:
        observed: the statistic of the observed labels.
        choices: for each variant the quantity under every labeling, the observed one included.
        statistic: values (m, n variants) -> statistics (m,).
    """
    generator = np.random.default_rng(_SEED)
    drawn = [generator.choice(np.asarray(values, np.float64), SAMPLES) for values in choices]
    found = statistic(np.stack(drawn, axis=1))
    return float((1 + (found <= observed + _TOLERANCE).sum()) / (1 + SAMPLES))


def spearman_of_rows(values: Float64, y: Sequence[float] | Float64) -> Float64:
    """Spearman's correlation of each row of values (m, n) with y (n,): (m,); 0 where a row is constant."""
    return np.nan_to_num(_correlation(ranks(values), ranks(np.asarray(y, np.float64))))


def _correlation(a: Float64, b: Float64) -> Float64:
    """Pearson's correlation along the last axis; NaN where one is constant or there are fewer than three."""
    if a.shape[-1] < 3:
        return np.full(np.broadcast_shapes(a.shape[:-1], b.shape[:-1]), np.nan)
    da, db = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    scale = np.sqrt((da**2).sum(axis=-1) * (db**2).sum(axis=-1))
    product = (da * db).sum(axis=-1)
    return np.divide(product, scale, out=np.full(np.shape(product), np.nan), where=scale > 0)


@lru_cache(maxsize=4)
def _orders(n: int) -> tuple[npt.NDArray[np.intp], bool]:
    """All orders of n things (n!, n), or a sample of them, and whether it is all."""
    if n <= MAX_PERMUTED:
        return np.array(list(itertools.permutations(range(n))), np.intp).reshape(-1, n), True
    generator = np.random.default_rng(_SEED)
    return generator.permuted(np.tile(np.arange(n), (SAMPLES, 1)), axis=1), False


def _rank_sum_p_value(both: Float64, first: int) -> float:
    """Share of all ways to choose the first group with a sum of ranks as far from the middle.

    Args:
        both: ranks of all, the first group's first; whole numbers when doubled.
        first: size of the first group.
    """
    doubled = np.round(2 * both).astype(np.int64)
    sums = int(doubled.sum()) + 1
    # ways[k, s]: choices of k ranks with the sum s. Floats: there are more than an integer can count.
    ways = np.zeros((first + 1, sums))
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : sums - rank].copy()
    middle = first * (len(both) + 1)
    observed = abs(int(doubled[:first].sum()) - middle)
    far = np.abs(np.arange(sums) - middle) >= observed
    return float(ways[first, far].sum() / ways[first].sum())


@lru_cache(maxsize=4)
def _resamples(n: int) -> tuple[npt.NDArray[np.intp], Float64]:
    """Resamples of n things with replacement (m, n), and the probability of each."""
    if n > MAX_RESAMPLED:
        generator = np.random.default_rng(_SEED)
        return generator.integers(0, n, (SAMPLES, n)), np.full(SAMPLES, 1 / SAMPLES)
    # Order does not matter, so there are C(2n - 1, n), each with its multinomial probability.
    drawn = np.array(list(itertools.combinations_with_replacement(range(n), n)), np.intp).reshape(-1, n)
    counts = (drawn[:, :, None] == np.arange(n)).sum(axis=1)
    factorials = np.array([math.factorial(i) for i in range(n + 1)], np.float64)
    return drawn, factorials[n] / factorials[counts].prod(axis=1) / float(n) ** n


def _bootstrap(a: Float64, b: Float64, level: float) -> tuple[float, float, float]:
    """Percentile interval of Spearman's correlation over resampled pairs, and the share without one.

    The interval is NaN where that share is above 1 - level.
    """
    drawn, weight = _resamples(len(a))
    found = _correlation(ranks(a[drawn]), ranks(b[drawn]))
    defined = ~np.isnan(found)
    undefined = float(weight[~defined].sum())
    if undefined > 1 - level:
        return math.nan, math.nan, undefined
    order = np.argsort(found[defined], kind="stable")
    values, share = found[defined][order], weight[defined][order].cumsum()
    at = np.searchsorted(share / share[-1], [(1 - level) / 2, (1 + level) / 2])
    low, high = values[np.minimum(at, len(values) - 1)]
    return float(low), float(high), undefined
