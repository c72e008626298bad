"""The relabelling control (A12) against maps that are really permuted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import relabelling
from tdw.families.modulo_addition_1layer.analyzers.relabelling import (
    control,
    rank,
    relabelled_coarseness,
)
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.context import CheckpointContext
from tdw.families.modulo_addition_1layer.maths.coarseness import scale_metrics as metrics
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_waves import wave_maps
from tdw.families.zp_fourier import spectra


def maps(p, n=9, seed=0):
    """Noise, waves, a dead neuron and a faint one on a large constant."""
    rng = np.random.default_rng(seed)
    found = rng.random((n, p, p), np.float32)
    found[1] = np.maximum(wave_maps(p, "cos", "of_both")[1], 0)
    found[2] = 3.5
    found[3] = 100 + 1e-2 * found[3]
    return found


def relabel(maps, c):
    """The maps (n, p, p) with residues renamed: [n, a, b] is what was at (c a, c b) mod p."""
    p = maps.shape[-1]
    order = [c * x % p for x in range(p)]
    return np.ascontiguousarray(maps[:, order][:, :, order])


def test_every_labelling_agrees_with_permuted_maps(plain):
    p = 13
    given_maps = maps(p)
    found = relabelled_coarseness(spectra(given_maps), radius_fraction=0.125)
    for c in range(1, p // 2 + 1):
        moved = relabel(given_maps, c)
        for i, image in enumerate(moved):
            expected = 0 if i == 2 else plain.fft_ratio(image, no_dc=True)
            assert found[c - 1, i] == pytest.approx(expected, abs=2e-6), (c, i)


@given(st.sampled_from([5, 7, 11, 17, 23]), st.integers(0, 100), st.sampled_from([0.125, 0.25, 0.5]))
def test_permuting_maps_and_permuting_energies_are_the_same(p, seed, radius):
    given_maps = maps(p, seed=seed)
    found = relabelled_coarseness(spectra(given_maps), radius_fraction=radius)
    for c in range(1, p // 2 + 1):
        expected = metrics.fft_ratio_no_dc(spectra(relabel(given_maps, c)), radius_fraction=radius)
        np.testing.assert_allclose(found[c - 1], expected, atol=1e-5)


def test_the_observed_labels_have_the_bits_of_coarseness():
    found = spectra(maps(31))
    np.testing.assert_array_equal(
        relabelled_coarseness(found, radius_fraction=0.125)[0],
        metrics.fft_ratio_no_dc(found, radius_fraction=0.125),
    )


def test_opposite_units_give_the_same_coarseness():
    given_maps = maps(11)
    for c in range(1, 6):
        there, back = (spectra(relabel(given_maps, unit)) for unit in (c, 11 - c))
        np.testing.assert_allclose(
            metrics.fft_ratio_no_dc(there, radius_fraction=0.125),
            metrics.fft_ratio_no_dc(back, radius_fraction=0.125),
            atol=1e-6,
        )


def test_a_wave_is_coarse_under_exactly_the_labels_that_make_its_frequency_low():
    p, k = 113, 20
    found = control(spectra(wave_maps(p, "sin", "along_b")[k - 1 : k].astype(np.float32)))
    moved = np.arange(1, 57) * k % p
    low = np.minimum(moved, p - moved) <= 14
    np.testing.assert_array_equal(found["num_blob_neurons"], low.astype(int))
    np.testing.assert_allclose(found["mean_coarseness"], low, atol=1e-5)
    assert low.sum() == 14  # a quarter of the labelings make any one frequency low
    assert found["rank_num_blob_neurons"] == 56  # the observed labels do not: all reach 0 blobs


def test_the_rank_counts_the_labellings_that_reach_the_observed_value():
    assert rank(np.array([3, 1, 2])) == 1
    assert rank(np.array([2, 1, 3])) == 2
    assert rank(np.array([2, 2, 3])) == 3
    assert rank(np.array([0.1, 0.5, 0.9])) == 3


def test_over_random_maps_every_rank_is_as_likely():
    # A null distribution: labels mean nothing to noise, so rank / h is uniform on 1/h, 2/h, ..., 1.
    ranks = [int(control(spectra(maps(11, seed=s)[4:]))["rank_mean_coarseness"]) for s in range(400)]
    counts = np.bincount(ranks, minlength=6)[1:]
    assert ((counts - 80) ** 2 / 80).sum() < 18.5  # chi-squared, 4 degrees of freedom, 0.1 %


@pytest.mark.parametrize("radius", [0.125, 0.25])
def test_low_is_what_it_was_for_coarseness(radius):
    given_maps = maps(31)
    context = CheckpointContext(31, {}, lambda: SimpleNamespace(mlp_post=given_maps))
    context.results["coarseness"] = {"radius_fraction": np.array(radius)}
    found = relabelling.compute(context, BlobRule())
    observed = metrics.fft_ratio_no_dc(spectra(given_maps), radius_fraction=radius)
    assert found["mean_coarseness"][0] == observed.mean()
    assert found["num_blob_neurons"][0] == (observed >= 0.7).sum()


def test_eight_bit_maps_give_nearly_the_same():
    from tdw.store.codec import quantize_rows

    given_maps = maps(31)
    exact = control(spectra(given_maps))
    stored = control(spectra(quantize_rows("m", given_maps).decode()))
    np.testing.assert_allclose(stored["mean_coarseness"], exact["mean_coarseness"], atol=1e-4)


@pytest.mark.parametrize("wrong", [-0.1, 1.5, float("nan")])
def test_a_blob_threshold_that_is_no_share_is_refused_by_name(wrong):
    with pytest.raises(BadConfig, match="blob_from"):
        BlobRule(blob_from=wrong)
