import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model.network import init_weights
from tdw.recipes.common.effective_rank import (
    covariance_participation_ratio,
    crossover_epoch,
    effective_dimensions,
    participation_ratio,
    singular_values,
)


def naive_ratio(matrix):
    """From the eigenvalues of MᵀM, summed one by one."""
    values = [max(v, 0) ** 0.5 for v in np.linalg.eigvalsh(matrix.T @ matrix)]
    return sum(values) ** 2 / sum(v * v for v in values)


def test_published_ratios_at_initialization_are_reproduced():
    # The published value of W_E counts all p + 1 tokens: without "=" it is 85.54.
    weights = {name: w.numpy() for name, w in init_weights(Config.parse("p113_s999_d598")).items()}
    found = effective_dimensions(weights)
    assert found["embed.W_E"] == pytest.approx(86.04, rel=5e-4)
    assert found["blocks.0.mlp.W_in"] == pytest.approx(119.73, rel=5e-4)
    assert found["blocks.0.mlp.W_out"] == pytest.approx(119.91, rel=5e-4)
    assert found["blocks.0.attn.W_O"].mean() == pytest.approx(29.85, rel=5e-4)


def test_an_orthogonal_matrix_uses_every_direction_and_an_outer_product_one():
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((7, 7)))[0]
    found = effective_dimensions({"q": 3 * q, "one": np.outer(np.arange(1.0, 5), np.arange(1.0, 7))})
    assert found["q"] == pytest.approx(7)
    assert found["one"] == pytest.approx(1)


def test_ratios_agree_with_the_eigenvalues_of_the_gram_matrix_per_head():
    stack = np.random.default_rng(1).standard_normal((3, 6, 4))
    found = effective_dimensions({"attn.W_Q": stack.astype(np.float32)})["attn.W_Q"]
    np.testing.assert_allclose(found, [naive_ratio(m) for m in stack], rtol=1e-6)


def test_the_two_conventions_are_the_same_formula_of_different_values():
    values = np.array([3.0, 1.0])
    assert participation_ratio(values) == pytest.approx(16 / 10)
    assert covariance_participation_ratio(values**2) == pytest.approx(100 / 82)


def test_a_zero_matrix_has_no_dimension_and_biases_are_left_out():
    found = singular_values({"b": np.zeros(3), "attn.b_Q": np.zeros((2, 3)), "w": np.zeros((2, 3))})
    assert list(found) == ["w"]
    assert participation_ratio(found["w"]) == 0


def test_the_crossover_counts_only_after_the_first_was_above():
    epochs = np.array([0, 10, 20, 30, 40])
    first, second = np.array([1, 5, 4, 2, 6.0]), np.array([2, 3, 3, 2, 1.0])
    assert crossover_epoch(epochs, first, second) == 30
    assert crossover_epoch(epochs[:3], first[:3], second[:3]) is None
    assert crossover_epoch(epochs, second - 9, second) is None
    with pytest.raises(BadConfig, match="5 epochs"):
        crossover_epoch(epochs, first[:2], second)
