"""Progress measures (A10): closed forms, and plain implementations of each definition on the full grid."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import progress_measures
from tdw.families.modulo_addition_1layer.analyzers.progress_measures import Parameters, compute, gini
from tdw.families.modulo_addition_1layer.context import CheckpointContext
from tdw.families.modulo_addition_1layer.maths.fourier import logit_fourier
from tdw.families.modulo_addition_1layer.model.data import probe_labels
from tdw.families.modulo_addition_1layer.model.probe_types import ProbeLabels

D_MLP, D_MODEL = 24, 12


def model(p, *, seed=0, scale=1.0, keys=(2, 3), memory=1.0):
    """A random "model": logits are a direct part plus neurons times W_out W_U, some frequencies in it."""
    rng = np.random.default_rng(seed)
    a, b = (axis.reshape(-1) for axis in np.meshgrid(np.arange(p), np.arange(p), indexing="ij"))
    neurons = rng.random((p * p, D_MLP))
    for k in keys:
        for wave in (np.cos, np.sin):
            neurons += scale * wave(2 * np.pi * k * (a + b) / p)[:, None] * rng.standard_normal(D_MLP)
    weights = {
        "embed.W_E": rng.standard_normal((p + 1, D_MODEL)) / 10,
        "blocks.0.mlp.W_out": rng.standard_normal((D_MLP, D_MODEL)) / D_MLP**0.5,
        "unembed.W_U": rng.standard_normal((D_MODEL, p)),
    }
    for k in keys:
        weights["embed.W_E"][:p] += np.outer(np.cos(2 * np.pi * k * np.arange(p) / p), rng.random(D_MODEL))
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    neurons = neurons.astype(np.float32)
    direct = (memory * rng.standard_normal((p * p, p))).astype(np.float32)
    logits = direct + neurons @ (weights["blocks.0.mlp.W_out"] @ weights["unembed.W_U"])
    labels = ProbeLabels((a + b) % p, rng.random(p * p) < 0.3)
    return SimpleNamespace(
        p=p, a=a, b=b, neurons=neurons, weights=weights, direct=direct, logits=logits, labels=labels
    )


def context_of(given, keys):
    probe = SimpleNamespace(
        mlp_post=np.ascontiguousarray(given.neurons.T).reshape(-1, given.p, given.p), logits=given.logits
    )
    context = CheckpointContext(given.p, given.weights, lambda: probe, label_probe=lambda: given.labels)
    norms = np.linalg.norm(plain_basis(given.p) @ given.weights["embed.W_E"][: given.p], axis=1)
    context.results["dominant_frequencies"] = {
        "dominant_frequencies": np.array(keys, np.int64),
        "fourier_norms": norms,
    }
    return context


def measures(given, *, keys=(2, 3), **parameters):
    return compute(context_of(given, keys), Parameters(**parameters))


def plain_basis(p):
    x = np.arange(p)
    rows = [np.ones(p)]
    for k in range(1, p // 2 + 1):
        rows += [np.cos(2 * np.pi * k * x / p), np.sin(2 * np.pi * k * x / p)]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def plain_loss(logits, labels, pairs):
    logits = logits.astype(np.float64)
    pick = {"train": labels.train, "test": ~labels.train, "all": np.ones_like(labels.train)}[pairs]
    log_z = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    return (log_z - logits[np.arange(len(logits)), labels.answers])[pick].mean()


def plain_part(values, given, keys):
    """Projection of values (p², n) on cos, sin(w_k (a + b)), direction by direction."""
    out = np.zeros(values.shape)
    for k in keys:
        for wave in (np.cos, np.sin):
            direction = wave(2 * np.pi * k / given.p * (given.a + given.b))
            direction /= np.linalg.norm(direction)
            out += np.outer(direction, direction @ values.astype(np.float64))
    return out


def plain_wave(given, k):
    wave = np.cos(2 * np.pi * k / given.p * ((given.a + given.b)[:, None] - np.arange(given.p)))
    return wave / np.linalg.norm(wave)


@pytest.mark.parametrize("p", [7, 11, 13])
@pytest.mark.parametrize("pairs", ["train", "test", "all"])
def test_every_variant_agrees_with_its_plain_definition(p, pairs):
    given, keys = model(p, seed=p), (2, 3)
    found = measures(given, keys=keys)
    logits, mean = given.logits.astype(np.float64), given.logits.mean(0, dtype=np.float64)
    w_l = given.weights["blocks.0.mlp.W_out"].astype(np.float64) @ given.weights["unembed.W_U"]
    part, neurons = plain_part(logits, given, keys), plain_part(given.neurons, given, keys)
    waves = [plain_wave(given, k) for k in keys]
    cosine = sum((logits * wave).sum() * wave for wave in waves)
    expected = {
        "restricted_loss": part + mean,
        "restricted_loss_no_bias": part,
        "restricted_loss_neurons": neurons @ w_l + mean,
        "excluded_loss": logits - part,
        "excluded_loss_cosine": logits - cosine,
        "excluded_loss_neurons": (given.neurons - neurons) @ w_l + given.direct,
    }
    for name, edited in expected.items():
        np.testing.assert_allclose(
            found[f"{name}_{pairs}"], plain_loss(edited, given.labels, pairs), rtol=2e-6, err_msg=name
        )
    index = ["train", "test", "all"].index(pairs)
    for k in range(1, p // 2 + 1):
        one = plain_part(logits, given, [k])
        for name, edited in (
            ("restricted_loss_each", one + mean),
            ("excluded_loss_each", logits - one),
        ):
            np.testing.assert_allclose(
                found[name][index, k - 1], plain_loss(edited, given.labels, pairs), rtol=1e-6
            )


def test_losses_and_accuracy_agree_with_the_plain_ones():
    given = model(11)
    found = measures(given)
    right = given.logits.argmax(1) == given.labels.answers
    for pairs, pick in (("train", given.labels.train), ("test", ~given.labels.train)):
        np.testing.assert_allclose(
            found[f"{pairs}_loss"], plain_loss(given.logits, given.labels, pairs), rtol=1e-12
        )
        np.testing.assert_allclose(found[f"{pairs}_accuracy"], right[pick].mean(), rtol=1e-12)


def test_norms_and_coefficients_of_the_logits_agree_with_products_with_the_waves():
    given = model(13)
    found, logits = measures(given), given.logits.astype(np.float64)
    for k in range(1, 7):
        np.testing.assert_allclose(
            found["logit_frequency_norms"][k - 1], np.linalg.norm(plain_part(logits, given, [k])), rtol=1e-6
        )
        np.testing.assert_allclose(
            found["cosine_coefficients"][k - 1], (logits * plain_wave(given, k)).sum(), rtol=1e-5, atol=1e-5
        )
    np.testing.assert_allclose(found["logit_norm"], np.linalg.norm(logits), rtol=1e-6)


def perfect(p, amplitudes):
    """Logits that are exactly sum_k A_k cos(w_k (a + b - c))."""
    given = model(p)
    difference = (given.a + given.b)[:, None] - np.arange(p)
    given.logits = sum(A * np.cos(2 * np.pi * k / p * difference) for k, A in amplitudes.items()).astype(
        np.float32
    )
    return given


def test_a_model_that_is_the_algorithm_loses_nothing_when_restricted_and_everything_when_excluded():
    p, amplitudes = 11, {2: 5.0, 4: 3.0}
    given = perfect(p, amplitudes)
    found = measures(given, keys=(2, 4))
    wave = sum(A * np.cos(2 * np.pi * k / p * np.arange(p)) for k, A in amplitudes.items())
    loss = np.log(np.exp(wave - wave[0]).sum())  # every pair has the same logits, rotated to its answer
    np.testing.assert_allclose(found["test_loss"], loss, rtol=1e-6)
    np.testing.assert_allclose(found["restricted_loss_test"], loss, rtol=1e-6)
    np.testing.assert_allclose(found["excluded_loss_train"], np.log(p), rtol=1e-6)
    np.testing.assert_allclose(found["excluded_loss_cosine_train"], np.log(p), rtol=1e-6)
    np.testing.assert_allclose(found["excluded_loss_each"][:, 0], loss, rtol=1e-6)  # frequency 1 is not in it
    assert found["test_accuracy"] == 1.0
    # A wave cos(w (s - c)) has squared length p³ / 2 over the p² pairs and p outputs.
    np.testing.assert_allclose(
        found["cosine_coefficients"][[1, 3]], np.array([5, 3]) * (p**3 / 2) ** 0.5, rtol=1e-5
    )
    np.testing.assert_allclose(
        found["cosine_coefficients"][[0, 2, 4]], 0, atol=1e-5 * found["cosine_coefficients"].max()
    )


def test_key_frequencies_of_the_logits_are_those_that_stand_out():
    found = measures(perfect(23, {2: 5.0, 7: 3.0}), keys=(), key_rule="logits")
    assert found["key_frequencies"].tolist() == [2, 7] == found["logit_frequencies"].tolist()
    assert found["embedding_frequencies"].size == 0


def test_without_key_frequencies_restricted_is_the_mean_logits_and_excluded_the_model():
    given = model(11)
    found = measures(given, keys=())
    mean = np.broadcast_to(given.logits.mean(0), given.logits.shape)
    for pairs in ("train", "test", "all"):
        expected = plain_loss(mean, given.labels, pairs)
        np.testing.assert_allclose(found[f"restricted_loss_{pairs}"], expected, rtol=1e-6)
        np.testing.assert_allclose(found[f"restricted_loss_neurons_{pairs}"], expected, rtol=1e-6)
    for name in ("excluded_loss", "excluded_loss_cosine", "excluded_loss_neurons"):
        np.testing.assert_allclose(found[f"{name}_train"], found["train_loss"], rtol=1e-12)


def test_removals_far_outside_the_range_of_exp_are_computed_one_by_one():
    given = model(7, scale=300.0)
    given.logits = given.direct + given.neurons @ (
        given.weights["blocks.0.mlp.W_out"] @ given.weights["unembed.W_U"]
    )
    found = measures(given)
    part = plain_part(given.logits, given, (2, 3))
    assert np.abs(part).max() > 700
    np.testing.assert_allclose(
        found["excluded_loss_train"], plain_loss(given.logits - part, given.labels, "train"), rtol=1e-5
    )


def test_the_restricted_loss_of_other_frequencies_comes_from_the_stored_table():
    given = model(13)
    stored = measures(given, keys=(1,))
    found = progress_measures.restricted_losses(stored, [2, 3])
    expected = measures(given, keys=(2, 3))
    np.testing.assert_allclose(
        found, [expected[f"restricted_loss_{pairs}"] for pairs in ("train", "test", "all")], rtol=1e-6
    )


def test_gini_is_zero_for_equal_values_and_one_less_a_share_for_a_single_one():
    assert gini(np.full(57, 3.0)) == pytest.approx(0, abs=1e-12)
    assert gini(np.eye(57)[4]) == pytest.approx(1 - 1 / 57)
    assert gini(np.zeros(5)) == 0


def test_gini_is_half_the_relative_mean_difference():
    values = np.random.default_rng(1).random(31)
    expected = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(expected, rel=1e-12)


def test_gini_coefficients_are_of_components_and_of_frequencies():
    given = model(11)
    found = measures(given)
    w_l = given.weights["blocks.0.mlp.W_out"].astype(np.float64) @ given.weights["unembed.W_U"]
    embedding = np.linalg.norm(plain_basis(11) @ given.weights["embed.W_E"][:11], axis=1)
    outputs = np.linalg.norm(w_l @ plain_basis(11).T, axis=0)
    for name, norms in (("W_E", embedding), ("W_L", outputs)):
        frequencies = np.sqrt(norms[1::2] ** 2 + norms[2::2] ** 2)
        np.testing.assert_allclose(found[f"gini_{name}_components"], gini(norms), rtol=1e-6)
        np.testing.assert_allclose(found[f"gini_{name}_frequencies"], gini(frequencies), rtol=1e-6)


def test_squared_weights_are_summed_over_all_parameters():
    given = model(7)
    expected = sum((w.astype(np.float64) ** 2).sum() for w in given.weights.values())
    np.testing.assert_allclose(measures(given)["sum_squared_weights"], expected, rtol=1e-12)


def test_a_task_whose_answers_are_not_equally_frequent_is_refused():
    labels = ProbeLabels(np.zeros(49, np.int64), np.zeros(49, np.bool_))
    with pytest.raises(BadConfig, match=r"residues 0\.\.6"):
        logit_fourier.classes(labels, 7)


@pytest.mark.parametrize("wrong", [{"key_rule": "list"}, {"threshold": 1}, {"threshold": float("nan")}])
def test_parameters_that_can_not_be_used_are_refused_by_name(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        Parameters(**wrong)


def test_at_initialization_the_published_losses_come_out():
    from tdw.families import get_family
    from tdw.families.modulo_addition_1layer.analyzers import dominant_frequencies

    family = get_family("modulo_addition_1layer")
    config = family.parse_variant("p113_s999_d598")
    weights = family.init_weights(config)
    context = CheckpointContext(
        113,
        {name: tensor.numpy() for name, tensor in weights.items()},
        lambda: family.probe_pass(config, weights),
        label_probe=lambda: probe_labels(config),
    )
    rule = dominant_frequencies.ANALYZER
    context.results[rule.name] = rule.function(context, rule.parameters())
    found = compute(context, Parameters())
    assert found["train_loss"] == pytest.approx(4.735885756, abs=2e-8)
    assert found["test_loss"] == pytest.approx(4.732980869, abs=2e-8)
    assert found["key_frequencies"].size == 0 == found["logit_frequencies"].size
