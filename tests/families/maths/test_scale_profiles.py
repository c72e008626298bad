import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.maths.coarseness.scale_profiles import (
    cluster_profiles,
    mean_silhouette,
    octaves,
    scale_profiles,
)
from tdw.families.zp_fourier import spectra

P = 23


def test_profiles_are_shares_of_the_fft_by_octave_of_radius():
    maps = np.random.default_rng(0).standard_normal((3, P, P)).astype(np.float32)
    found = scale_profiles(spectra(maps))
    for image, profile in zip(maps, found, strict=True):
        power = np.abs(np.fft.fft2(image)) ** 2
        bands = np.zeros(found.shape[1])
        for i in range(P):
            for j in range(P):
                k, m = min(i, P - i), min(j, P - j)
                if k or m:
                    bands[int(np.floor(np.log2(np.hypot(k, m)) + 1e-12))] += power[i, j]
        np.testing.assert_allclose(profile, bands / bands.sum(), rtol=1e-4)


@pytest.mark.parametrize(("k", "band"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 2), (8, 3)])
def test_a_pure_wave_lies_in_the_octave_of_its_frequency(k, band):
    wave = np.cos(2 * np.pi * k * np.arange(P) / P)[:, None] + np.zeros(P)
    profile = scale_profiles(spectra(wave[None].astype(np.float32)))[0]
    np.testing.assert_allclose(profile, np.arange(len(profile)) == band, atol=1e-6)
    assert octaves(P)[k, 0] == octaves(P)[0, k] == band


def test_a_constant_map_has_no_profile_and_no_cluster():
    maps = np.ones((1, P, P), np.float32)
    assert not scale_profiles(spectra(maps)).any()
    found = cluster_profiles(np.zeros((4, 3), np.float32))
    assert found.cluster.tolist() == [-1] * 4
    assert found.representatives.size == 0


def three_groups():
    rng = np.random.default_rng(1)
    centers = np.array([[0, 0.1, 0.9], [0.9, 0.1, 0], [0.1, 0.8, 0.1]])
    group = np.repeat([0, 1, 2], [10, 5, 20])
    return np.abs(centers[group] + 0.02 * rng.standard_normal((35, 3))).astype(np.float32), group


def test_groups_that_are_apart_are_found_and_numbered_from_coarse_to_fine():
    profiles, group = three_groups()
    profiles = np.vstack([profiles, np.zeros((2, 3), np.float32)])
    found = cluster_profiles(profiles)
    expected = np.array([2, 0, 1])[group]
    assert found.cluster.tolist() == [*expected, -1, -1]
    assert found.silhouette > 0.8
    for number, neuron in enumerate(found.representatives):
        rows = np.flatnonzero(found.cluster == number)
        sums = [sum(np.linalg.norm(profiles[i] - profiles[j]) for j in rows) for i in rows]
        assert neuron == rows[int(np.argmin(sums))]
        np.testing.assert_allclose(found.profiles[number], profiles[rows].mean(axis=0), rtol=1e-6)


def test_the_order_of_neurons_does_not_change_the_clusters():
    profiles, _ = three_groups()
    order = np.random.default_rng(2).permutation(35)
    assert (
        cluster_profiles(profiles[order]).cluster.tolist()
        == cluster_profiles(profiles).cluster[order].tolist()
    )


def test_the_silhouette_is_that_of_its_definition():
    rng = np.random.default_rng(3)
    points, labels = rng.standard_normal((14, 2)), np.array([0] * 6 + [1] * 7 + [2])
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    values = []
    for i in range(14):
        own = [distances[i, j] for j in range(14) if labels[j] == labels[i] and j != i]
        if not own:
            values.append(0.0)
            continue
        a = np.mean(own)
        b = min(np.mean(distances[i, labels == c]) for c in range(3) if c != labels[i])
        values.append((b - a) / max(a, b))
    assert mean_silhouette(distances, labels) == pytest.approx(np.mean(values))


def test_alike_profiles_are_one_cluster():
    found = cluster_profiles(np.tile(np.array([[0.5, 0.5]], np.float32), (6, 1)))
    assert found.cluster.tolist() == [0] * 6
    assert np.isnan(found.silhouette)
