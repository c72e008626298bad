"""The reference line (A11) against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_waves import (
    SHAPES,
    WAVES,
    coarseness_of,
    reference_line,
    wave_maps,
)

PRIMES = (7, 59, 97, 113)


def pick(table, **values):
    for column, value in values.items():
        table = table[table[column] == value]
    return table.sort_values("frequency")["coarseness"].to_numpy()


@pytest.mark.parametrize("p", PRIMES)
@pytest.mark.parametrize("wave", WAVES)
def test_a_pure_wave_is_coarse_up_to_the_radius_and_not_beyond(p, wave):
    table, radius, k = reference_line(p), int(0.125 * p), np.arange(1, p // 2 + 1)
    for shape in ("along_a", "along_b", "of_both"):
        found = pick(table, wave=wave, shape=shape, relu=False)
        np.testing.assert_allclose(found, (k <= radius).astype(float), atol=1e-5)
    found = pick(table, wave=wave, shape="of_sum", relu=False)
    np.testing.assert_allclose(found, (2 * k**2 <= radius**2).astype(float), atol=1e-5)


@pytest.mark.parametrize("p", PRIMES)
@pytest.mark.parametrize("wave", WAVES)
def test_a_rectified_wave_has_the_harmonics_of_the_first_frequency_moved_to_multiples(p, wave):
    power = np.abs(np.fft.fft(np.maximum(getattr(np, wave)(2 * np.pi * np.arange(p) / p), 0))) ** 2
    found = pick(reference_line(p), wave=wave, shape="along_a", relu=True)
    for k in range(1, p // 2 + 1):
        place = k * np.arange(p) % p
        low = (np.minimum(place, p - place) <= int(0.125 * p)) & (np.arange(p) > 0)
        np.testing.assert_allclose(found[k - 1], power[low].sum() / power[1:].sum(), atol=1e-5)


def test_far_from_the_edge_a_rectified_cosine_keeps_the_share_of_its_first_harmonic():
    # ReLU(cos) has mean 1/pi, mean square 1/4 and a first harmonic of energy 1/8.
    found = coarseness_of(np.maximum(wave_maps(499, "cos", "along_a")[40:41], 0))
    assert found[0] == pytest.approx(0.125 / (0.25 - 1 / np.pi**2), abs=2e-3)


def test_along_a_and_along_b_are_alike():
    table = reference_line(31)
    for wave in WAVES:
        for relu in (False, True):
            np.testing.assert_allclose(
                pick(table, wave=wave, shape="along_a", relu=relu),
                pick(table, wave=wave, shape="along_b", relu=relu),
                atol=1e-6,
            )


def test_there_is_a_row_for_every_frequency_wave_shape_and_relu():
    table = reference_line(13)
    assert len(table) == 6 * len(WAVES) * len(SHAPES) * 2
    assert not table.duplicated(["frequency", "wave", "shape", "relu"]).any()


def test_an_even_modulus_is_refused():
    with pytest.raises(BadConfig, match="odd modulus"):
        reference_line(12)
