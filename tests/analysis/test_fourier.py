import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdw.errors import BadConfig, TdwError
from tdw.families import zp_fourier as fourier

odd = st.sampled_from([3, 5, 7, 11, 13, 15, 23, 31])


def random_maps(n, p, seed=0):
    return np.random.default_rng(seed).standard_normal((n, p, p)).astype(np.float32)


@given(odd)
def test_the_basis_is_orthonormal(p):
    basis = fourier.fourier_basis(p)
    np.testing.assert_allclose(basis @ basis.T, np.eye(p), atol=1e-13)


def test_components_come_as_constant_then_cos_and_sin_of_each_frequency():
    x = 2 * np.pi * 2 * np.arange(7) / 7
    basis = fourier.fourier_basis(7)
    np.testing.assert_allclose(basis[0], 7**-0.5)
    np.testing.assert_allclose(basis[3], np.sqrt(2 / 7) * np.cos(x))
    np.testing.assert_allclose(basis[4], np.sqrt(2 / 7) * np.sin(x))


def test_the_shared_basis_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        fourier.fourier_basis(7)[0, 0] = 1


@pytest.mark.parametrize("p", [1, 2, 8])
def test_an_even_or_tiny_modulus_is_refused(p):
    with pytest.raises(BadConfig, match=f"Z_{p}"):
        fourier.fourier_basis(p)


@settings(max_examples=30)
@given(odd, st.integers(0, 2**31), st.floats(-100, 100), st.sampled_from([1e-3, 1.0, 50.0]))
def test_energies_are_those_of_fft2_folded_over_signs(p, seed, offset, scale):
    maps = (random_maps(3, p, seed) * scale + offset).astype(np.float32)
    found = fourier.spectra(maps)
    power = np.abs(np.fft.fft2(maps.astype(np.float64))) ** 2 / p**2
    k = np.minimum(np.arange(p), p - np.arange(p))
    expected = np.zeros((3, p // 2 + 1, p // 2 + 1))
    for i in range(p):
        for j in range(p):
            expected[:, k[i], k[j]] += power[:, i, j]
    largest = expected[:, 1:, 1:].max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found.energy[:, 0, 0], expected[:, 0, 0], rtol=1e-5)
    found.energy[:, 0, 0] = expected[:, 0, 0] = 0
    assert (np.abs(found.energy - expected) <= 1e-5 * largest).all()


@settings(max_examples=30)
@given(odd, st.integers(0, 2**31))
def test_the_energies_sum_to_the_sum_of_squares(p, seed):
    maps = random_maps(4, p, seed)
    found = fourier.spectra(maps)
    wide = maps.astype(np.float64)
    np.testing.assert_allclose(found.total, (wide**2).sum(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.variance, wide.var(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.mean, wide.mean(axis=(1, 2)), rtol=1e-9, atol=1e-12)


def test_more_maps_than_a_block_give_what_single_maps_give():
    maps = random_maps(75, 11)
    together = fourier.spectra(maps).energy
    alone = np.concatenate([fourier.spectra(maps[i : i + 1]).energy for i in range(75)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_the_eight_terms_of_a_frequency_are_those_of_the_definition(plain):
    maps = random_maps(2, 13) + 3
    found = fourier.spectra(maps)
    for image, share in zip(maps, found.by_frequency() / found.varying[:, None], strict=True):
        np.testing.assert_allclose(share, plain.fractions(image), rtol=1e-5)


def test_coefficients_and_energies_agree():
    maps = random_maps(2, 11)
    basis, frequency = fourier.fourier_basis(11), (np.arange(11) + 1) // 2
    squares = (basis @ maps.astype(np.float64) @ basis.T) ** 2
    found = fourier.spectra(maps).energy
    for k in range(6):
        for m in range(6):
            block = squares[:, frequency == k][:, :, frequency == m].sum(axis=(1, 2))
            np.testing.assert_allclose(found[:, k, m], block, rtol=1e-4, atol=1e-7)


def test_a_small_variation_on_a_large_constant_keeps_its_precision():
    x = 2 * np.pi * np.arange(113) / 113
    maps = (1000 + 0.01 * np.cos(5 * x)[:, None] + np.zeros((113, 113)))[None].astype(np.float32)
    exact = maps[0].astype(np.float64)
    assert fourier.spectra(maps).variance[0] == pytest.approx(exact.var(), rel=1e-5)


def test_multiplying_residues_by_a_unit_permutes_frequencies():
    p, c = 23, 5
    image = random_maps(1, p)[0]
    relabeled = image[np.ix_(c * np.arange(p) % p, c * np.arange(p) % p)]
    before, after = (
        fourier.spectra(image[None]).by_frequency()[0],
        fourier.spectra(relabeled[None]).by_frequency()[0],
    )
    k = np.arange(1, p // 2 + 1)
    moved = np.minimum(c * k % p, -c * k % p)
    np.testing.assert_allclose(after[moved - 1], before, rtol=1e-4)


def test_constant_maps_are_found_and_have_no_variance():
    maps = random_maps(3, 7)
    maps[1] = 0.1
    maps[2] = 0
    found = fourier.spectra(maps)
    assert found.constant.tolist() == [False, True, True]
    assert found.variance[1:].tolist() == [0, 0]
    assert found.total[1] == pytest.approx(49 * 0.01, rel=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_map_that_is_not_finite_is_refused(value):
    maps = random_maps(3, 7)
    maps[2, 1, 1] = value
    with pytest.raises(TdwError, match="map 2 holds NaN"):
        fourier.spectra(maps)


def test_maps_that_are_not_square_are_refused():
    with pytest.raises(BadConfig, match=r"\(2, 5, 7\)"):
        fourier.spectra(np.zeros((2, 5, 7), np.float32))


@pytest.mark.parametrize(("p", "radius"), [(113, 14), (109, 13), (101, 12), (97, 12), (59, 7), (7, 0)])
def test_the_low_disc_includes_its_edge(p, radius):
    disc = fourier.low_disc(p, 0.125)
    assert disc[radius, 0]
    assert not disc[radius + 1, 0]
    assert disc[0, 0]


def test_the_low_disc_has_the_pixels_of_the_shifted_spectrum():
    p = 31
    y, x = np.ogrid[:p, :p]
    pixels = (y - p // 2) ** 2 + (x - p // 2) ** 2 <= 3**2
    k = np.abs(np.arange(p) - p // 2)
    np.testing.assert_array_equal(fourier.low_disc(p, 0.1)[np.ix_(k, k)], pixels)
