import math

import numpy as np
import pytest

from tdw.errors import BadConfig, TdwError
from tdw.recipes.common.landscape.learning_coefficient import Settings, estimate

N = 10_000


def sums_to(power, curvature=1.0):
    """sum_i curvature_i |w_i|^power, and its gradient."""

    def function(w):
        gradient = curvature * power * np.sign(w) * np.abs(w) ** (power - 1)
        return float((curvature * np.abs(w) ** power).sum()), gradient

    return function


def test_a_regular_minimum_has_half_its_dimension():
    settings = Settings(step_size=2e-5, localization=0.0, chains=4, burn_in=400, draws=2000, seed=1)
    found = estimate(sums_to(2), np.zeros(200), samples=N, settings=settings)
    # The step size alone makes it 1.1 % too large.
    assert found.mean == pytest.approx(100, rel=0.04)
    assert 0 < found.std < 6


def test_localization_and_the_step_size_bias_a_quadratic_as_the_formula_says():
    beta_h, gamma, step = 2 * N / math.log(N), 2000.0, 2e-4
    settings = Settings(step_size=step, localization=gamma, chains=4, burn_in=100, draws=1500, seed=2)
    found = estimate(sums_to(2), np.zeros(200), samples=N, settings=settings)
    precision = beta_h + gamma
    assert found.mean == pytest.approx(100 * beta_h / precision / (1 - step * precision / 4), rel=0.03)
    assert found.mean != pytest.approx(100, rel=0.2)


def test_two_dimensions_of_w_to_the_fourth_have_one_half():
    # 200 dimensions are 100 independent copies of the singular model a⁴ + b⁴, whose coefficient is 1/2.
    settings = Settings(step_size=1e-3, localization=0.0, chains=4, burn_in=500, draws=3000, seed=3)
    found = estimate(sums_to(4), np.zeros(200), samples=N, settings=settings)
    assert found.mean / 100 == pytest.approx(1 / 2, rel=0.05)


def product_squared(w):
    a, b = w[0::2], w[1::2]
    gradient = np.empty_like(w)
    gradient[0::2], gradient[1::2] = 2 * a * b**2, 2 * b * a**2
    return float(((a * b) ** 2).sum()), gradient


def integral_of_a_b_squared(samples, gamma):
    """n β E[(ab)²] under exp(-n β (ab)² - γ/2 (a² + b²)), by quadrature."""
    n_beta = samples / math.log(samples)
    # Integrated over b by hand, a Gaussian of precision 2 n β a² + γ: one integral over a is left.
    a = np.geomspace(1e-9, 10, 400_001)
    precision = 2 * n_beta * a**2 + gamma
    density = np.exp(-gamma / 2 * a**2) / np.sqrt(precision)
    return np.trapezoid(density * n_beta * a**2 / precision, a) / np.trapezoid(density, a)


def test_a_b_squared_agrees_with_its_integral():
    copies = 100
    settings = Settings(step_size=1e-3, localization=1.0, chains=4, burn_in=5000, draws=15_000, seed=4)
    found = estimate(product_squared, np.zeros(2 * copies), samples=100, settings=settings)
    assert found.mean / copies == pytest.approx(integral_of_a_b_squared(100, 1.0), rel=0.03)


def test_the_integral_of_a_b_squared_approaches_one_half_like_one_over_log_n():
    # λ = 1/2 with multiplicity 2: what is missing is 1 / log n up to a constant beside log n.
    missing = [1 / (0.5 - integral_of_a_b_squared(10**e, 1.0)) for e in (6, 9, 12)]
    assert np.diff(missing) == pytest.approx(3 * math.log(10), rel=0.1)


def test_the_chain_is_the_recursion_of_the_formula():
    settings = Settings(step_size=1e-3, localization=5.0, chains=2, burn_in=2, draws=3, seed=9)
    start = np.array([0.3, -0.2])
    found = estimate(sums_to(2), start, samples=50, settings=settings)
    n_beta = 50 / math.log(50)
    for chain in range(2):
        noise = np.random.default_rng((9, chain))
        w, losses = start.copy(), []
        for _ in range(5):
            xi = noise.standard_normal(2)
            w = [
                x - 1e-3 / 2 * (n_beta * 2 * x + 5.0 * (x - s)) + 1e-3**0.5 * e
                for x, s, e in zip(w, start, xi, strict=True)
            ]
            losses.append(sum(x * x for x in w))
        np.testing.assert_allclose(found.losses[chain], losses, rtol=1e-5)
        kept = sum(losses[2:]) / 3
        assert found.by_chain[chain] == pytest.approx(n_beta * (kept - 0.13), rel=1e-9)


def test_a_seed_repeats_the_estimate_and_another_one_does_not():
    runs = [
        estimate(
            sums_to(2), np.zeros(3), samples=9, settings=Settings(step_size=1e-2, localization=1.0, seed=s)
        ).by_chain
        for s in (5, 5, 6)
    ]
    assert runs[0].tobytes() == runs[1].tobytes()
    assert not np.isclose(runs[0], runs[2]).any()
    assert len(set(runs[0])) == 4


def test_a_diverging_chain_is_an_error_with_a_remedy():
    settings = Settings(step_size=1e3, localization=0.0, chains=2, burn_in=50, draws=50)
    with pytest.raises(TdwError, match="smaller step_size"), np.errstate(all="ignore"):
        estimate(sums_to(4), np.ones(2), samples=N, settings=settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"step_size": 0},
        {"localization": -1},
        {"chains": 1},
        {"chains": "two"},
        {"draws": 0},
        {"inverse_temperature": 0},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        Settings(**{"step_size": 1e-3, "localization": 1.0, **wrong})


def test_one_sample_is_refused():
    with pytest.raises(BadConfig, match="1 training samples"):
        estimate(sums_to(2), np.zeros(1), samples=1, settings=Settings(step_size=1e-3, localization=1.0))
