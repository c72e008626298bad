from itertools import combinations

import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.recipes.common.permutation_test import compare_groups, permutation_p_value, random_groups


def test_the_p_value_is_that_of_all_groups_when_they_can_be_counted():
    values = np.array([5.0, 4, 7, 1, 2, 3, 2, 0, 6])
    member = np.array([True] * 3 + [False] * 6)
    found = compare_groups(values, member, seed=0, permutations=20_000)

    def difference(rows):
        inside = np.isin(np.arange(9), rows)
        return abs(values[inside].mean() - values[~inside].mean())

    every = [difference(rows) for rows in combinations(range(9), 3)]
    assert found.p_value == pytest.approx(
        np.mean([d >= difference([0, 1, 2]) - 1e-9 for d in every]), abs=0.01
    )
    assert (found.members, found.others) == (3, 6)
    assert found.ratio == pytest.approx((16 / 3) / (14 / 6))


def test_the_band_of_random_groups_is_that_of_all_groups():
    values = np.random.default_rng(3).exponential(size=12)
    member = np.arange(12) < 4
    found = compare_groups(values, member, seed=0, permutations=20_000)
    every = [
        values[list(rows)].mean() / np.delete(values, rows).mean() for rows in combinations(range(12), 4)
    ]
    assert found.random_ratios == pytest.approx(np.percentile(every, (2.5, 97.5)), rel=0.02)


def test_equal_values_have_a_band_without_width():
    assert compare_groups(np.full(9, 2.0), np.arange(9) < 3, seed=0).random_ratios == pytest.approx((1, 1))


def test_groups_that_are_apart_reach_the_smallest_p_value():
    values = np.r_[np.full(20, 3.0), np.full(80, 1.0)]
    found = compare_groups(values, values > 2, seed=1)
    assert found.ratio == 3
    assert found.p_value == 1 / 1000


def test_equal_values_are_no_difference():
    found = compare_groups(np.full(30, 0.1), np.arange(30) < 7, seed=0)
    assert found.p_value == 1


def test_p_values_are_uniform_where_there_is_nothing_to_find():
    rng = np.random.default_rng(7)
    p = [
        compare_groups(rng.standard_normal(30), np.arange(30) < 10, seed=i, permutations=199).p_value
        for i in range(300)
    ]
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.05)


def test_random_groups_keep_their_size_and_follow_the_seed():
    member = np.arange(12) < 5
    first, again, other = (random_groups(member, seed=s, permutations=50) for s in (1, 1, 2))
    assert (first.sum(axis=1) == 5).all()
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_the_observed_group_counts_as_one():
    assert permutation_p_value(2.0, np.array([1.0, 1.0, 3.0])) == 2 / 4


@pytest.mark.parametrize("member", [np.zeros(4, bool), np.ones(4, bool)])
def test_an_empty_group_has_no_p_value(member):
    found = compare_groups(np.arange(4.0), member, seed=0)
    assert np.isnan(found.p_value) and np.isnan(found.ratio)


def test_wrong_shapes_and_no_permutation_are_refused():
    with pytest.raises(BadConfig, match=r"\(3,\)"):
        compare_groups(np.zeros(3), np.zeros(4, bool), seed=0)
    with pytest.raises(BadConfig, match="at least one"):
        compare_groups(np.arange(3.0), np.arange(3) < 1, seed=0, permutations=0)


def test_random_groups_are_shuffles_of_the_members_drawn_anew_for_each_group():
    for n in (12, 12, 9):  # the second time from the orders that are kept
        member = np.arange(n) % 3 == 0
        rows = np.tile(member.astype(float), (50, 1))
        expected = np.random.default_rng(4).permuted(rows, axis=1)
        assert np.array_equal(random_groups(member, seed=4, permutations=50), expected)
