import numpy as np
import pytest
import torch

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.maths.learning.gradient_sites import (
    SITES,
    gradient_energy,
    neuron_flow,
    site_cosines,
)
from tdw.families.modulo_addition_1layer.maths.learning.loss import training_loss
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.objective import make_objective

CONFIG = Config(p=7, seed=1, train_fraction=0.5)
P = CONFIG.p


def weights_and_gradients(scale=None):
    weights = network.init_weights(CONFIG)
    if scale is not None:
        weights["blocks.0.mlp.W_in"] *= scale
        weights["blocks.0.mlp.W_out"] /= scale[:, None]
    make_objective(CONFIG, form="plain").loss_and_gradients(weights)
    trained = {name: weights[name] for name in CONFIG.trained}
    return (
        {name: w.detach().numpy() for name, w in weights.items()},
        {name: w.grad.numpy() for name, w in trained.items()},
    )


def waves(k):
    x = 2 * np.pi * k * np.arange(P) / P
    return [w / np.linalg.norm(w) for w in (np.cos(x), np.sin(x))]


def test_energies_agree_with_inner_products_one_at_a_time():
    weights, gradients = weights_and_gradients()
    found = gradient_energy(weights, gradients)
    e = weights["embed.W_E"][:P].astype(float)
    for k in range(1, P // 2 + 1):
        for row, site in enumerate(SITES):
            if site == "W_E":
                matrices = [gradients["embed.W_E"][:P].astype(float)]
            elif site == "W_in":
                matrices = [e @ gradients["blocks.0.mlp.W_in"]]
            else:
                matrices = [e @ head for head in gradients[f"blocks.0.attn.W_{site}"]]
            energies = [
                sum((w @ m[:, j]) ** 2 for w in waves(k) for j in range(m.shape[1])) for m in matrices
            ]
            assert found[row, k - 1] == pytest.approx(np.mean(energies), rel=1e-5)


def test_the_spectrum_at_q_is_that_of_the_embedding_along_the_residual_of_the_token_that_asks():
    weights, gradients = weights_and_gradients()
    at_end = weights["embed.W_E"][P] + weights["pos_embed.W_pos"][2]
    seen = weights["embed.W_E"][:P].astype(float) @ at_end
    spectrum = np.array([sum((w @ seen) ** 2 for w in waves(k)) for k in range(1, P // 2 + 1)])
    energy = dict(zip(SITES, gradient_energy(weights, gradients), strict=True))
    np.testing.assert_allclose(energy["Q"] / energy["Q"].sum(), spectrum / spectrum.sum(), rtol=1e-5)
    assert np.abs(energy["K"] / energy["K"].sum() - spectrum / spectrum.sum()).max() > 0.01


def test_a_gradient_of_one_frequency_has_its_energy_there():
    weights, gradients = weights_and_gradients()
    cos, sin = waves(2)
    weights["embed.W_E"] = np.zeros((P + 1, 128))
    weights["embed.W_E"][:P, 0] = 3 * cos
    gradients = {name: np.zeros_like(g, dtype=float) for name, g in gradients.items()}
    gradients["embed.W_E"] = np.zeros((P + 1, 128))
    gradients["embed.W_E"][:P, 5] = 2 * sin
    gradients["blocks.0.mlp.W_in"][0, 7] = 1
    np.testing.assert_allclose(
        gradient_energy(weights, gradients), [[0, 4, 0], [0] * 3, [0] * 3, [0] * 3, [0, 9, 0]], atol=1e-12
    )


def test_cosines_are_one_for_the_same_spectrum_and_zero_for_disjoint_ones():
    energy = np.array([[1.0, 4, 0], [9.0, 36, 0], [0, 0, 5], [0, 0, 0]])
    found = site_cosines(energy)
    np.testing.assert_allclose(found, [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0] * 4], atol=1e-12)
    assert site_cosines(np.array([[1.0, 0], [1.0, 1.0]]))[0, 1] == pytest.approx(0.5**0.5)


def test_flow_is_the_length_of_each_neurons_gradient():
    weights, gradients = weights_and_gradients()
    found = neuron_flow(weights, gradients)
    for n in range(0, 512, 37):
        into = gradients["blocks.0.mlp.W_in"][:, n].astype(float)
        assert found.into[n] == pytest.approx(sum(into**2) ** 0.5)
        assert found.out_of[n] == pytest.approx(
            sum(gradients["blocks.0.mlp.W_out"][n].astype(float) ** 2) ** 0.5
        )


def test_rescaling_a_neuron_changes_its_gradients_but_not_the_invariant_flow():
    scale = torch.linspace(0.5, 4, 512)
    plain = neuron_flow(*weights_and_gradients())
    scaled = neuron_flow(*weights_and_gradients(scale))
    np.testing.assert_allclose(scaled.into, plain.into / scale.numpy(), rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(scaled.out_of, plain.out_of * scale.numpy(), rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(scaled.invariant, plain.invariant, rtol=1e-4, atol=1e-9)


def test_the_loss_of_the_weights_is_that_of_training_in_float64():
    weights = network.init_weights(CONFIG)
    found = training_loss(CONFIG, {name: w.numpy() for name, w in weights.items()})
    value = found.loss({name: w.double() for name, w in weights.items()})
    assert value.dtype == torch.float64
    plain = make_objective(CONFIG, form="plain").loss_and_gradients(weights, 0)
    assert value.item() == pytest.approx(plain, rel=1e-6)
    assert found.samples == 24


def test_the_loss_of_flat_weights_has_the_gradient_of_autograd_in_float64():
    weights = {name: w.numpy() for name, w in network.init_weights(CONFIG).items()}
    found = training_loss(CONFIG, weights)
    flat = found.flat
    moved = flat + 0.01 * np.random.default_rng(0).standard_normal(flat.size)
    for at in (flat, moved, flat):
        leaves = {
            name: torch.as_tensor(w).requires_grad_() if name in CONFIG.trained else torch.as_tensor(w)
            for name, w in {**weights, **found.split(at)}.items()
        }
        expected = found.loss(leaves)
        parts = torch.autograd.grad(expected, [leaves[name] for name in CONFIG.trained])
        exact = torch.cat([part.reshape(-1) for part in parts]).numpy()
        value, gradient = found.function(at)
        assert value == pytest.approx(expected.item(), rel=1e-6)
        np.testing.assert_allclose(gradient, exact, atol=1e-5 * np.abs(exact).max())
    before = network.init_weights(CONFIG)
    assert all((weights[name] == before[name].numpy()).all() for name in before)
