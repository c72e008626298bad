import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.maths.coarseness.pure_wave_coarseness import (
    against_frequency,
    wave_curve,
)
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_waves import reference_line

P = 23  # the low disc has radius 2
H = P // 2


def naive_coarseness(image, radius):
    power = np.abs(np.fft.fftshift(np.fft.fft2(image))) ** 2
    p = len(image)
    power[p // 2, p // 2] = 0
    y, x = np.ogrid[:p, :p]
    return power[(y - p // 2) ** 2 + (x - p // 2) ** 2 <= radius**2].sum() / power.sum()


def test_the_curve_is_the_coarseness_of_rectified_waves_by_numpy_fft():
    curve = wave_curve(P)
    x = 2 * np.pi * np.arange(P) / P
    for k in range(1, H + 1):
        expected = [
            naive_coarseness(np.maximum(f(k * x)[:, None] + f(k * x), 0), 2) for f in (np.cos, np.sin)
        ]
        assert curve.expected[k - 1] == pytest.approx(np.mean(expected), abs=1e-6)
        assert curve.lowest[k - 1] <= min(expected) + 1e-6
        assert curve.highest[k - 1] >= max(expected) - 1e-6


def test_the_band_is_that_of_the_reference_line():
    table = reference_line(P)
    table = table[table["relu"]].groupby("frequency")["coarseness"]
    np.testing.assert_allclose(wave_curve(P).lowest, table.min())
    np.testing.assert_allclose(wave_curve(P).highest, table.max())


def test_the_how_to_shows_how_to_get_the_curve() -> None:
    text = (Path(__file__).parents[3] / "docs" / "how-to.md").read_text()
    (block,) = re.findall(r"```python\n(from [\w.]+pure_waves import .*?)```", text, re.DOTALL)
    found: dict[str, Any] = {}
    exec(block, found)
    np.testing.assert_allclose(found["rectified"].to_numpy(), wave_curve(113).expected, atol=1e-6)


def test_neurons_that_are_pure_waves_are_explained_by_the_curve():
    frequency = np.tile(np.arange(1, H + 1), 4)
    coarseness = wave_curve(P).expected[frequency - 1]
    found = against_frequency(coarseness, frequency, np.ones(4 * H), p=P, seed=0, blob_from=0.5)
    assert found.explained == pytest.approx(1)
    np.testing.assert_allclose(found.excess, 0, atol=1e-12)
    assert found.neurons.tolist() == [4] * H
    np.testing.assert_allclose(found.mean_coarseness, wave_curve(P).expected)
    assert found.distance == pytest.approx(1)
    assert found.p_value == 1 / 1000


def naive_distance(frequency, blob):
    inside = [np.mean(frequency[blob] == k) for k in range(1, H + 1)]
    outside = [np.mean(frequency[~blob] == k) for k in range(1, H + 1)]
    return sum(abs(x - y) for x, y in zip(inside, outside, strict=True)) / 2


def test_counts_excess_and_distance_agree_with_loops():
    rng = np.random.default_rng(3)
    frequency, coarseness = rng.integers(0, H + 1, 80), rng.random(80)
    fraction = rng.random(80)
    found = against_frequency(coarseness, frequency, fraction, p=P, seed=1, min_fraction=0.2)
    used = (frequency > 0) & (fraction >= 0.2)
    assert np.isnan(found.excess).tolist() == (~used).tolist()
    for k in range(1, H + 1):
        here = [c for c, f, u in zip(coarseness, frequency, used, strict=True) if u and f == k]
        assert found.neurons[k - 1] == len(here)
        assert found.blobs[k - 1] == sum(c >= 0.7 for c in here)
        assert found.mean_coarseness[k - 1] == pytest.approx(np.mean(here) if here else np.nan, nan_ok=True)
    excess = coarseness[used] - wave_curve(P).expected[frequency[used] - 1]
    np.testing.assert_allclose(found.excess[used], excess)
    variation = ((coarseness[used] - coarseness[used].mean()) ** 2).sum()
    assert found.explained == pytest.approx(1 - (excess**2).sum() / variation)
    assert found.distance == pytest.approx(naive_distance(frequency[used], coarseness[used] >= 0.7))
    assert found.p_value > 0.01  # there is nothing to find


def test_the_p_value_is_that_of_all_groups_when_they_can_be_counted():
    from itertools import combinations

    frequency = np.array([1, 1, 1, 2, 3, 3, 2, 4])
    coarseness = np.array([0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1])
    found = against_frequency(coarseness, frequency, np.ones(8), p=P, seed=2, permutations=20_000)
    everything = [
        naive_distance(frequency, np.isin(np.arange(8), group)) for group in combinations(range(8), 3)
    ]
    exact = np.mean([d >= found.distance - 1e-9 for d in everything])
    assert found.p_value == pytest.approx(exact, abs=0.004)
    assert found.chance == pytest.approx(np.mean(everything), abs=0.01)


def test_without_blobs_there_is_no_distance_and_without_neurons_nothing():
    none = against_frequency(np.full(5, 0.1), np.ones(5, int), np.ones(5), p=P, seed=0)
    assert (
        np.isnan(none.distance)
        and np.isnan(none.chance)
        and np.isnan(none.p_value)
        and np.isnan(none.explained)
    )
    empty = against_frequency(np.full(5, 0.9), np.zeros(5, int), np.zeros(5), p=P, seed=0)
    assert empty.neurons.sum() == 0 and np.isnan(empty.excess).all()
