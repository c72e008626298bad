from types import SimpleNamespace

import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer import FAMILY
from tdw.families.modulo_addition_1layer.analyzers import (
    ANALYZERS,
    coarseness,
    coarseness_stats,
    dominant_frequencies,
    downsampled_activations,
    neuron_frequencies,
)
from tdw.families.modulo_addition_1layer.context import CheckpointContext
from tdw.families.modulo_addition_1layer.model.probe_types import ProbeLabels, ProbePass
from tdw.families.zp_fourier import fourier_basis
from tdw.recipes.catalog import catalog_of
from tdw.recipes.common.landscape.training_loss import TrainingLoss

P = 31
NEURONS = 6


def angle(k, p=P):
    return 2 * np.pi * k * np.arange(p) / p


def make_context(maps=None, attention=None, embedding=None, p=P):
    rng = np.random.default_rng(0)
    maps = rng.random((NEURONS, p, p)) if maps is None else maps
    attention = (
        rng.dirichlet([1, 2, 3], size=(4, p, p)).transpose(0, 3, 1, 2) if attention is None else attention
    )
    embedding = rng.standard_normal((p + 1, 128)) if embedding is None else embedding
    weights = {
        "embed.W_E": np.asarray(embedding, np.float32),
        "pos_embed.W_pos": rng.standard_normal((3, 128), np.float32),
        **{f"blocks.0.attn.W_{name}": rng.standard_normal((4, 128, 32), np.float32) for name in "QKV"},
        "blocks.0.attn.W_O": rng.standard_normal((4, 32, 128), np.float32),
        "blocks.0.mlp.W_in": rng.standard_normal((128, len(maps)), np.float32),
        "blocks.0.mlp.W_out": rng.standard_normal((len(maps), 128), np.float32),
        "unembed.W_U": rng.standard_normal((128, p), np.float32),
    }
    probe = ProbePass(np.asarray(maps, np.float32), np.asarray(attention, np.float32), weights)
    labels = ProbeLabels(np.add.outer(np.arange(p), np.arange(p)).reshape(-1) % p, rng.random(p * p) < 0.3)
    return CheckpointContext(
        p, weights, lambda: probe, label_probe=lambda: labels, open_loss=lambda: half_of_squares(weights)
    )


def half_of_squares(weights):
    """A loss whose gradient is the weights."""

    def loss_and_gradients(here, epoch):
        for tensor in here.values():
            tensor.grad = tensor.clone()
        return sum(float((tensor**2).sum()) / 2 for tensor in here.values())

    return TrainingLoss(
        lambda given: sum((tensor**2).sum() / 2 for tensor in given.values()),
        SimpleNamespace(loss_and_gradients=loss_and_gradients),
        weights,
        tuple(weights),
        samples=100,
    )


def run_all(context):
    for analyzer in ANALYZERS:
        context.results[analyzer.name] = analyzer.function(context, analyzer.parameters())
    return context.results


def test_every_analyzer_gives_the_arrays_that_it_declares():
    for name, arrays in run_all(make_context()).items():
        analyzer = catalog_of(FAMILY).analyzer(name)
        for array_name, array in arrays.items():
            declared = [key for key in analyzer.arrays if key == array_name or "{" in key]
            assert declared, f"{name}: {array_name}"
            assert any(analyzer.arrays[key].startswith(str(array.dtype)) for key in declared), array_name
        plain_names = {key for key in analyzer.arrays if "{" not in key}
        assert plain_names <= set(arrays), name
        assert {*analyzer.quantize, *analyzer.half} <= set(arrays)
        assert all(isinstance(value, float | int | str) for value in analyzer.describe(arrays).values())


def test_one_forward_pass_and_one_transform_serve_every_analyzer(monkeypatch):
    from tdw.families.modulo_addition_1layer import context as module

    passes, transforms = [], []
    context = make_context()
    run_probe, transform = context.run_probe, module.spectra
    context.run_probe = lambda: passes.append(1) or run_probe()
    monkeypatch.setattr(module, "spectra", lambda maps: transforms.append(len(maps)) or transform(maps))
    run_all(context)
    assert len(passes) == 1
    assert sorted(transforms) == [4, 4, NEURONS]


# A5


def test_a_random_embedding_has_no_dominant_frequency():
    for seed in range(20):
        embedding = 0.07 * np.random.default_rng(seed).standard_normal((114, 128))
        found = dominant_frequencies.compute(
            make_context(embedding=embedding, maps=np.zeros((1, 113, 113)), p=113),
            dominant_frequencies.Parameters(),
        )
        assert found["dominant_frequencies"].size == 0


def test_frequencies_that_carry_the_embedding_are_found_whatever_their_phase():
    rng = np.random.default_rng(0)
    x = np.arange(P)[:, None]
    embedding = 0.01 * rng.standard_normal((P + 1, 128))
    for k in (3, 11):
        embedding[:P] += np.cos(2 * np.pi * k * x / P + rng.random(128) * 6) * rng.standard_normal(128)
    found = dominant_frequencies.compute(make_context(embedding=embedding), dominant_frequencies.Parameters())
    assert found["dominant_frequencies"].tolist() == [3, 11]


def test_embedding_norms_are_those_of_each_component_and_leave_the_equals_token_out():
    embedding = np.zeros((P + 1, 128))
    embedding[:P, 0] = 2 * fourier_basis(P)[0]
    embedding[:P, 1] = 3 * fourier_basis(P)[5]
    embedding[:P, 2] = 4 * fourier_basis(P)[6]
    embedding[P] = 100
    found = dominant_frequencies.compute(make_context(embedding=embedding), dominant_frequencies.Parameters())
    expected = np.zeros(P)
    expected[[0, 5, 6]] = 2, 3, 4
    np.testing.assert_allclose(found["fourier_norms"], expected, atol=1e-5)
    assert found["frequency_norms"][2] == pytest.approx(5)
    assert len(found["frequency_norms"]) == P // 2
    assert found["dominant_frequencies"].tolist() == [3]


def test_remnants_above_a_vanishing_median_are_not_dominant():
    embedding = np.zeros((P + 1, 128))
    for row, norm in ((5, 5.0), (9, 1.6), (21, 1.4), (23, 0.01)):
        embedding[:P, row] = norm * fourier_basis(P)[row]
    for relative, expected in ((0.3, [3, 5]), (0.2, [3, 5, 11]), (0.5, [3])):
        parameters = dominant_frequencies.Parameters(relative=relative)
        found = dominant_frequencies.compute(make_context(embedding=embedding), parameters)
        assert found["dominant_frequencies"].tolist() == expected


def test_an_embedding_of_zeros_has_no_dominant_frequency():
    found = dominant_frequencies.compute(
        make_context(embedding=np.zeros((P + 1, 128))), dominant_frequencies.Parameters()
    )
    assert found["dominant_frequencies"].size == 0


def test_a_checkpoint_without_an_embedding_is_named():
    context = make_context()
    context.weights = {"unembed.W_U": np.zeros(3)}
    with pytest.raises(BadConfig, match=r"embed\.W_E"):
        dominant_frequencies.compute(context, dominant_frequencies.Parameters())


# A6


def test_fractions_explained_count_mixed_frequencies_in_the_denominator_only(plain):
    a, b = angle(4)[:, None], angle(4)[None, :]
    mixed = np.cos(angle(2)[:, None]) * np.cos(angle(5)[None, :])
    maps = np.stack(
        [np.cos(a) + np.sin(b) + np.cos(a) * np.sin(b), np.cos(a - b) + mixed, np.full((P, P), 2.0)]
    )
    found = neuron_frequencies.compute(make_context(maps=maps), neuron_frequencies.Parameters())
    assert found["best_frequency"].tolist() == [4, 4, 0]
    # cos(a - b) has variance 1/2, the product of two frequencies 1/4.
    np.testing.assert_allclose(found["best_fraction"], [1, 2 / 3, 0], atol=1e-6)
    assert found["cluster"].tolist() == [4, 0, 0]
    assert found["cluster_sizes"][3] == 1
    assert found["cluster_sizes"].sum() == 1
    np.testing.assert_allclose(found["variance"], maps.var(axis=(1, 2)), rtol=1e-5)


def test_fractions_of_random_maps_are_those_of_the_definition_and_leave_room_for_mixed_terms(plain):
    context = make_context()
    found = neuron_frequencies.compute(context, neuron_frequencies.Parameters())
    for image, fraction in zip(context.neuron_maps, found["fraction_explained"], strict=True):
        np.testing.assert_allclose(fraction, plain.fractions(image), rtol=1e-5)
    # White noise: 8 of p² - 1 dimensions a frequency, and (p - 1) / 2 frequencies.
    assert found["fraction_explained"].sum(axis=1).mean() == pytest.approx(4 / (P + 1), rel=0.15)


def test_a_neuron_joins_a_cluster_from_the_configured_share_on():
    maps = (np.cos(angle(4))[:, None] + 0.8 * np.cos(angle(5))[None, :])[None]
    for share, cluster in ((0.5, 4), (0.7, 0)):
        parameters = neuron_frequencies.Parameters(cluster_fraction=share)
        assert neuron_frequencies.compute(make_context(maps=maps), parameters)["cluster"].tolist() == [
            cluster
        ]


# A7


@pytest.mark.parametrize(("size", "first", "count"), [(28, None, 6), (56, 2, 2), (7, 100, 6)])
def test_downsampled_maps_are_those_of_torch(plain, size, first, count):
    context = make_context()
    parameters = downsampled_activations.Parameters(target_size=size, num_neurons=first)
    found = downsampled_activations.compute(context, parameters)
    assert found["neuron_acts_downsampled"].shape == (count, size, size)
    assert (int(found["target_size"]), int(found["num_neurons"]), int(found["p"])) == (size, count, P)
    for name, images in (
        ("neuron_acts_downsampled", context.neuron_maps[:count]),
        ("attn_to_a_downsampled", context.attention[:, 0]),
        ("attn_to_b_downsampled", context.attention[:, 1]),
    ):
        for small, image in zip(found[name], images, strict=True):
            np.testing.assert_allclose(small, plain.interpolate(image, size)[0, 0], atol=1e-5)


# A8


def test_neurons_and_heads_go_through_the_same_metrics(plain):
    context = make_context()
    found = coarseness.compute(context, coarseness.Parameters())
    for prefix, images in (
        ("neuron", context.neuron_maps),
        ("head_a", context.attention[:, 0]),
        ("head_b", context.attention[:, 1]),
    ):
        for i, image in enumerate(images):
            assert found[f"{prefix}_fft_ratio"][i] == pytest.approx(plain.fft_ratio(image), rel=1e-5)
            assert found[f"{prefix}_fft_ratio_no_dc"][i] == pytest.approx(
                plain.fft_ratio(image, no_dc=True), rel=1e-5
            )
            assert found[f"{prefix}_variance_preserved"][i] == pytest.approx(
                plain.variance_preserved(image), rel=1e-5
            )
            assert found[f"{prefix}_gradient"][i] == pytest.approx(plain.gradient(image), rel=1e-5)
            assert found[f"{prefix}_modular_low_freq"][i] == pytest.approx(
                plain.fractions(image)[:3].sum(), rel=1e-5
            )
            assert found[f"{prefix}_std"][i] == pytest.approx(image.std(), rel=1e-5)


def test_a_dead_neuron_has_coarseness_0_and_is_counted():
    maps = np.random.default_rng(0).random((3, P, P))
    maps[0], maps[2] = 0, 0.3
    context = make_context(maps=maps)
    results = run_all(context)
    assert results["coarseness"]["neuron_dead"].tolist() == [True, False, True]
    assert results["coarseness"]["neuron_fft_ratio_no_dc"][[0, 2]].tolist() == [0, 0]
    assert int(results["coarseness_stats"]["num_dead_neurons"]) == 2
    assert all(np.isfinite(array).all() for arrays in results.values() for array in arrays.values())


def test_the_parameters_of_coarseness_are_used(plain):
    context = make_context()
    found = coarseness.compute(
        context, coarseness.Parameters(radius_fraction=0.3, bottleneck=5, low_frequencies=1)
    )
    image = context.neuron_maps[0]
    assert found["neuron_fft_ratio_no_dc"][0] == pytest.approx(
        plain.fft_ratio(image, fraction=0.3, no_dc=True), rel=1e-5
    )
    assert found["neuron_variance_preserved"][0] == pytest.approx(
        plain.variance_preserved(image, bottleneck=5), rel=1e-5
    )
    assert found["neuron_modular_low_freq"][0] == pytest.approx(plain.fractions(image)[0], rel=1e-5)


# A9


def test_statistics_of_known_values():
    values = np.array([0, 0.2, 0.5, 0.55, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0])
    found = coarseness_stats.statistics(values, np.array([True] + [False] * 9))
    assert {name: float(found[f"{name}_coarseness"]) for name in ("mean", "std", "median", "min", "max")} == {
        "mean": pytest.approx(0.6),
        "std": pytest.approx(np.sqrt(((values - 0.6) ** 2).mean())),
        "median": pytest.approx(0.65),
        "min": 0,
        "max": 1,
    }
    assert (float(found["p25_coarseness"]), float(found["p75_coarseness"])) == (
        pytest.approx(0.5125),
        pytest.approx(0.7875),
    )
    assert [int(found[f"num_blob_neurons_{t}"]) for t in ("0.5", "0.6", "0.7", "0.8")] == [8, 6, 5, 3]
    assert int(found["num_dead_neurons"]) == 1
    assert float(found["fraction_plaid"]) == pytest.approx(0.2)
    assert float(found["fraction_transitional"]) == pytest.approx(0.3)
    assert float(found["fraction_blob"]) == pytest.approx(0.5)


def test_the_histogram_has_20_bins_on_0_to_1_and_holds_every_neuron():
    found = coarseness_stats.statistics(np.array([0, 0.049, 0.05, 1.0, 0.999]), np.zeros(5, bool))
    assert found["histogram"].tolist() == [2, 1, *[0] * 17, 2]
    np.testing.assert_allclose(found["histogram_edges"], np.linspace(0, 1, 21))


def test_a_float32_value_on_a_threshold_counts_as_a_blob():
    found = coarseness_stats.statistics(np.array([0.7], np.float32), np.zeros(1, bool))
    assert int(found["num_blob_neurons_0.7"]) == 1
    assert float(found["fraction_blob"]) == 1


def test_other_thresholds_name_other_counts():
    parameters = coarseness_stats.Parameters(thresholds=(0.25, 0.9), bins=4)
    found = coarseness_stats.statistics(np.array([0.1, 0.3, 0.95]), np.zeros(3, bool), parameters=parameters)
    assert (int(found["num_blob_neurons_0.25"]), int(found["num_blob_neurons_0.9"])) == (2, 1)
    assert found["histogram"].tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize(
    ("maker", "values", "field"),
    [
        (coarseness.Parameters, {"radius_fraction": 0}, "radius_fraction"),
        (coarseness.Parameters, {"radius_fraction": float("nan")}, "radius_fraction"),
        (coarseness.Parameters, {"radius_fraction": "wide"}, "radius_fraction"),
        (coarseness.Parameters, {"bottleneck": 14.0}, "bottleneck"),
        (coarseness.Parameters, {"low_frequencies": True}, "low_frequencies"),
        (coarseness_stats.Parameters, {"thresholds": (0.6, 0.5)}, "thresholds"),
        (coarseness_stats.Parameters, {"thresholds": (0.5, 1.5)}, "thresholds"),
        (coarseness_stats.Parameters, {"thresholds": (0.5, "0.7")}, "thresholds"),
        (coarseness_stats.Parameters, {"thresholds": 0.5}, "thresholds"),
        (coarseness_stats.Parameters, {"plaid_below": 0.8}, "plaid_below"),
        (coarseness_stats.Parameters, {"bins": 0}, "bins"),
        (dominant_frequencies.Parameters, {"threshold": 1}, "threshold"),
        (dominant_frequencies.Parameters, {"relative": 2}, "relative"),
        (neuron_frequencies.Parameters, {"cluster_fraction": -0.1}, "cluster_fraction"),
        (downsampled_activations.Parameters, {"target_size": 0}, "target_size"),
        (downsampled_activations.Parameters, {"num_neurons": 0}, "num_neurons"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(maker, values, field):
    with pytest.raises(BadConfig, match=field):
        maker(**values)
