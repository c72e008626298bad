"""Permutations that keep clusters together, by enumeration and against the ordinary test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from tdw.statistics import clusters as module
from tdw.statistics.clusters import cluster, permute_clusters
from tdw.statistics.exact import associate


def test_runs_that_share_a_seed_or_a_split_are_a_cluster_and_so_are_chains_of_them():
    found = cluster({"seed": [1, 1, 2, 3, 4], "data_seed": [7, 8, 8, 9, 10]})
    assert found.labels == (0, 0, 0, 1, 2)
    assert found.shared == ()


def test_what_all_runs_share_is_named_and_links_nothing():
    found = cluster({"seed": [1, 2, 3], "data_seed": [598, 598, 598]})
    assert found.labels == (0, 1, 2)
    assert found.shared == ("data_seed",)
    test = permute_clusters([1, 2, 3], [1, 2, 3], clusters=found)
    assert test.not_respected == "all runs share data_seed: the result holds for that value alone"


def test_without_common_values_it_is_the_ordinary_permutation_test():
    generator = np.random.default_rng(2)
    x, y = generator.random((2, 7))
    found = permute_clusters(x, y, clusters=cluster({"seed": list(range(7))}))
    plain = associate(x, y)
    assert found.statistic == pytest.approx(plain.rho)
    assert found.p_value == pytest.approx(plain.p_value)
    assert found.arrangements == 5040
    assert found.not_respected == ""


def test_the_p_value_is_the_share_of_all_ways_to_move_whole_clusters():
    x = np.array([1.0, 2, 5, 6, 3, 9, 4, 8])
    y = np.array([2.0, 1, 6, 5, 4, 8, 3, 9])
    labels = cluster({"seed": [0, 0, 1, 1, 2, 2, 3, 3]})
    values = []
    for order in itertools.permutations(range(4)):
        moved = np.concatenate([y[2 * i : 2 * i + 2] for i in order])
        values.append(abs(scipy.stats.spearmanr(x, moved).statistic))
    found = permute_clusters(x, y, clusters=labels)
    assert found.arrangements == 24
    assert found.p_value == pytest.approx(np.mean(np.array(values) >= abs(found.statistic) - 1e-9))
    assert found.smallest == pytest.approx(1 / 24)


def test_copies_of_a_few_runs_are_no_more_evidence_than_the_few():
    x, y = [1.0, 2, 3, 4, 5], [2.0, 1, 3, 5, 4]
    few = permute_clusters(x, y, clusters=cluster({"seed": [1, 2, 3, 4, 5]}))
    copied = permute_clusters(
        np.repeat(x, 6), np.repeat(y, 6), clusters=cluster({"seed": np.repeat(range(5), 6).tolist()})
    )
    assert copied.p_value == pytest.approx(few.p_value)
    assert associate(np.repeat(x, 6), np.repeat(y, 6)).p_value < 1e-3 < few.p_value


def test_a_cluster_of_a_size_of_its_own_stays_and_the_text_says_so():
    found = permute_clusters([1, 2, 3, 4], [1, 2, 3, 4], clusters=cluster({"seed": [1, 1, 2, 3]}))
    assert found.arrangements == 2
    assert found.not_respected == "a cluster whose size occurs once (2) stays in its place"


def test_one_cluster_of_all_says_that_nothing_can_be_permuted():
    found = permute_clusters(
        [1, 2, 3], [1, 2, 3], clusters=cluster({"seed": [1, 1, 2], "data_seed": [7, 8, 8]})
    )
    assert (found.p_value, found.arrangements) == (1.0, 1)
    assert found.not_respected == "all runs are linked to one cluster, so there is nothing to permute"


def test_sampled_arrangements_agree_with_all_of_them_and_never_change(monkeypatch):
    generator = np.random.default_rng(4)
    x = generator.random(14)
    y = x + generator.random(14)
    labels = cluster({"seed": np.repeat(range(7), 2).tolist()})
    every = permute_clusters(x, y, clusters=labels)
    assert every.exact
    monkeypatch.setattr(module, "SAMPLES", 2000)
    some = permute_clusters(x, y, clusters=labels)
    assert not some.exact
    assert some.p_value == pytest.approx(every.p_value, abs=0.02)
    assert some == permute_clusters(x, y, clusters=labels)


def test_under_chance_the_test_rejects_at_its_level_though_clusters_share_a_value():
    generator = np.random.default_rng(11)
    labels = cluster({"seed": np.repeat(range(5), 4).tolist()})
    clustered, plain = [], []
    for _ in range(300):
        x, y = (
            np.repeat(generator.standard_normal(5), 4) + 0.1 * generator.standard_normal(20) for _ in "xy"
        )
        clustered.append(permute_clusters(x, y, clusters=labels).p_value)
        plain.append(scipy.stats.spearmanr(x, y).pvalue)
    assert np.mean(np.array(clustered) <= 0.05) < 0.09
    assert np.mean(np.array(plain) <= 0.05) > 0.3


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 and 3 numbers of 3 runs"):
        permute_clusters([1, 2], [1, 2, 3], clusters=cluster({"seed": [1, 2, 3]}))
    with pytest.raises(ValueError, match="one value of each"):
        cluster({"seed": [1, 2], "data_seed": [1]})
