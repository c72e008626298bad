import numpy as np
import pytest
import torch

from tdw.errors import BadConfig, TdwError
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network
from tdw.recipes.common.landscape.curvature import flatness, hessian_vector_product, largest_eigenvalues

CONFIG = Config(p=5, seed=0)


def quadratic(matrix):
    wide = torch.as_tensor(matrix)

    def loss(weights):
        x = torch.cat([weights["a"].reshape(-1), weights["b"].reshape(-1)])
        return 0.5 * x @ wide @ x + 2 * x.sum()

    return loss


def symmetric(n=12, seed=0):
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = np.arange(n) - 4.0
    return q @ np.diag(values) @ q.T, values[::-1]


WEIGHTS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(6)}


def test_eigenvalues_of_a_quadratic_are_those_of_its_matrix():
    matrix, values = symmetric()
    product = hessian_vector_product(quadratic(matrix), WEIGHTS, names=("a", "b"))
    found = largest_eigenvalues(product, 12, count=3, seed=1)
    np.testing.assert_allclose(found.values, values[:3], rtol=1e-4)
    assert (found.residuals < 1e-2).all()
    assert found.products >= 3


def test_only_the_named_weights_vary():
    matrix, _ = symmetric()
    product = hessian_vector_product(quadratic(matrix), WEIGHTS, names=("b",))
    vector = np.arange(6.0)
    np.testing.assert_allclose(product(vector), matrix[6:, 6:] @ vector, rtol=1e-12)


def network_loss(weights):
    pairs = torch.arange(CONFIG.p**2)
    a, b = pairs // CONFIG.p, pairs % CONFIG.p
    return network.cross_entropy(network.logits(weights, a, b), (a + b) % CONFIG.p)


def small_network(seed=0):
    """Weights of a network small enough for a full Hessian: widths 4, one head, 6 neurons."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "embed.W_E": (6, 4), "pos_embed.W_pos": (3, 4), "blocks.0.attn.W_Q": (1, 4, 4),
        "blocks.0.attn.W_O": (1, 4, 4), "blocks.0.attn.W_K": (1, 4, 4), "blocks.0.attn.W_V": (1, 4, 4),
        "blocks.0.mlp.W_in": (4, 6), "blocks.0.mlp.W_out": (6, 4), "unembed.W_U": (4, 5),
    }  # fmt: skip
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def test_products_on_the_network_are_differences_of_gradients():
    weights, step = small_network(), 1e-6
    names = tuple(weights)
    product = hessian_vector_product(network_loss, weights, names=names)
    sizes = [w.numel() for w in weights.values()]
    vector = np.random.default_rng(2).standard_normal(sum(sizes))

    def gradient(sign):
        moved = {
            name: (weights[name].double() + sign * step * part.view_as(weights[name])).requires_grad_()
            for name, part in zip(names, torch.as_tensor(vector).split(sizes), strict=True)
        }
        parts = torch.autograd.grad(network_loss(moved), list(moved.values()))
        return torch.cat([part.reshape(-1) for part in parts]).numpy()

    plain = (gradient(1) - gradient(-1)) / (2 * step)
    np.testing.assert_allclose(product(vector), plain, atol=1e-6 * np.abs(plain).max())


def test_eigenvalues_on_the_network_are_those_of_the_full_hessian():
    weights = small_network()
    names = tuple(weights)
    size = sum(w.numel() for w in weights.values())
    product = hessian_vector_product(network_loss, weights, names=names)
    full = np.stack([product(row) for row in np.eye(size)])
    np.testing.assert_allclose(full, full.T, atol=1e-10)
    found = largest_eigenvalues(product, size, count=4, seed=0, tolerance=1e-8)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(full)[::-1][:4], rtol=1e-6)


def test_eigenvalues_on_the_network_are_those_of_torchs_own_hessian():
    weights = {name: w.double() for name, w in small_network(seed=3).items()}
    names, sizes = tuple(weights), [w.numel() for w in weights.values()]

    def of_flat(flat):
        parts = zip(names, flat.split(sizes), strict=True)
        return network_loss({name: part.view_as(weights[name]) for name, part in parts})

    flat = torch.cat([w.reshape(-1) for w in weights.values()])
    dense = torch.autograd.functional.hessian(of_flat, flat).numpy()
    product = hessian_vector_product(network_loss, weights, names=names)
    found = largest_eigenvalues(product, sum(sizes), count=3, seed=0)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(dense)[::-1][:3], rtol=1e-3)


def test_the_seed_decides_the_bits_and_not_the_values():
    matrix, _ = symmetric()
    product = hessian_vector_product(quadratic(matrix), WEIGHTS, names=("a", "b"))
    first, again, other = (largest_eigenvalues(product, 12, count=2, seed=s).values for s in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    np.testing.assert_allclose(first, other, rtol=1e-3)


def test_more_eigenvalues_than_there_are_and_no_convergence_are_errors():
    matrix, _ = symmetric()
    with pytest.raises(BadConfig, match="1 to 11"):
        largest_eigenvalues(lambda v: matrix @ v, 12, count=12, seed=0)
    near = np.linspace(1, 1.0001, 400)
    with pytest.raises(TdwError, match="converged"):
        largest_eigenvalues(lambda v: near * v, 400, count=5, seed=0, tolerance=1e-12, max_restarts=1)


def test_around_the_minimum_of_an_isotropic_bowl_every_direction_rises_by_half_the_squared_radius():
    loss = quadratic(np.eye(12))
    at_minimum = {"a": torch.full((2, 3), -2.0), "b": torch.full((6,), -2.0)}
    found = flatness(loss, at_minimum, names=("a", "b"), seed=0, directions=7, radius=0.3)
    np.testing.assert_allclose(found.increases, 0.3**2 / 2, rtol=1e-9)


def test_the_second_difference_of_a_bowl_is_its_curvature_on_a_slope_too():
    on_a_slope = {"a": torch.full((2, 3), 5.0), "b": torch.full((6,), -7.0)}
    found = flatness(quadratic(4 * np.eye(12)), on_a_slope, names=("a", "b"), seed=0, directions=9)
    np.testing.assert_allclose(found.curvatures, 4, rtol=1e-6)
    assert found.increases.std() > 0.1, "the slope decides the increase"


def test_the_mean_increase_is_that_of_the_trace():
    matrix, values = symmetric()
    at_minimum = -2 * np.linalg.solve(matrix + 9 * np.eye(12), np.ones(12))
    weights = {"a": torch.as_tensor(at_minimum[:6]).view(2, 3), "b": torch.as_tensor(at_minimum[6:])}
    found = flatness(
        quadratic(matrix + 9 * np.eye(12)), weights, names=("a", "b"), seed=0, directions=4000, radius=0.1
    )
    assert found.increases.mean() == pytest.approx(0.1**2 / 2 * (values + 9).mean(), rel=0.02)


def test_a_seed_repeats_the_directions_and_another_one_does_not():
    weights = small_network()
    runs = [
        flatness(network_loss, weights, names=tuple(weights), seed=s, directions=5).increases
        for s in (3, 3, 4)
    ]
    assert runs[0].tobytes() == runs[1].tobytes()
    assert not np.isclose(runs[0], runs[2]).any()


def test_the_share_of_flat_directions_is_counted_against_the_loss():
    found = flatness(
        lambda w: 1 + w["a"].double().sum() * 2, {"a": torch.zeros(2)}, names=("a",), seed=0, directions=200
    )
    assert found.flat_share == np.mean([d < 0.1 for d in found.increases])
    assert 0.5 < found.flat_share < 1
