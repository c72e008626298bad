"""F3: Gromov's network, its solution in closed form, and the published losses."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tdw.compute import one_thread
from tdw.errors import BadConfig
from tdw.families.quadratic_mlp import Config, data, model
from tdw.families.quadratic_mlp.analyzers import Context
from tdw.families.quadratic_mlp.neurons import neuron_fourier, participation
from tdw.families.quadratic_mlp.solution import solution
from tdw.recipes.common.landscape.analyzers import Curvature, curvature


def train(config: Config, steps: int) -> tuple[float, dict[str, float], dict[str, torch.Tensor]]:
    """Train loss, metrics and weights after so many steps."""
    weights = model.init_weights(config)
    optimizer = model.make_optimizer(config, weights)
    with one_thread():
        for step in range(steps):
            model.loss_and_gradients(config, weights, step)
            optimizer.step()
        return model.loss_and_gradients(config, weights, steps), model.evaluate(config, weights), weights


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_published_losses_are_reproduced_within_three_percent_in_the_mean_of_five_seeds() -> None:
    # d-doshi/Grokking: train 8.12e-4, test 1.011e-3, both accuracies 1, after 100 steps at p = 97. One seed
    # differs from the next by 2.2 % (standard deviation of ten), so three of them bound each single seed.
    outcomes = [train(Config(seed, data_seed=seed), 100) for seed in range(5)]
    losses = np.array([[train_loss, metrics["test_loss"]] for train_loss, metrics, _ in outcomes])
    published = np.array([8.12e-4, 1.011e-3])
    assert losses.mean(axis=0) == pytest.approx(published, rel=0.03)
    assert np.abs(losses / published - 1).max() < 0.066
    for _, metrics, weights in outcomes:
        assert metrics["train_accuracy"] == metrics["test_accuracy"] == 1.0
        # Most neurons hold one frequency now, with the phases of the known solution.
        found = neuron_fourier(weights)
        assert np.median(found.ipr) > 0.5
        assert np.nanmedian(np.abs(found.mismatch)) < 0.2


@pytest.mark.parametrize(("p", "width"), [(97, 500), (11, 40), (13, 57), (3, 8)])
def test_the_known_solution_answers_every_pair_with_the_centered_onehot(p: int, width: int) -> None:
    config = Config(0, p=p, width=width)
    weights = solution(p, width)
    probed = model.probe_pass(config, weights)
    right = torch.as_tensor(data.answers(config, np.arange(p * p)))
    expected = torch.nn.functional.one_hot(right, p) - 1 / p
    torch.testing.assert_close(probed.outputs, expected.float(), atol=2e-5, rtol=0)
    assert model.evaluate(config, weights)["test_accuracy"] == 1.0
    assert probed.hidden.shape == (p * p, width)


def test_the_analyzers_find_frequency_and_phases_of_the_known_solution() -> None:
    found = neuron_fourier(solution(97, 500))
    used, left_over = slice(0, 480), slice(480, 500)
    np.testing.assert_allclose(found.ipr[used], 1.0, rtol=1e-6)
    assert (found.ipr[left_over] == 0).all()
    assert (found.frequency[used] == np.repeat(np.arange(1, 49), 10)[:, None]).all()
    u = 2 * np.pi * (np.arange(480) % 10) / 10
    for column, factor in enumerate((1, 2, 3)):
        np.testing.assert_allclose(np.exp(1j * found.phase[used, column]), np.exp(1j * factor * u), atol=1e-5)
    np.testing.assert_allclose(found.mismatch[used], 0, atol=1e-5)


def test_the_known_solution_of_a_difference_has_the_relation_with_a_minus() -> None:
    config, weights = Config(0, p=11, width=40, operation="subtract"), solution(11, 40)
    weights["W_b"] = weights["W_b"][(-torch.arange(11)) % 11]
    assert model.evaluate(config, weights)["test_accuracy"] == 1.0
    np.testing.assert_allclose(neuron_fourier(weights, (1, -1)).mismatch, 0, atol=1e-5)
    assert np.abs(neuron_fourier(weights).mismatch).max() > 0.5


def test_the_script_of_both_families_finds_a_squared_wave_in_the_known_solution() -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    path = Path(__file__).parents[2] / "studies" / "gromov" / "neurons_side_by_side.py"
    spec = spec_from_file_location("neurons_side_by_side", path)
    assert spec is not None and spec.loader is not None
    script = module_from_spec(spec)
    sys.modules[spec.name] = script  # where its dataclass looks
    spec.loader.exec_module(script)
    hidden = model.probe_pass(Config(0, p=11, width=44), solution(11, 44)).hidden.numpy()
    found = script.neurons("known", 0, np.ascontiguousarray(hidden.T.reshape(-1, 11, 11)))
    assert sorted(set(found.frequency)) == [1, 2, 3, 4, 5] and len(found.frequency) == 40
    np.testing.assert_allclose(found.together, 0.8, atol=1e-5)
    np.testing.assert_allclose(found.alone, 0, atol=1e-5)
    np.testing.assert_allclose(found.at_double, 0.2, atol=1e-5)


def test_neurons_that_mix_frequencies_have_no_phase_relation() -> None:
    weights = solution(11, 40)
    weights["W_out"] = weights["W_out"].roll(8, dims=0)  # the output of another frequency
    assert np.isnan(neuron_fourier(weights).mismatch).all()


def test_the_participation_ratio_counts_the_frequencies_that_take_part() -> None:
    power = np.array([[0, 3.0, 0, 0], [1, 1, 1, 1], [0, 2, 2, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(participation(power), [1, 1 / 4, 1 / 2, 0])


def test_the_network_is_the_onehot_network_with_a_square() -> None:
    config = Config(1, p=5, width=7)
    weights = model.init_weights(config)
    pairs = torch.as_tensor(data.probe_pairs(config))
    onehot = torch.cat([torch.nn.functional.one_hot(pairs[:, i], 5) for i in (0, 1)], dim=1).float()
    stacked = torch.cat([weights["W_a"], weights["W_b"]])
    expected = (onehot @ stacked) ** 2 @ weights["W_out"]
    torch.testing.assert_close(model.outputs(weights, pairs[:, 0], pairs[:, 1]), expected)


def test_gradients_are_the_slopes_of_the_loss() -> None:
    config = Config(1, p=5, width=7, init_std=0.5)
    weights = {name: weight.double() for name, weight in model.init_weights(config).items()}
    model.loss_and_gradients(config, weights)
    for name, weight in weights.items():
        slope = weight.grad[1, 2].item()
        values = []
        for shift in (1e-6, -1e-6):
            moved = {other: tensor.clone() for other, tensor in weights.items()}
            moved[name][1, 2] += shift
            values.append(model.loss_and_gradients(config, moved))
        assert slope == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-6, abs=1e-9)


def test_training_that_goes_on_from_a_saved_state_gives_the_same_bits() -> None:
    config = Config(3, p=11, width=20)
    straight = train(config, 6)[2]
    weights = train(config, 2)[2]
    first, again = model.make_optimizer(config, weights), model.init_weights(config)
    optimizer = model.make_optimizer(config, again)
    with one_thread():
        for step in range(2):
            model.loss_and_gradients(config, again, step)
            optimizer.step()
        saved = {name: array.copy() for name, array in optimizer.state_arrays().items()}
        first.load_state_arrays(saved, steps=2)
        for step in range(2, 6):
            model.loss_and_gradients(config, weights, step)
            first.step()
    assert all(torch.equal(weights[name], straight[name]) for name in straight)


def test_label_noise_makes_the_promised_share_of_training_labels_wrong() -> None:
    config = Config(0, label_noise=0.35)
    index, _ = data.split(config)
    labels, right = data.train_labels(config, index), data.answers(config, index)
    assert (labels != right).sum() == round(0.35 * len(index))
    assert ((labels >= 0) & (labels < config.p)).all()
    assert (data.train_labels(Config(0), index) == right).all()
    assert (data.train_labels(config, index) == labels).all()


def test_training_and_test_pairs_share_out_the_grid() -> None:
    train_pairs, test_pairs = data.split(Config(0, p=11, train_fraction=0.4))
    assert len(train_pairs) == int(0.4 * 121)
    assert sorted([*train_pairs, *test_pairs]) == list(range(121))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"p": 96}, "odd modulus"),
        ({"p": 1001}, "from 3 to 999"),
        ({"train_fraction": 1.0}, "on either side"),
        ({"label_noise": -0.1}, "label_noise of at least 0"),
        ({"init_std": 0}, "init_std is 0"),
        ({"beta2": 1.5}, "betas is 1.5"),
    ],
)
def test_a_variant_that_cannot_be_used_is_refused(fields: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        Config(**{"seed": 0, **fields})


def test_too_few_neurons_for_the_known_solution_are_refused() -> None:
    with pytest.raises(BadConfig, match="at least 384"):
        solution(97, 383)


def test_its_curvature_is_that_of_torchs_own_hessian() -> None:
    config = Config(0, p=5, width=3)
    arrays = {name: w.numpy() for name, w in model.init_weights(config).items()}
    found = curvature(Context(config, arrays, lambda: None), Curvature(eigenvalues=4, directions=2))  # type: ignore[arg-type]
    index = data.split(config)[0]
    a, b = torch.as_tensor(index // 5), torch.as_tensor(index % 5)
    right = torch.nn.functional.one_hot((a + b) % 5, 5).double()

    def loss(flat: torch.Tensor) -> torch.Tensor:
        into_a, into_b, out = (flat[15 * i : 15 * (i + 1)] for i in range(3))
        hidden = (into_a.view(5, 3)[a] + into_b.view(5, 3)[b]) ** 2
        return ((hidden @ out.view(3, 5) - right) ** 2).mean()

    flat = torch.cat([torch.as_tensor(arrays[name]).double().reshape(-1) for name in config.trained])
    dense = torch.autograd.functional.hessian(loss, flat).numpy()
    np.testing.assert_allclose(found["eigenvalues"], np.linalg.eigvalsh(dense)[::-1][:4], rtol=1e-3)
    assert found["loss"] == pytest.approx(loss(flat).item(), rel=1e-6)
