"""Are frequencies chosen evenly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from tdw.statistics import uniformity
from tdw.statistics.uniformity import uniform_choice


def test_single_choices_are_the_chi_squared_test():
    generator = np.random.default_rng(0)
    chosen = [[int(k)] for k in generator.integers(1, 6, 200)]
    found = uniform_choice(chosen, 5)
    other = scipy.stats.chisquare(found.counts)
    assert found.statistic == pytest.approx(other.statistic)
    assert found.p_value == pytest.approx(other.pvalue, abs=0.015)


def test_few_sets_have_the_p_value_of_all_choices():
    # Each of two runs chooses two of four: 36 choices; the same pair twice in 6 of them.
    sets = list(itertools.combinations(range(1, 5), 2))
    far = []
    for one, other in itertools.product(sets, sets):
        counts = np.bincount([*one, *other], minlength=5)[1:]
        far.append(((counts - 1) ** 2).sum())
    found = uniform_choice([(1, 2), (1, 2)], 4)
    assert found.p_value == pytest.approx(np.mean(np.array(far) >= 4), abs=0.01)
    assert found.counts.tolist() == [2, 2, 0, 0]


def test_choices_without_repetition_are_not_judged_as_if_they_could_repeat():
    # Three of four: counts vary less than multinomial ones, and chi-squared would find nothing.
    found = uniform_choice([(1, 2, 3)] * 6, 4)
    chi_squared = scipy.stats.chisquare(found.counts).pvalue
    assert found.p_value < 0.01 < chi_squared


def test_even_choices_are_rejected_at_the_level(monkeypatch):
    monkeypatch.setattr(uniformity, "SAMPLES", 1000)
    generator = np.random.default_rng(9)
    p_values = []
    for _ in range(200):
        chosen = [generator.choice(np.arange(1, 30), size, replace=False).tolist() for size in (3, 4, 5) * 10]
        p_values.append(uniform_choice(chosen, 29).p_value)
    assert 0.01 < np.mean(np.array(p_values) <= 0.05) < 0.1


def test_a_preference_for_low_frequencies_is_found():
    generator = np.random.default_rng(2)
    weight = 1 / np.arange(1, 30)
    chosen = [
        generator.choice(np.arange(1, 30), 3, replace=False, p=weight / weight.sum()).tolist()
        for _ in range(60)
    ]
    assert uniform_choice(chosen, 29).p_value < 1e-3


def test_runs_without_a_frequency_do_not_count():
    assert uniform_choice([(1,), (), (2,)], 3).runs == 2
    with pytest.raises(ValueError, match="no run"):
        uniform_choice([()], 3)
    with pytest.raises(ValueError, match=r"4 is outside 1\.\.3"):
        uniform_choice([(4,)], 3)
