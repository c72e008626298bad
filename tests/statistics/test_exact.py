"""Statistics for few variants, against scipy, brute force and cases with known answers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tdw.statistics import exact
from tdw.statistics.exact import (
    associate,
    fit_line,
    ranks,
    relabelled_p_value,
    separate,
    sign_test,
    smallest_p_value,
    spearman,
    spearman_of_rows,
)

few = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=7)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=12))
def test_ranks_share_the_mean_place_of_ties(values):
    np.testing.assert_allclose(ranks(np.array(values, float)), scipy.stats.rankdata(values))


@given(few)
def test_the_correlation_is_scipys(pairs):
    x, y = np.array(pairs, float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert math.isnan(spearman(x, y))
    else:
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(few)
def test_the_p_value_is_the_share_of_all_orders(pairs):
    x, y = np.array(pairs, float).T
    found = associate(x, y)
    if math.isnan(found.rho):
        assert math.isnan(found.p_value)
        return
    orders = list(itertools.permutations(y))
    far = [abs(scipy.stats.spearmanr(x, order).statistic) >= abs(found.rho) - 1e-9 for order in orders]
    assert found.p_value == pytest.approx(np.mean(far), abs=1e-12)
    assert found.exact


def test_a_perfect_order_of_eight_has_the_smallest_p_value_there_is():
    found = associate(range(8), [v**3 for v in range(8)])
    assert found.rho == pytest.approx(1)
    assert found.p_value == pytest.approx(2 / 40_320) == smallest_p_value(8)


def test_three_pairs_can_not_be_significant():
    assert associate([1, 2, 3], [3, 2, 1]).p_value == pytest.approx(1 / 3)


def test_the_bootstrap_interval_is_that_of_all_resamples():
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 6])
    found = associate(x, y)
    every = np.array(list(itertools.product(range(5), repeat=5)))
    values = []
    for pick in every:
        values.append(spearman(x[pick], y[pick]))
    values = np.array(values)
    known = np.sort(values[~np.isnan(values)])
    at = [math.ceil(share * len(known)) - 1 for share in (0.025, 0.975)]
    assert (found.low, found.high) == (pytest.approx(known[at[0]]), pytest.approx(known[at[1]]))
    assert found.undefined == pytest.approx(np.isnan(values).mean())


def test_an_interval_is_undefined_where_more_resamples_have_no_correlation_than_it_leaves_out():
    # Six of eight are alike, as blobs at the early epoch were: 10 % of the resamples draw only those.
    found = associate([0.0] * 6 + [1, 2], [8.0, 7, 6, 5, 4, 3, 2, 1])
    assert found.undefined == pytest.approx((6 / 8) ** 8, abs=1e-3)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.interval == "undefined: 10 % of the resamples have no correlation"
    some = associate([1.0, 2, 3, 4, 5, 6], [1.0, 3, 2, 5, 4, 6])
    assert some.undefined < 0.05
    assert some.interval == f"{some.low:+.2f} to {some.high:+.2f}"


def test_more_pairs_are_sampled_the_same_way_each_time_and_say_so():
    generator = np.random.default_rng(0)
    x = generator.random(20)
    y = x + generator.random(20)
    found = associate(x, y)
    assert not found.exact
    assert found == associate(x, y)
    assert found.p_value == pytest.approx(scipy.stats.spearmanr(x, y).pvalue, abs=2e-3)
    assert found.low < found.rho < found.high


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=5), st.lists(st.integers(0, 5), min_size=1, max_size=5)
)
def test_separation_is_the_exact_rank_test(first, second):
    found = separate(first, second)
    wins = np.mean([(a > b) + (a == b) / 2 for a in first for b in second])
    assert found.auc == pytest.approx(wins)
    both = [*first, *second]
    aucs = []
    for chosen in itertools.combinations(range(len(both)), len(first)):
        ones = [both[i] for i in chosen]
        rest = [both[i] for i in range(len(both)) if i not in chosen]
        aucs.append(np.mean([(a > b) + (a == b) / 2 for a in ones for b in rest]))
    far = np.abs(np.array(aucs) - 0.5) >= abs(wins - 0.5) - 1e-9
    assert found.p_value == pytest.approx(far.mean())
    assert (found.threshold is not None) == (min(first) > max(second) or max(first) < min(second))


def test_one_failure_of_eight_can_not_be_told_from_chance():
    found = separate([1], [2, 3, 4, 5, 6, 7, 8])
    assert found.auc == 0
    assert found.threshold == 1.5
    assert found.p_value == pytest.approx(2 / 8)


def test_the_sign_test_leaves_ties_out_and_is_exact():
    assert sign_test([-1, -1, -1, -1, -1, -1, 0]) == (6, 0, pytest.approx(2 / 64))
    assert sign_test([]) == (0, 0, 1.0)
    below, above, p = sign_test([1, 2, -3, 4])
    assert (below, above) == (1, 3)
    assert p == pytest.approx(scipy.stats.binomtest(1, 4).pvalue)


def test_the_line_is_least_squares_and_needs_three_points():
    x, y = np.array([1.0, 2, 4, 7]), np.array([3.0, 1, 5, 4])
    line = fit_line(x, y)
    assert line is not None
    assert [line.slope, line.intercept] == pytest.approx(np.polyfit(x, y, 1))
    assert fit_line([1, 2], [3, 4]) is None
    assert fit_line([2, 2, 2], [3, 4, 5]) is None


def test_labellings_that_all_say_the_same_are_no_evidence():
    y = [1.0, 2, 3, 4, 5]
    choices = [[v, v, v] for v in (5, 4, 3, 2, 1)]
    assert relabelled_p_value(-1.0, choices, lambda rows: spearman_of_rows(rows, y)) == 1.0


def test_labels_that_stand_out_in_every_variant_are_evidence():
    y = [1.0, 2, 3, 4, 5]
    noise = np.random.default_rng(3).random((5, 40)) * 0.1
    choices = [[6.0 - value, *rest] for value, rest in zip(y, noise, strict=True)]
    found = relabelled_p_value(-1.0, choices, lambda rows: spearman_of_rows(rows, y))
    assert found < 0.05


def test_rows_correlate_as_they_do_one_by_one():
    rows = np.random.default_rng(1).random((4, 6))
    rows[2] = 7
    y = np.arange(6.0)
    found = spearman_of_rows(rows, y)
    assert found[2] == 0
    for i in (0, 1, 3):
        assert found[i] == pytest.approx(spearman(rows[i], y))


def test_sampled_choices_agree_with_all_of_them(monkeypatch):
    generator = np.random.default_rng(5)
    first, second = generator.random(6) + 0.3, generator.random(7)
    every = separate(first, second).p_value
    monkeypatch.setattr(exact, "SAMPLES", 500)
    monkeypatch.setattr(exact.math, "comb", lambda n, k: 10**9)
    assert separate(first, second).p_value == pytest.approx(every, abs=0.06)
