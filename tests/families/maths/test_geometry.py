import numpy as np
import pytest
import torch

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.maths.geometry import Geometry, fit_circle, geometry, stacked
from tdw.families.modulo_addition_1layer.maths.sites import SITES, site_activations
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.probe import probe_pass

P, D = 11, 6


def class_rows(p=P):
    answers = np.array([(a + b) % p for a in range(p) for b in range(p)])
    return np.argsort(answers, kind="stable").reshape(p, p)


def on_a_circle(k, *, radius=2.0, noise=0.0, p=P, seed=0, ellipse=1.0):
    """Class r at the angle 2 π k r / p in some plane of D dimensions, with Gaussian noise around it."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((D, D)))[0][:, :2]
    angle = 2 * np.pi * k * np.arange(p) / p
    means = radius * np.stack([np.cos(angle), ellipse * np.sin(angle)], axis=1) @ axes.T + 5
    points = np.empty((p * p, D))
    points[class_rows(p).reshape(-1)] = np.repeat(means, p, axis=0)
    return points + noise * rng.standard_normal(points.shape)


def test_every_number_agrees_with_its_definition_written_in_loops():
    x = np.random.default_rng(4).standard_normal((P * P, D)) + on_a_circle(2)
    rows = class_rows()
    found = geometry(x, rows)
    classes = [[x[i] for i in rows[r]] for r in range(P)]
    mu = [sum(c) / P for c in classes]
    sigma2 = [sum(((v - m) ** 2).sum() for v in c) / P for c, m in zip(classes, mu, strict=True)]
    center = sum(mu) / P
    radius2, spread2 = np.mean(sigma2), np.mean([((m - center) ** 2).sum() for m in mu])
    assert found.radius == pytest.approx(np.sqrt(radius2))
    assert found.spread == pytest.approx(np.sqrt(spread2))
    assert found.snr == pytest.approx(spread2 / radius2)
    j = {
        (r, s): ((mu[r] - mu[s]) ** 2).sum() / (sigma2[r] + sigma2[s])
        for r in range(P)
        for s in range(r + 1, P)
    }
    assert found.fisher_mean == pytest.approx(np.mean(list(j.values())))
    assert found.fisher_min == pytest.approx(min(j.values()))
    assert tuple(found.fisher_worst) == min(j, key=j.get)
    for r in range(P):
        eigenvalues = np.linalg.eigvalsh(np.cov(np.array(classes[r]).T, bias=True))
        expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
        assert found.class_dimensions[r] == pytest.approx(expected)
    centered = np.array(mu) - center
    _, s, vt = np.linalg.svd(centered)
    plane = centered @ vt[:2].T
    c, ring = fit_circle(plane)
    residual = np.mean([(np.linalg.norm(y - c) - ring) ** 2 for y in plane])
    variance = np.mean([(y**2).sum() for y in plane])
    circularity = (1 - residual / variance) * (s[:2] ** 2).sum() / (s**2).sum() * s[1] ** 2 / s[0] ** 2
    assert found.circularity == pytest.approx(np.clip(circularity, 0, 1))
    phi = [np.arctan2(y[1] - c[1], y[0] - c[0]) for y in plane]
    strength = [
        abs(np.mean([np.exp(1j * (phi[r] - 2 * np.pi * k * r / P)) for r in range(P)])) ** 2
        for k in range(1, P)
    ]
    assert found.alignment == pytest.approx(max(strength))
    k = int(np.argmax(strength)) + 1
    assert found.alignment_frequency == min(k, P - k)


def test_single_precision_gives_the_same_numbers_though_classes_lie_far_from_the_origin():
    x = (on_a_circle(2, noise=0.05) + 30).astype(np.float32)
    single, double = (geometry(x.astype(kind), class_rows()) for kind in (np.float32, np.float64))
    for name in ("radius", "snr", "fisher_mean", "circularity", "class_dimensions"):
        np.testing.assert_allclose(getattr(single, name), getattr(double, name), rtol=2e-5, err_msg=name)


@pytest.mark.parametrize("k", [1, 3, 5, 8])
def test_a_perfect_circle_is_round_and_aligned_with_its_frequency(k):
    found = geometry(on_a_circle(k), class_rows())
    assert found.circularity == pytest.approx(1)
    assert found.alignment == pytest.approx(1)
    folded = min(k, P - k)
    assert found.alignment_frequency == folded
    assert found.circle_radius == pytest.approx(2)
    np.testing.assert_allclose(found.frequency_shares, np.arange(1, 6) == folded, atol=1e-12)
    assert found.roundness[folded - 1] == pytest.approx(1)
    assert found.spread == pytest.approx(2)


def test_an_ellipse_is_as_round_as_its_axes_say():
    found = geometry(on_a_circle(2, ellipse=0.5), class_rows())
    assert found.roundness[1] == pytest.approx(2 * 0.5 / (1 + 0.25))
    assert found.circularity < 0.25


def test_two_frequencies_share_the_variance_whatever_plane_comes_first():
    x = on_a_circle(2, seed=1) + on_a_circle(5, radius=1.0, seed=1)[:, ::-1]
    shares = geometry(x, class_rows()).frequency_shares
    np.testing.assert_allclose(shares, [0, 0.8, 0, 0, 0.2], atol=1e-12)


def test_signal_to_noise_follows_the_noise():
    x = on_a_circle(1, noise=0.1, p=59)
    found = geometry(x, class_rows(59))
    assert found.radius == pytest.approx(0.1 * np.sqrt(D), rel=0.03)
    assert found.snr == pytest.approx(4 / (0.01 * D), rel=0.05)
    # Moments of a Wishart matrix with n = 58 degrees of freedom: (n d + 2) / (n + d + 1), below d = 6.
    assert found.class_dimensions.mean() == pytest.approx((58 * D + 2) / (58 + D + 1), rel=0.02)


def test_a_circle_is_found_from_an_arc_of_it():
    angle = np.linspace(0.2, 1.4, 20)
    center, radius = fit_circle(np.stack([3 + 2 * np.cos(angle), -1 + 2 * np.sin(angle)], axis=1))
    np.testing.assert_allclose(center, [3, -1], atol=1e-9)
    assert radius == pytest.approx(2)


def test_a_site_that_never_varies_has_no_ratio():
    found = geometry(np.full((P * P, D), 0.1, np.float32), class_rows())
    assert found.radius == found.spread == 0
    for name in ("snr", "fisher_mean", "fisher_min", "circularity", "alignment"):
        assert np.isnan(getattr(found, name)), name
    assert np.isnan(found.class_dimensions).all()


def test_sites_agree_with_the_reference_network_and_stack_into_arrays():
    config = Config(p=P, seed=2)
    weights = network.init_weights(config)
    probe = probe_pass(config, weights)
    found = site_activations({n: w.numpy() for n, w in weights.items()}, probe.attention, probe.mlp_post)
    pairs = torch.arange(P * P)
    plain = network.activations(weights, pairs // P, pairs % P)
    assert tuple(found) == SITES
    for name, values in found.items():
        np.testing.assert_allclose(values, plain[f"blocks.0.hook_{name}"].numpy(), atol=2e-6, err_msg=name)
    arrays = stacked([geometry(values, class_rows()) for values in found.values()])
    assert arrays["plane"].shape == (4, P, 2)
    assert arrays["plane"].dtype == np.float32
    assert arrays["class_dimensions"].shape == (4, P)
    assert arrays["snr"].shape == (4,)
    assert set(arrays) == set(Geometry.__dataclass_fields__)
