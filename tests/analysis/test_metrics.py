import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdw.families.modulo_addition_1layer.maths.coarseness import scale_metrics as metrics
from tdw.families.zp_fourier import spectra

P = 113
DISC = 613  # pixels within 14 of the center


def wave(k, *, p=P, along="a"):
    x = 2 * np.pi * k * np.arange(p) / p
    a, b = x[:, None], x[None, :]
    return np.cos({"a": a + 0 * b, "b": b + 0 * a, "sum": a + b}[along])


def measure(*images, radius_fraction=0.125, bottleneck=14, low_frequencies=3):
    maps = np.stack(images).astype(np.float32)
    found = spectra(maps)
    return {
        "fft_ratio": metrics.fft_ratio(found, radius_fraction=radius_fraction),
        "fft_ratio_no_dc": metrics.fft_ratio_no_dc(found, radius_fraction=radius_fraction),
        "variance_preserved": metrics.variance_preserved(maps, found, bottleneck=bottleneck),
        "gradient": metrics.gradient(maps),
        "modular_low_freq": metrics.modular_low_freq(found, low_frequencies=low_frequencies),
    }


@settings(max_examples=40)
@given(
    st.sampled_from([7, 11, 17, 31, 59]),
    st.integers(0, 2**31),
    st.floats(-10, 10),
    st.sampled_from([1e-2, 1.0, 100.0]),
    st.booleans(),
)
def test_every_metric_agrees_with_its_plain_definition(plain, p, seed, offset, scale, relu):
    rng = np.random.default_rng(seed)
    smooth = wave(1, p=p, along="sum") + wave(2, p=p) * rng.standard_normal()
    image = (scale * (smooth + rng.standard_normal((p, p))) + offset).astype(np.float32)
    image = np.maximum(image, 0) if relu else image
    found = measure(image)
    expected = {
        "fft_ratio": plain.fft_ratio(image),
        "fft_ratio_no_dc": plain.fft_ratio(image, no_dc=True),
        "variance_preserved": plain.variance_preserved(image),
        "gradient": plain.gradient(image),
        "modular_low_freq": plain.fractions(image)[:3].sum(),
    }
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-5, abs=1e-9), name


def test_every_metric_agrees_with_its_plain_definition_at_full_size(plain):
    rng = np.random.default_rng(1)
    noise = 0.5 * rng.standard_normal((4, P, P))
    images = [
        np.maximum(wave(k, along="sum") + n, 0).astype(np.float32)
        for k, n in zip((3, 9, 10, 40), noise, strict=True)
    ]
    found = measure(*images)
    for i, image in enumerate(images):
        assert found["fft_ratio"][i] == pytest.approx(plain.fft_ratio(image), rel=1e-5)
        assert found["fft_ratio_no_dc"][i] == pytest.approx(plain.fft_ratio(image, no_dc=True), rel=1e-5)
        assert found["variance_preserved"][i] == pytest.approx(plain.variance_preserved(image), rel=1e-5)
        assert found["gradient"][i] == pytest.approx(plain.gradient(image), rel=1e-5)


@pytest.mark.parametrize(("k", "coarse"), [(1, 1), (14, 1), (15, 0), (56, 0)])
def test_a_pure_cosine_is_coarse_up_to_the_radius(k, coarse):
    found = measure(wave(k), wave(k, along="b"), 5 + wave(k))
    np.testing.assert_allclose(found["fft_ratio_no_dc"], coarse, atol=1e-6)
    np.testing.assert_allclose(found["fft_ratio"], [coarse, coarse, (25 + coarse / 2) / 25.5], atol=1e-6)
    np.testing.assert_allclose(found["modular_low_freq"], k <= 3, atol=1e-6)


@pytest.mark.parametrize(("k", "coarse"), [(9, 1), (10, 0)])
def test_a_cosine_of_the_sum_lies_on_the_diagonal(k, coarse):
    # (9, 9) is 12.7 from the center, (10, 10) 14.1.
    np.testing.assert_allclose(measure(wave(k, along="sum"))["fft_ratio_no_dc"], coarse, atol=1e-6)


def test_the_gradient_of_a_pure_cosine_is_known():
    w = 2 * np.pi * 5 / P
    steps = np.abs(2 * np.sin(w / 2) * np.sin(w * (np.arange(P - 1) + 0.5)))
    assert measure(wave(5))["gradient"][0] == pytest.approx(steps.mean() / 2, rel=1e-5)


def test_a_constant_map_is_zero_in_every_metric_but_the_one_that_counts_the_constant():
    found = measure(np.zeros((P, P)), np.full((P, P), 0.1))
    assert found.pop("fft_ratio").tolist() == [0, 1]
    for name, values in found.items():
        assert values.tolist() == [0, 0], name


def test_a_checkerboard_has_the_spectrum_of_secants():
    image = (-1.0) ** np.add.outer(np.arange(P), np.arange(P))
    k = np.arange(P) - P // 2
    power = np.outer(np.cos(np.pi * k / P) ** -2, np.cos(np.pi * k / P) ** -2)
    low = np.add.outer(k**2, k**2) <= 14**2
    found = measure(image)
    assert found["fft_ratio"][0] == pytest.approx(power[low].sum() / P**4, rel=1e-5)
    assert found["fft_ratio_no_dc"][0] == pytest.approx((power[low].sum() - 1) / (P**4 - 1), rel=1e-5)
    assert found["gradient"][0] == pytest.approx(2)


def test_one_hot_pixel_has_a_flat_spectrum():
    image = np.zeros((P, P))
    image[40, 70] = 3
    found = measure(image)
    assert found["fft_ratio"][0] == pytest.approx(DISC / P**2, rel=1e-5)
    assert found["fft_ratio_no_dc"][0] == pytest.approx((DISC - 1) / (P**2 - 1), rel=1e-5)
    assert found["modular_low_freq"][0] == pytest.approx(3 * 8 / (P**2 - 1), rel=1e-5)
    assert found["gradient"][0] == pytest.approx(3 * 2 / (P * (P - 1)), rel=1e-5)


def test_a_rectified_cosine_spills_its_even_harmonics_over_the_edge_of_the_disc():
    # ReLU(cos x) = 1/pi + cos(x)/2 + (2/pi) sum (-1)^(n+1) cos(2n x) / (4n² - 1); aliasing is small here.
    amplitude = np.array([1 / 2, *(2 / np.pi / (4 * n**2 - 1) for n in range(1, 200))])
    variance = (amplitude**2).sum()
    found = measure(np.maximum(wave(5), 0), np.maximum(wave(8), 0))["fft_ratio_no_dc"]
    assert found[0] == pytest.approx((amplitude[:2] ** 2).sum() / variance, abs=1e-3)  # 5 and 10
    assert found[1] == pytest.approx(amplitude[0] ** 2 / variance, abs=1e-3)  # 8 alone


@pytest.mark.parametrize(
    ("p", "size"), [(113, 28), (113, 56), (113, 14), (59, 28), (7, 28), (28, 28), (5, 1)]
)
def test_resizing_is_that_of_torch(plain, p, size):
    maps = np.random.default_rng(0).standard_normal((20, p, p)).astype(np.float32)
    for image, small in zip(maps, metrics.resize(maps, size), strict=True):
        np.testing.assert_allclose(small, plain.interpolate(image, size)[0, 0], rtol=1e-5, atol=1e-5)


def test_a_map_that_the_bottleneck_can_hold_keeps_most_of_its_variance_and_a_fine_one_little():
    found = measure(wave(1, along="sum"), wave(40, along="sum"))["variance_preserved"]
    assert found[0] > 0.9
    assert found[1] < 0.5


@given(st.sampled_from([7, 31]), st.integers(0, 2**31))
def test_shares_stay_between_0_and_1(p, seed):
    image = np.random.default_rng(seed).standard_normal((p, p))
    found = measure(image, radius_fraction=0.5)
    for name in ("fft_ratio", "fft_ratio_no_dc", "modular_low_freq"):
        assert 0 <= found[name][0] <= 1
