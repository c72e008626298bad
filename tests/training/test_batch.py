"""A batch of variants as one program leaves the files of variants alone, whatever happens to one of them."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.recipes.family import VariantConfig
from tdw.store import Address, Store, TableAddress
from tdw.training.batch import BatchFailed, batch_shape, batches_of, train_batch
from tdw.training.environment import CannotReproduce
from tdw.training.loop import TrainedCheckpoint, train

FAMILY = get_family("modulo_addition_1layer")
LAST = 40
EPOCHS = [0, 7, 20, 33, LAST]
SETTING: dict[str, Any] = {"state_every": 20, "test_every": 5, "device": "cpu"}
KEYS = ("p5_s1_d598_f0.4", "p5_s2_d7_f0.4", "p5_s1_d598_f0.4_lr0.003", "p5_s1_d598_f0.4_r1")

# Small matrices with odd sides lie at odd addresses in a batch, where MKL may sum in another order: at p=5
# the weights are up to 9e-7 off after 60 steps, in norm; at p=13 and 59 no bit is, after 200 and 60 steps.
ROUNDING = 1e-5


def configs(*keys: str, family: str = FAMILY.name) -> list[VariantConfig]:
    return [get_family(family).parse_variant(key) for key in keys or KEYS]


def alone(config: VariantConfig, store: Store, epochs: Sequence[int] = EPOCHS) -> Store:
    list(train(config, store=store, checkpoints=epochs, form="plain", **SETTING))
    return store


def batch(
    store: Store, of: Sequence[VariantConfig], epochs: Sequence[int] = EPOCHS, **options: Any
) -> list[tuple[str, TrainedCheckpoint]]:
    return list(train_batch(of, store=store, checkpoints=epochs, **{**SETTING, **options}))


def history(store: Store, config: VariantConfig) -> pd.DataFrame:
    """Without the accuracy, a step function: a rounding may flip a pair."""
    return store.read_table(TableAddress(config.family, config.key, "history")).drop(columns="test_accuracy")


def assert_alike(one: Store, other: Store, config: VariantConfig, *, rounding: float = 0.0) -> None:
    """Checkpoints, states and history; bit for bit where no rounding is allowed."""
    for kind in ("checkpoints", "states"):
        epochs = one.epochs(config.family, config.key, kind)
        assert other.epochs(config.family, config.key, kind) == epochs and epochs
        for epoch in epochs:
            address = Address(config.family, config.key, kind, epoch)
            here, there = one.read(address).arrays, other.read(address).arrays
            assert {name: array.shape for name, array in here.items()} == {
                name: array.shape for name, array in there.items()
            }
            off = sum(float(np.square(here[name] - there[name], dtype=np.float64).sum()) for name in here)
            size = sum(float(np.square(array, dtype=np.float64).sum()) for array in here.values())
            assert off <= rounding**2 * size, (kind, epoch, (off / size) ** 0.5)
    exact: dict[str, Any] = {"rtol": 10 * rounding, "atol": 0} if rounding else {"check_exact": True}
    pd.testing.assert_frame_equal(history(one, config), history(other, config), **exact)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One batch of all `KEYS`, uninterrupted."""
    store = Store(tmp_path_factory.mktemp("undisturbed"))
    made = batch(store, configs())
    assert sorted((key, done.epoch) for key, done in made) == sorted((k, e) for k in KEYS for e in EPOCHS)
    return store


def test_each_variant_comes_out_as_in_the_plain_form_alone(undisturbed: Store, tmp_path: Path) -> None:
    """Seeds, data, learning rate and replicate differ between them."""
    for config in configs():
        assert_alike(undisturbed, alone(config, Store(tmp_path)), config, rounding=ROUNDING)
    environment = undisturbed.provenance(Address(FAMILY.name, KEYS[0], "checkpoints", LAST)).environment
    assert (environment["form"], environment["batch"]) == ("batch", "4")


@pytest.mark.parametrize(
    ("family", "keys"),
    [
        (FAMILY.name, ("p5_s1_d598_f0.4_opt-Muon", "p5_s2_d598_f0.4_opt-SGD", "p5_s3_d598_f0.4_clip0.1")),
        ("quadratic_mlp", ("p5_s0_width16", "p5_s1_width16")),
        ("symbolic_ioi", ("layers2_heads1_std0.1_s0", "layers2_heads1_std0.1_s1")),
        ("markov_icl", ("k2_s0_len12_batch4", "k2_s1_len12_batch4")),
    ],
)
def test_every_family_and_optimizer_trains_in_batches(
    family: str, keys: tuple[str, ...], tmp_path: Path
) -> None:
    first, *_ = found = configs(*keys, family=family)
    alone_store, together = Store(tmp_path / "alone"), Store(tmp_path / "batch")
    batch(together, found, [0, 10])
    for config in found:
        list(train(config, store=alone_store, checkpoints=[0, 10], form="plain", **SETTING))
        for epoch in (0, 10):
            address = Address(first.family, config.key, "checkpoints", epoch)
            here, there = together.read(address).arrays, alone_store.read(address).arrays
            for name, array in here.items():
                off = np.linalg.norm(array - there[name])
                assert off <= ROUNDING * np.linalg.norm(there[name]), (config.key, epoch, name)


def test_the_same_batch_has_the_same_bits_again(undisturbed: Store, tmp_path: Path) -> None:
    again = Store(tmp_path)
    batch(again, list(reversed(configs())))
    for config in configs():
        assert_alike(undisturbed, again, config)


def kill_in_a_batch(root: Path) -> None:
    for _, done in train_batch(configs(), store=Store(root), checkpoints=EPOCHS, **SETTING):
        if done.epoch == 33:  # of the first variant that gets there
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_batch_goes_on_from_its_states(undisturbed: Store, tmp_path: Path) -> None:
    victim = multiprocessing.get_context("spawn").Process(target=kill_in_a_batch, args=(tmp_path,))
    victim.start()
    victim.join()
    store = Store(tmp_path)
    assert victim.exitcode == -signal.SIGKILL
    assert all(store.epochs(FAMILY.name, key, "states") == [20] for key in KEYS)
    assert sum(33 in store.epochs(FAMILY.name, key) for key in KEYS) == 1
    made = batch(store, configs())
    assert sum(not done.reused for _, done in made) == 2 * len(KEYS) - 1
    for config in configs():
        assert_alike(undisturbed, store, config)


def test_variants_at_different_epochs_go_on_together_and_a_complete_one_is_left_out(tmp_path: Path) -> None:
    store, whole = Store(tmp_path / "store"), Store(tmp_path / "whole")
    complete, ahead, new = found = configs("p13_s1_d598", "p13_s2_d598", "p13_s3_d598")
    batch(store, [complete, ahead], [0, 20])
    batch(store, [complete], [0, 20, LAST])
    before = store.read_bytes(Address(FAMILY.name, complete.key, "checkpoints", LAST))
    seen: list[str] = []
    made = batch(store, found, [0, 20, LAST], on_progress=lambda progress: seen.append(progress.variant))
    assert all(done.reused for key, done in made if key == complete.key)
    assert set(seen) == {ahead.key, new.key}
    assert store.read_bytes(Address(FAMILY.name, complete.key, "checkpoints", LAST)) == before
    for config in found:
        assert_alike(store, alone(config, whole, [0, 20, LAST]), config, rounding=ROUNDING)


def test_a_checkpoint_of_a_batch_is_replayed_alone_with_the_same_bits(tmp_path: Path) -> None:
    """In the batch form, and only after a known result has come out again."""
    store = Store(tmp_path)
    config, *_ = found = configs("p13_s1_d598", "p13_s2_d598")
    batch(store, found, [0, 7, 20])
    address = Address(FAMILY.name, config.key, "checkpoints", 7)
    before = store.provenance(address).checkpoint_fingerprint
    store.delete(address)
    list(train(config, store=store, checkpoints=[7], **SETTING))
    after = store.provenance(address)
    assert after.checkpoint_fingerprint == before
    assert (after.environment["form"], after.environment["batch"]) == ("batch", "1")
    with pytest.raises(CannotReproduce, match="begun with form 'batch'"):
        list(train(config, store=store, checkpoints=[8], form="plain", **SETTING))


def test_what_does_not_come_out_again_is_not_gone_on_with(tmp_path: Path, monkeypatch: Any) -> None:
    store = Store(tmp_path)
    found = configs("p5_s1_d598_f0.4", "p5_s2_d598_f0.4")
    batch(store, found, [0, 7])
    changed = dataclasses.replace(
        FAMILY,
        pure_loss=lambda config, *, device: _doubled(FAMILY.pure_loss(config, device=device)),  # pyright: ignore
    )
    monkeypatch.setattr("tdw.training.batch.get_family", lambda name: changed)
    with pytest.raises(BatchFailed, match="2 of 2 variants") as failed:
        batch(store, found, [0, 7, 10])
    assert "the stored bits don't come out again" in str(failed.value)
    assert store.epochs(FAMILY.name, found[0].key) == [0, 7]


def _doubled(loss: Any) -> Any:
    return dataclasses.replace(loss, function=lambda weights, tensors: 2 * loss.function(weights, tensors))


def test_a_variant_that_diverges_stops_no_other(tmp_path: Path) -> None:
    store, calm = Store(tmp_path / "store"), Store(tmp_path / "calm")
    wild, *others = configs("p5_s1_d598_f0.4_opt-SGD_lr1000.0_wd1000.0", "p5_s1_d598_f0.4", "p5_s2_d598_f0.4")
    with pytest.raises(BatchFailed, match="1 of 3 variants") as failed:
        batch(store, [wild, *others])
    assert f"{wild.key}: the train loss at epoch" in str(failed.value)
    assert LAST not in store.epochs(FAMILY.name, wild.key)
    for config in others:
        assert_alike(store, alone(config, calm), config, rounding=ROUNDING)


def test_variants_are_batched_by_shape_and_those_begun_alone_are_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    keys = ("p5_s1_d598_f0.4", "p5_s2_d598_f0.4", "p5_s3_d598_f0.4", "p5_s4_d598_f0.4", "p5_s5_d598_f0.4")
    other = configs("p7_s1_d598", "p7_s2_d598", "p5_s1_d598_f0.6")
    found = configs(*keys)
    alone(found[0], store, [0])
    batches = batches_of([*found, *other], store=store, device="cpu", most=3)
    assert [[config.key for config in each] for each in batches] == [
        list(keys[1:4]),
        ["p7_s1_d598", "p7_s2_d598"],
    ]
    with pytest.raises(BatchFailed, match="can't go on with 'batch'"):
        batch(store, found[:2], [0, 1])
    assert store.epochs(FAMILY.name, keys[1]) == [0, 1]


def test_a_variant_with_files_of_another_configuration_keeps_no_others_from_their_batch(
    tmp_path: Path,
) -> None:
    store, (foreign, *others) = (
        Store(tmp_path),
        configs("p5_s1_d598_f0.4", "p5_s2_d598_f0.4", "p5_s3_d598_f0.4"),
    )
    alone(foreign, store, [0])
    address = TableAddress(foreign.family, foreign.key, "history")
    table, made = store.read_table_with_provenance(address)
    store.write_table(address, table, provenance=dataclasses.replace(made, variant_fingerprint="0" * 64))
    assert batches_of([foreign, *others], store=store, device="cpu", most=3) == [others]
    with pytest.raises(BatchFailed, match="made with another configuration"):
        batch(store, [foreign, *others], [0, 1])
    assert all(store.epochs(FAMILY.name, each.key) == [0, 1] for each in others)


def test_what_can_not_train_together_is_refused(tmp_path: Path) -> None:
    one, other = configs("p5_s1_d598_f0.4", "p5_s1_d598_f0.6")
    squared = configs("p5_s1_d598_f0.4_act-square")[0]
    assert batch_shape(FAMILY, one) != batch_shape(FAMILY, squared)
    for wrong in ([one, other], [one, one], [one, squared], []):
        with pytest.raises(BadConfig):
            batch(Store(tmp_path), wrong)
