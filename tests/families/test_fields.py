"""F5: what a researcher varies is a field, and what was made before there were so many stays as it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tdw
from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network, probe
from tdw.families.modulo_addition_1layer.model.data import labels, probe_tokens
from tdw.families.operations import OPERATIONS
from tdw.families.transformer.config import Activation
from tdw.integrity.verify import verify
from tdw.notebook.make import make_variant
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store
from tdw.study.parse import parse_study
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
RECORDED = {
    "p113_s999_d598": "0aa9ade647c0c5bb44448dbf7f5e3700c3c4731943f83be38c1c7cb11d9b6b99",
    "p59_s999_d598_f0.4": "dcb1ca60eb9bda72b11190d0d7cd5e43288f3a4c26c8562a890530c001aa98c1",
    "p113_s999_d598_iqkvo": "a83404b36170272a6940d81b1f9017afe7179db11e975179fe29058a8cc42cde",
    "p113_s999_d598_r1": "0b4630f87f6df89b811a09d77f590828669c22073e12674462fb2499a7b2a4d3",
    "p7_s1_d598_f0.5_iqkvo_r12": "8d983575020d8dfdb02bf571d0e7b6d7ad77b04f4574670863f4407a9996ce1e",
    "k2_s0": "7d11bc9d030d2aed8cd2f5f10dbf663b4a31fb8120734e6777095ac530393aab",
    "k3_s1_d5_len20_lr0.01_clip0.0": "e73943dbf24585baa2d122af6741bb1160d2df23fcc3414b3d790c0ddea439d0",
    "p97_s0": "35606f582c0179284275ba6500b9ee31b4454adc35084baefec71d4aec26788c",
    "p11_s3_width16_noise0.35_wd0.0": "44f669d0c7c3c0f01b3ec6b330aeaf4c35de45deefc9fddce74888a30d955aa6",
    "layers2_heads1_std0.1_s0": "f7c815c16d13aa12ed3440a3dfda0fc2426ee8761adb159f2f10f377b004a854",
    "layers1_heads2_std0.5_s3_opt-Muon": "40c9615c410b14bf46e8253290bba7b191200cffbe3772e1f54582da9280fc36",
}
"""Fingerprints of variants as they were before the fields of this file came."""

SMALL: dict[str, Any] = {"d_model": 20, "n_heads": 3, "d_head": 7, "d_mlp": 37}
OTHERS: dict[str, Any] = {
    "init_order": "qkvo",
    "operation": "subtract",
    **SMALL,
    "activation": "gelu",
    "init_scale": 0.5,
    "optimizer": "SGD",
    "lr": 0.01,
    "weight_decay": 0.5,
    "beta1": 0.8,
    "beta2": 0.9,
    "eps": 1e-6,
    "momentum": 0.9,
    "clip": 2.0,
    "warmup": 10,
    "cosine": 500,
    "replicate": 3,
}


@pytest.mark.parametrize("key", RECORDED)
def test_variants_of_before_keep_key_and_fingerprint(key: str) -> None:
    names = {"k": "markov_icl", "l": "symbolic_ioi"}
    quadratic = "width" in key or key == "p97_s0"
    family = get_family(names.get(key[0], "quadratic_mlp" if quadratic else FAMILY.name))
    config = family.parse_variant(key)
    assert (config.key, config.fingerprint) == (key, RECORDED[key])


@given(st.sets(st.sampled_from(sorted(OTHERS))))
def test_the_key_names_exactly_the_fields_that_differ(names: set[str]) -> None:
    fields = {name: OTHERS[name] for name in names | ({"optimizer"} if "momentum" in names else set())}
    config = Config(p=11, seed=4, **fields)
    assert Config.parse(config.key) == config
    assert config.key.count("_") == 2 + len(fields)
    others = [Config(p=11, seed=4), Config(p=11, seed=5, **fields)]
    assert config.fingerprint not in [c.fingerprint for c in others if c != config]


@pytest.mark.parametrize("name", OTHERS)
def test_every_field_changes_the_fingerprint(name: str) -> None:
    base = {"optimizer": "SGD"} if name == "momentum" else {}
    assert Config(11, 4, **{**base, name: OTHERS[name]}).fingerprint != Config(11, 4, **base).fingerprint


MORE = {
    "markov_icl": {"d_head": 5, "d_mlp": 8, "activation": "gelu", "positions": "none", "warmup": 3},
    "symbolic_ioi": {"d_head": 5, "d_mlp": 8, "activation": "silu", "normalization": "LN", "cosine": 9},
    "quadratic_mlp": {"operation": "subtract", "warmup": 3, "cosine": 9},
}


@pytest.mark.parametrize("name", MORE)
def test_the_key_and_the_fingerprint_tell_every_field_of_the_other_families(name: str) -> None:
    family, more = get_family(name), MORE[name]
    # Neurons are always there: an activation without them is refused.
    base = {"d_mlp": 8} if "activation" in more else {}
    plain = family.make_config(seed=1, **base)
    everything = family.make_config(seed=1, **more)
    singly = [family.make_config(seed=1, **base, **{field: more[field]}) for field in set(more) - set(base)]
    for config in (everything, *singly):
        assert family.parse_variant(config.key) == config
    assert len({c.fingerprint for c in (plain, everything, *singly)}) == 2 + len(singly)
    assert family.make_config(seed=1).fingerprint != plain.fingerprint or not base
    settings_ = everything.optimizer_config
    assert (settings_.warmup, settings_.total) == (more.get("warmup", 0), more.get("cosine"))


def test_one_width_of_a_head_has_one_key() -> None:
    family = get_family("markov_icl")
    assert family.make_config(seed=0, d_head=32).key == family.make_config(seed=0).key == "k2_s0"
    assert family.make_config(seed=0, n_heads=3, d_head=7).key == "k2_s0_heads3_dhead7"


def test_a_schedule_is_part_of_training() -> None:
    config = Config(p=11, seed=0, d_mlp=16, warmup=2, cosine=4)
    plain = Config(p=11, seed=0, d_mlp=16)
    moved: list[list[float]] = []
    for each in (config, plain):
        weights = FAMILY.init_weights(each)
        optimizer, objective = FAMILY.make_optimizer(each, weights), FAMILY.objective(each)
        steps: list[float] = []
        for epoch in range(5):
            before = weights["unembed.W_U"].detach().clone()
            objective.loss_and_gradients(weights, epoch)
            optimizer.step()
            steps.append((weights["unembed.W_U"] - before).abs().max().item())
        moved.append(steps)
    assert moved[0][0] == pytest.approx(0.5 * moved[1][0], rel=0.05)
    assert moved[0][4] == 0 < moved[1][4]


OTHER_FAMILIES = {
    "markov_icl": "k2_s0",
    "quadratic_mlp": "p97_s0_width8",
    "symbolic_ioi": "layers1_heads2_std0.1_s0",
}


@pytest.mark.parametrize(("name", "key"), OTHER_FAMILIES.items())
def test_every_family_has_replicates_and_a_momentum(name: str, key: str) -> None:
    family = get_family(name)
    plain, other = (family.parse_variant(k) for k in (key, f"{key}_r2"))
    first, second = family.init_weights(plain), family.init_weights(other)
    assert all(0 < (first[n] - second[n]).abs().max() < 1e-5 for n in first if first[n].any())
    sgd = family.parse_variant(f"{key}_opt-SGD_mom0.5")
    made = family.make_optimizer(sgd, family.init_weights(sgd))
    assert made.config.momentum == 0.5
    with pytest.raises(BadConfig, match="momentum"):
        family.parse_variant(f"{key}_mom0.5")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"p": 997, "d_model": 16_384, "d_mlp": 65_536}, r"GiB of memory and .* days; there are"),
        ({"n_heads": 0}, "n_heads"),
        ({"d_mlp": 2.5}, "d_mlp"),
        ({"operation": "divide"}, "subtract"),
        ({"activation": "tanh"}, "gelu"),
        ({"init_scale": 0}, "init_scale"),
        ({"optimizer": "Lion"}, "AdamW"),
        ({"momentum": 0.9}, "AdamW has none"),
        ({"lr": -1.0}, "lr"),
        ({"warmup": 9, "cosine": 5}, "never reach lr"),
        ({"warmup": -1}, "warmup"),
    ],
)
def test_a_value_that_cannot_be_used_or_paid_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        FAMILY.make_config(**{"p": 11, "seed": 0, **fields})


@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_are_those_of_plain_arithmetic(name: str) -> None:
    config = Config(p=7, seed=0, operation=name)
    by_hand = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "squares": lambda a, b: a**2 + b**2,
        "quadratic": lambda a, b: a**2 + a * b + b**2,
    }[name]
    expected = [by_hand(a, b) % 7 for a in range(7) for b in range(7)]
    assert labels(config, np.arange(49)).tolist() == expected
    assert config.task.balanced == (np.bincount(expected) == 7).all()


WIDTHS = st.integers(1, 40)


# Derandomized: a pre-activation so near 0 that rounding decides its ReLU is rare, but would be a failure.
@settings(max_examples=12, derandomize=True)
@given(
    p=st.sampled_from([3, 5, 11, 13]),
    heads=st.integers(1, 9),
    d_model=WIDTHS,
    d_head=WIDTHS,
    d_mlp=st.integers(1, 90),
    operation=st.sampled_from(sorted(OPERATIONS)),
    seed=st.integers(0, 99),
)
@example(p=11, heads=5, d_model=1, d_head=1, d_mlp=1, operation="multiply", seed=0)
def test_the_numba_form_is_the_plain_one_at_every_width_and_head_count(
    p: int, heads: int, d_model: int, d_head: int, d_mlp: int, operation: str, seed: int
) -> None:
    widths = {"d_model": d_model, "n_heads": heads, "d_head": d_head, "d_mlp": d_mlp}
    config = Config(p, seed, operation=operation, **widths)
    weights = FAMILY.init_weights(config)
    plain, fast = (FAMILY.objective(config, form=form) for form in ("plain", "numba"))
    maps, reference = probe.probe_pass(config, weights), probe.plain_probe_pass(config, weights, device="cpu")
    # Of logits in float32, and of what follows from them.
    rounding = 1e-6 * max(1.0, float(np.abs(reference.logits).max()))
    loss = plain.loss_and_gradients(weights, 0)
    expected = {name: weights[name].grad.clone() for name in config.trained}  # pyright: ignore
    assert fast.loss_and_gradients(weights, 0) == pytest.approx(loss, abs=rounding)
    scale = max(gradient.abs().max().item() for gradient in expected.values())
    for name, gradient in expected.items():
        found = weights[name].grad
        assert found is not None and found.shape == gradient.shape
        # A head left out moves it by more than a tenth.
        assert (found - gradient).abs().max().item() <= 100 * rounding * scale, name
    assert fast.metrics(weights)[0] == pytest.approx(plain.metrics(weights)[0], abs=rounding)
    for name in ("mlp_post", "attention", "logits"):
        got, right = getattr(maps, name), getattr(reference, name)
        most = 1e-4 * max(1e-3, np.abs(right).max())
        np.testing.assert_allclose(got, right, rtol=0, atol=most, err_msg=name)


@pytest.mark.parametrize("activation", get_args(Activation))
def test_activations_agree_with_transformer_lens_and_say_when_the_plain_form_trains(activation: str) -> None:
    config = Config(p=11, seed=3, activation=activation, **SMALL)
    weights = FAMILY.init_weights(config)
    objective = FAMILY.objective(config)
    assert (objective.form, activation in getattr(objective, "note", "")) == (
        ("numba", False) if activation == "relu" else ("plain", True)
    )
    tokens = torch.as_tensor(probe_tokens(config))
    ours = network.activations(weights, tokens[:, 0], tokens[:, 1], activation=activation)
    probed = FAMILY.probe_pass(config, weights)
    np.testing.assert_allclose(probed.logits, ours["logits"], atol=1e-5)
    post = ours["blocks.0.mlp.hook_post"].T.reshape(-1, 11, 11)
    np.testing.assert_allclose(probed.mlp_post, post, atol=1e-5)
    if activation == "square":
        with pytest.raises(BadConfig, match="no activation 'square'"):
            FAMILY.to_transformer_lens(config, weights)
        return
    theirs, cache = FAMILY.to_transformer_lens(config, weights).run_with_cache(tokens)
    np.testing.assert_allclose(theirs[:, -1].detach(), ours["logits"], atol=1e-5)
    for name in ("attn.hook_q", "attn.hook_z", "mlp.hook_pre", "mlp.hook_post", "hook_resid_post"):
        theirs, expected = cache[f"blocks.0.{name}"][:, -1], ours[f"blocks.0.{name}"]
        np.testing.assert_allclose(theirs.detach(), expected, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({"operation": "subtract", "activation": "gelu", "optimizer": "Muon", "lr": 0.01}, set()),
        ({"operation": "quadratic", "clip": 1.0}, {"progress_measures", "site_geometry"}),
    ],
)
def test_a_variant_of_other_widths_and_operation_goes_all_the_way(
    tmp_path: Path, fields: dict[str, Any], lacking: set[str]
) -> None:
    config = Config(p=11, seed=1, train_fraction=0.6, **SMALL, **fields)
    store, replayed = Store(tmp_path / "store"), Store(tmp_path / "replayed")
    make_variant(store, FAMILY, config, range(0, 9, 2))
    workbench = tdw.open(store)
    v = workbench.variant(config.key)
    catalog = catalog_of(FAMILY)
    assert set(catalog.default_names) - set(catalog.suited([config])) == lacking
    answers = v.at(8).artifact("answers")
    accuracy, right = answers["accuracy_by_class"], answers["right"]
    by_answer = labels(config, np.arange(121)).reshape(11, 11)
    for residue in np.unique(by_answer):
        assert accuracy[2, residue] == pytest.approx(right[by_answer == residue].mean())
    np.testing.assert_array_equal(v.summary("graduation")["answer"], by_answer.ravel())
    assert v.at(8).artifact("attention_patterns")["attention_patterns"].shape == (3, 3, 11, 11)
    there = {f"summaries/{summary.name}" for summary in catalog.summaries_of(catalog.suited([config]))}
    drawn = [
        plot.name
        for plot in catalog.plots
        if set(plot.needs) <= {"history", "checkpoints", *there, *catalog.suited([config])}
        and plot.scope == "variant"
        and v.plot(plot.name).data
    ]
    assert len(drawn) >= 14
    assert config.task.formula in v.plot("class_accuracy").layout.yaxis.title.text
    assert [checked.finding for checked in verify(store) if checked.finding] == []
    list(train(config, store=replayed, checkpoints=[8], state_every=4))
    list(train(config, store=replayed, checkpoints=[6], state_every=4))
    for epoch in (6, 8):
        address = Address(FAMILY.name, config.key, "checkpoints", epoch)
        assert replayed.path(address).read_bytes() == store.path(address).read_bytes()
    for name in lacking:
        with pytest.raises(BadConfig, match=f"{name} can't be computed .*not equally frequent"):
            make_variant(store, FAMILY, config, [8], analyzers=[name])


def test_a_study_asks_for_what_can_be_computed_of_all_its_variants() -> None:
    variants = [{"p": 11, "seed": 0, "operation": name} for name in ("add", "multiply")]
    values = {"name": "two", "variants": variants, "epochs": 10, "checkpoints": [0, 10]}
    study = parse_study(values)
    assert "coarseness" in study.analyzers and "progress_measures" not in study.analyzers
    assert "progress_measures" in parse_study({**values, "variants": variants[:1]}).analyzers
    with pytest.raises(BadConfig, match=r"progress_measures can't be computed of p11_s0_d598_op-multiply"):
        parse_study({**values, "analyzers": ["dominant_frequencies", "progress_measures"]})


def test_a_sweep_of_settings_is_a_grid() -> None:
    grid = {"p": 11, "seed": [0, 1], "weight_decay": [0.1, 1], "init_scale": [0.4, 0.8]}
    values = {"name": "sweep", "variants": {"grid": grid}, "epochs": 10, "checkpoints": [0, 10]}
    keys = parse_study(values).variant_keys
    assert len(keys) == 8 and {"p11_s0_d598", "p11_s1_d598_scale0.4_wd0.1"} < set(keys)


def test_the_estimate_grows_with_every_width() -> None:
    from tdw.families.modulo_addition_1layer.cost import estimate

    plain = estimate(Config(11, 0))
    for name, more in (("d_model", 256), ("n_heads", 8), ("d_mlp", 1024)):
        wider = estimate(Config(11, 0, **{name: more}))
        assert wider.nbytes > plain.nbytes and wider.seconds > plain.seconds and math.isfinite(wider.seconds)


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("markov_icl", {"activation": "gelu"}, "no neurons"),
        ("markov_icl", {"positions": "rotary"}, "learned"),
        ("symbolic_ioi", {"d_head": -1}, "d_head"),
        ("symbolic_ioi", {"d_mlp": 8, "activation": "tanh"}, "gelu"),
        ("quadratic_mlp", {"operation": "divide"}, "subtract"),
        # What analysis needs is counted too: 512 sequences, whatever the batch.
        ("markov_icl", {"length": 2048, "batch_size": 1, "n_heads": 8}, r"GiB of memory and .*; there are"),
        ("markov_icl", {"n_states": 100, "length": 2048, "batch_size": 65_536}, r"GiB of memory and"),
        ("quadratic_mlp", {"p": 999, "width": 65_536}, r"GiB of memory and"),
    ],
)
def test_a_value_of_another_family_that_cannot_be_used_or_paid_is_refused(
    name: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadConfig, match=said):
        get_family(name).make_config(seed=0, **fields)


def test_a_quadratic_network_of_another_operation_goes_all_the_way(tmp_path: Path) -> None:
    family, store = get_family("quadratic_mlp"), Store(tmp_path)
    for operation, lacking in (("subtract", set[str]()), ("multiply", {"neuron_fourier"})):
        config = family.make_config(seed=0, p=11, width=32, operation=operation)
        suited = catalog_of(family).suited([config])
        assert set(catalog_of(family).default_names) - set(suited) == lacking
        make_variant(store, family, config, [0, 4])
        v = tdw.open(store).variant(config.key)
        assert v.plot("neuron_maps").data
        assert lacking or v.plot("phases").layout.xaxis2.title.text.startswith("phase of W_a − phase")
    assert [checked.finding for checked in verify(store) if checked.finding] == []
