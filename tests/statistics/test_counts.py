"""Exact tests of counts."""

from __future__ import annotations

import itertools

import pytest
import scipy.stats

from tdw.statistics.counts import lowest_p_value
from tdw.statistics.exact import partial_spearman, separate


def test_the_chance_of_the_lowest_is_that_of_all_choices():
    for below in range(4):
        hits = sum(set(range(below)) <= set(failed) for failed in itertools.combinations(range(9), 3))
        assert lowest_p_value(9, 3, below) == pytest.approx(min(1, 2 * hits / 84))
    with pytest.raises(ValueError, match="4 lowest of 3"):
        lowest_p_value(9, 3, 4)


@pytest.mark.parametrize("ties", [False, True])
def test_the_rank_test_is_exact_for_many_runs_too(ties):
    first = [1.5, 2.5, 3.5, 14.5, 20.5]
    second = [float(i) + (0.5 if ties and i % 3 else 0) for i in range(40)]
    found = separate(first, second).p_value
    if not ties:
        assert found == pytest.approx(scipy.stats.mannwhitneyu(first, second, method="exact").pvalue)
    few = separate(first, second[:8]).p_value
    both = scipy.stats.rankdata(first + second[:8])
    far = abs(both[:5].sum() - 35) - 1e-9
    sums = [abs(both[list(pick)].sum() - 35) for pick in itertools.combinations(range(13), 5)]
    assert few == pytest.approx(sum(s >= far for s in sums) / len(sums))


def test_a_correlation_that_a_third_quantity_makes_is_gone_given_it():
    given = list(range(12))
    x = [g + (-1) ** g * 1.5 for g in given]
    assert partial_spearman(x, x, given) == pytest.approx(1)
    assert abs(partial_spearman(x, [g + (-1) ** (g // 2) * 1.5 for g in given], given)) < 0.4
