"""The fast form is the same function as the reference: losses, every gradient, every map."""

import numpy as np
import pytest
import torch

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network, objective, probe

FAMILY = get_family("modulo_addition_1layer")


def trained(config: Config, steps: int, form: str = "plain") -> dict[str, torch.Tensor]:
    weights = FAMILY.init_weights(config)
    goal = FAMILY.objective(config, form=form)
    optimizer = torch.optim.AdamW([weights[name] for name in Config.trained], lr=3e-3, weight_decay=1.0)
    for _ in range(steps):
        goal.loss_and_gradients(weights)
        optimizer.step()
    return weights


@pytest.mark.parametrize(("p", "fraction"), [(3, 0.3), (5, 0.5), (11, 0.3), (59, 0.4), (113, 0.3)])
@pytest.mark.parametrize("steps", [0, 8])
def test_losses_and_every_gradient_are_those_of_the_reference(p: int, fraction: float, steps: int) -> None:
    config = Config(p, 4, train_fraction=fraction)
    weights = trained(config, steps)
    reference, fast = (FAMILY.objective(config, form=form) for form in ("plain", "numba"))
    assert (reference.form, fast.form) == ("plain", "numba")
    loss = reference.loss_and_gradients(weights)
    expected = {name: weights[name].grad for name in Config.trained}
    assert fast.loss_and_gradients(weights) == pytest.approx(loss, rel=2e-7, abs=1e-8)
    for name, gradient in expected.items():
        got = weights[name].grad
        assert gradient is not None and got is not None
        assert got.shape == gradient.shape
        assert got.is_contiguous()
        # Rounding alone is 1e-6; a pre-activation so near 0 that rounding decides its ReLU makes 3e-4.
        assert ((got - gradient).norm() / gradient.norm()).item() < 1e-3, name
    test_loss, accuracy = reference.metrics(weights)
    got_loss, got_accuracy = fast.metrics(weights)
    assert got_loss == pytest.approx(test_loss, rel=2e-7, abs=1e-8)
    assert got_accuracy == pytest.approx(accuracy, abs=2 / (p * p))


def test_extreme_attention_and_logits_stay_finite_and_equal() -> None:
    config = Config(7, 1)
    weights = {name: tensor * 12 for name, tensor in FAMILY.init_weights(config).items()}
    reference, fast = (FAMILY.objective(config, form=form) for form in ("plain", "numba"))
    loss = reference.loss_and_gradients(weights)
    assert loss > 100
    assert fast.loss_and_gradients(weights) == pytest.approx(loss, rel=1e-5)
    assert all(torch.isfinite(weights[name].grad).all() for name in Config.trained)  # pyright: ignore


@pytest.mark.parametrize("form", ["plain", "numba"])
def test_a_diverged_model_is_not_hidden(form: str) -> None:
    config = Config(5, 1)
    weights = FAMILY.init_weights(config)
    weights["embed.W_E"][0, 0] = float("nan")
    assert np.isnan(FAMILY.objective(config, form=form).loss_and_gradients(weights))


@pytest.mark.parametrize(("p", "steps"), [(3, 0), (11, 20), (59, 5)])
def test_the_probe_pass_is_that_of_the_reference(p: int, steps: int) -> None:
    config = Config(p, 2)
    weights = trained(config, steps)
    fast, plain = FAMILY.probe_pass(config, weights), probe.plain_probe_pass(config, weights, device="cpu")
    for name in ("mlp_post", "attention", "logits"):
        got, expected = getattr(fast, name), getattr(plain, name)
        assert got.dtype == np.float32
        assert got.flags.c_contiguous
        assert got.shape == expected.shape, name
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max(), err_msg=name)
    assert fast.logits is fast.logits


def test_gradients_are_the_slopes_of_the_loss() -> None:
    config = Config(5, 9)
    weights = trained(config, 10)
    goal = FAMILY.objective(config, form="numba")
    generator = torch.Generator().manual_seed(0)
    goal.loss_and_gradients(weights)
    for name in Config.trained:
        gradient = weights[name].grad
        assert gradient is not None
        direction = torch.randn(gradient.shape, generator=generator)
        expected = (gradient.double() * direction.double()).sum().item()
        losses = []
        for sign in (-1, 1):
            moved = {key: tensor.double() for key, tensor in weights.items()}
            moved[name] = moved[name] + sign * 1e-6 * direction.double()
            index = torch.as_tensor(np.sort(objective.split(config)[0]))
            logits = network.logits(moved, index // 5, index % 5)
            losses.append(network.cross_entropy(logits, (index // 5 + index % 5) % 5).item())
        assert (losses[1] - losses[0]) / 2e-6 == pytest.approx(expected, rel=1e-3, abs=1e-6), name


def test_two_runs_give_the_same_bits() -> None:
    config = Config(13, 5)
    first, second = trained(config, 25, form="numba"), trained(config, 25, form="numba")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_numba_form_is_refused_on_a_gpu() -> None:
    with pytest.raises(BadConfig, match="plain form"):
        FAMILY.objective(Config(5, 0), device="cuda", form="numba")
