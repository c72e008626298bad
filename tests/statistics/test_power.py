"""How many runs a claim needs, against statsmodels, scipy and enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.power import NormalIndPower

from tdw.statistics.power import runs_for_correlation, runs_for_separation, runs_for_share


def test_runs_for_a_correlation_are_close_to_the_normal_approximation():
    # Fisher's z with the variance of Spearman's, 1.06 / (n - 3) (Fieller, Hartley and Pearson 1957).
    found = runs_for_correlation(0.4)
    z = scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(0.8)
    assert found.runs == pytest.approx(3 + 1.06 * (z / math.atanh(0.4)) ** 2, rel=0.1)
    assert found.power >= 0.8
    assert found.effect == 0.4


def test_the_power_that_is_stated_is_that_of_scipys_test():
    found = runs_for_correlation(0.6)
    assert found.runs is not None
    generator = np.random.default_rng(99)
    covariance = [[1, 2 * math.sin(math.pi * 0.6 / 6)], [2 * math.sin(math.pi * 0.6 / 6), 1]]
    pairs = generator.multivariate_normal([0, 0], covariance, (2000, found.runs))
    rejected = [scipy.stats.spearmanr(one[:, 0], one[:, 1]).pvalue <= 0.05 for one in pairs]
    assert np.mean(rejected) == pytest.approx(found.power, abs=0.04)


def test_a_stricter_level_needs_more_runs():
    assert runs_for_correlation(0.5, alpha=0.05 / 15).runs > runs_for_correlation(0.5).runs


def test_no_effect_is_never_decided():
    found = runs_for_correlation(0.0, most=64)
    assert found.runs is None
    assert found.power == pytest.approx(0.05, abs=0.02)


def test_four_runs_can_not_decide_and_a_perfect_correlation_needs_five():
    # 2 / 4! is above 0.05, 2 / 5! below.
    assert runs_for_correlation(1.0).runs == 5


def test_runs_for_a_separation_are_close_to_the_normal_approximation():
    found = runs_for_separation(0.76, 0.5)
    distance = math.sqrt(2) * scipy.stats.norm.ppf(0.76)
    # The rank test needs pi / 3 as many runs as the test of means.
    wanted = 2 * NormalIndPower().solve_power(distance, alpha=0.05, power=0.8) * math.pi / 3
    assert found.runs == pytest.approx(wanted, rel=0.12)


def test_one_failure_in_eight_that_stands_apart_needs_sixteen_runs_for_two_failures():
    # With one failure p is 2 / n, so the fewest are where rounding makes it two: 2 / C(n, 2) <= 0.05.
    found = runs_for_separation(1.0, 1 / 8)
    assert found.runs is not None
    first = round(found.runs / 8)
    assert 2 / math.comb(found.runs, first) <= 0.05
    assert 2 / math.comb(found.runs - 1, max(1, round((found.runs - 1) / 8))) > 0.05


def test_runs_for_a_share_are_those_of_the_exact_sign_test():
    found = runs_for_share(0.75)
    powers = {}
    for n in range(2, found.runs + 1):
        rejected = [k for k in range(n + 1) if scipy.stats.binomtest(k, n).pvalue <= 0.05]
        powers[n] = scipy.stats.binom.pmf(rejected, n, 0.75).sum() if rejected else 0.0
    assert found.power == pytest.approx(powers[found.runs])
    assert all(power < 0.8 for n, power in powers.items() if n < found.runs)
    assert runs_for_share(1.0).runs == 6


@pytest.mark.parametrize(
    "call",
    [
        lambda: runs_for_correlation(1.1),
        lambda: runs_for_separation(0.7, 0),
        lambda: runs_for_separation(1.7, 0.5),
        lambda: runs_for_share(-0.1),
    ],
)
def test_effects_that_can_not_be_are_refused(call):
    with pytest.raises(ValueError):
        call()
