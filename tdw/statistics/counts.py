"""Exact tests of counts: one share against a given one, and two by two."""

# scipy has no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Sequence


def binomial_p_value(hits: int, n: int, share: float) -> float:
    """Exact p-value of `hits` of n against a share: twice the smaller tail, 1 at most; NaN for n = 0."""
    from scipy.stats import binom

    if not n:
        return math.nan
    return float(min(1.0, 2 * min(binom.cdf(hits, n, share), binom.sf(hits - 1, n, share))))


def two_by_two_p_value(table: Sequence[Sequence[int]]) -> float:
    """Fisher's exact test, two-sided: all tables of the same margins that are at most as likely."""
    from scipy.stats import fisher_exact

    return float(fisher_exact(table).pvalue)


def lowest_p_value(n: int, failed: int, lowest: int) -> float:
    """Chance that the `lowest` lowest of n runs are failed ones, of which there are `failed`, doubled.

    Raises:
        ValueError: not 0 <= lowest <= failed <= n.
    """
    if not 0 <= lowest <= failed <= n:
        raise ValueError(f"{lowest} lowest of {failed} failed of {n} runs")
    return min(1.0, 2 * math.comb(n - lowest, failed - lowest) / math.comb(n, failed))
