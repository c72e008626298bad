"""A batch of variants as one program: the files of variants trained alone, whatever happens to one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.recipes.family import VariantConfig
from tdw.store import Address, Store, TableAddress
from tdw.training import batch as batches
from tdw.training.batch import BatchFailed, batch_shape, train_batch
from tdw.training.environment import CannotReproduce
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
LAST = 60
EPOCHS = [0, 7, 20, 33, LAST]
SETTING = {"state_every": 20, "test_every": 5, "device": "cpu"}
KEYS = ("p5_s1_d598_f0.4", "p5_s2_d7_f0.4", "p5_s1_d598_f0.4_lr0.003", "p5_s1_d598_f0.4_r1")


def configs(*keys: str, family: str = FAMILY.name) -> list[VariantConfig]:
    return [get_family(family).parse_variant(key) for key in keys or KEYS]


def alone(config: VariantConfig, folder: Path, epochs: Sequence[int] = EPOCHS, **options: object) -> Store:
    store = Store(folder / "alone")
    list(train(config, store=store, checkpoints=epochs, **{**SETTING, "form": "plain", **options}))  # pyright: ignore
    return store


def in_batch(store: Store, of: Sequence[VariantConfig], epochs: Sequence[int] = EPOCHS, **options: object):  # noqa: ANN201
    return list(train_batch(of, store=store, checkpoints=epochs, **{**SETTING, **options}))  # pyright: ignore


def history(store: Store, config: VariantConfig) -> pd.DataFrame:
    return store.read_table(TableAddress(config.family, config.key, "history"))


def assert_same(one: Store, other: Store, config: VariantConfig) -> None:
    """Checkpoints, states and history, bit for bit."""
    for kind in ("checkpoints", "states"):
        epochs = one.epochs(config.family, config.key, kind)
        assert other.epochs(config.family, config.key, kind) == epochs and epochs
        for epoch in epochs:
            address = Address(config.family, config.key, kind, epoch)
            here, there = one.read(address), other.read(address)
            assert here.provenance.checkpoint_fingerprint == there.provenance.checkpoint_fingerprint
            assert here.arrays.keys() == there.arrays.keys()
            for name, array in here.arrays.items():
                np.testing.assert_array_equal(array, there.arrays[name], err_msg=f"{kind} {epoch} {name}")
    pd.testing.assert_frame_equal(history(one, config), history(other, config), check_exact=True)


def test_each_variant_has_the_bits_of_the_plain_form_alone(tmp_path: Path) -> None:
    """Seeds, data, learning rates and replicates differ: no rounding of the batched products shows."""
    store = Store(tmp_path / "batch")
    made = in_batch(store, configs())
    assert sorted((key, done.epoch) for key, done in made) == sorted((k, e) for k in KEYS for e in EPOCHS)
    for config in configs():
        assert_same(store, alone(config, tmp_path), config)
        address = Address(FAMILY.name, config.key, "checkpoints", LAST)
        environment = store.provenance(address).environment
        assert (environment["form"], environment["batch"]) == ("batch", "4")
