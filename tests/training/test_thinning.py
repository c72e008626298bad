"""Thinned states: what stays, what it costs, and the same bits afterwards (T5)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_variant import TINY

from tdw.errors import BadConfig, Busy
from tdw.families import get_family
from tdw.store import Address, Store
from tdw.store.layout import STATES
from tdw.store.on_demand import find_arrays
from tdw.training.loop import train
from tdw.training.thinning import plan_thinning, thin
from tdw_workbench.cli import main

FAMILY = get_family("modulo_addition_1layer")


def states(store: Store) -> list[int]:
    return store.epochs(FAMILY.name, TINY, STATES)


@given(st.sets(st.integers(1, 500), min_size=1), st.integers(1, 200))
def test_no_replay_gets_longer_than_asked_for_where_there_are_states_enough(
    tmp_path_factory: pytest.TempPathFactory, epochs: set[int], keep_every: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    folder = store.root / FAMILY.name / TINY / STATES
    folder.mkdir(parents=True)
    for epoch in epochs:
        (folder / f"{epoch:05d}.safetensors").write_bytes(b"12345")
    plan = plan_thinning(store, FAMILY, TINY, keep_every=keep_every)
    assert sorted((*plan.keep, *plan.drop)) == sorted(epochs)
    assert max(epochs) in plan.keep and plan.freed == 5 * len(plan.drop)
    assert plan.steps_after <= max(plan.steps_before, keep_every - 1)


def test_a_thinned_variant_replays_to_the_same_bits(tiny_store: Store) -> None:
    config = FAMILY.parse_variant(TINY)
    wanted = {
        done.epoch: done.fingerprint for done in train(config, store=tiny_store, checkpoints=[7, 13, 17])
    }
    for epoch in wanted:
        (tiny_store.root / FAMILY.name / TINY / "checkpoints" / f"{epoch:05d}.safetensors").unlink()
    plan = plan_thinning(tiny_store, FAMILY, TINY, keep_every=20)
    assert (plan.keep, plan.drop, plan.steps_before, plan.steps_after) == ((20,), (10,), 9, 19)
    thin(tiny_store, FAMILY, plan)
    assert states(tiny_store) == [20]
    again = {
        done.epoch: done.fingerprint for done in train(config, store=tiny_store, checkpoints=list(wanted))
    }
    assert again == wanted
    assert states(tiny_store) == [20]


def test_the_command_says_what_it_saves_and_costs_and_deletes_only_when_told(
    tiny_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["thin", "--store", str(tiny_store.root), "--keep-every", "100"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "1 of 2 states stay" in said and "at most 19 steps" in said and "--apply" in said
    assert states(tiny_store) == [10, 20]
    assert main([*command, "--apply"]) == 0
    assert states(tiny_store) == [20]
    assert main(command) == 0
    assert "none to drop" in capsys.readouterr().out


def told_of_arrays(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What `tdw status` prints of the same study and store."""
    capsys.readouterr()
    assert main(["status", *command[1:]]) == 0
    return capsys.readouterr().out


def test_the_command_drops_the_arrays_that_the_study_does_not_keep(
    tiny_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        f"name: few\nvariants: [{TINY}]\nepochs: 20\ncheckpoints: ['0:20:10']\n"
        "early_epoch: 10\nkeep: {neuron_activations: 2}\n"
    )
    command = ["thin", "--store", str(tiny_store.root), "--study", str(study)]
    old = tiny_store.read(Address(FAMILY.name, TINY, "neuron_activations", 10))
    assert main(command) == 0
    assert "neuron_activations stays at 2 of 3 epochs, 0.0 MB less" in capsys.readouterr().out
    assert set(find_arrays(tiny_store, FAMILY.name, TINY, "neuron_activations").kept) == {0, 10, 20}
    before = "Arrays of neuron_activations: 3 cells on disk, 0 on demand (computed when asked for)."
    assert f"{before} Of the former `tdw thin --apply` drops 1.\n" in told_of_arrays(command, capsys)
    assert main([*command, "--apply"]) == 0
    after = "Arrays of neuron_activations: 2 cells on disk, 1 on demand (computed when asked for).\n"
    assert after in told_of_arrays(command, capsys)
    assert after in told_of_arrays([*command, "--variant", TINY], capsys)
    (found,) = json.loads(told_of_arrays([*command, "--json"], capsys))["arrays"]
    assert found == {"analyzer": "neuron_activations", "on_disk": 2, "on_demand": 1, "to_drop": 0}
    assert set(find_arrays(tiny_store, FAMILY.name, TINY, "neuron_activations").kept) == {0, 20}
    again = tiny_store.read(Address(FAMILY.name, TINY, "neuron_activations", 10))
    np.testing.assert_array_equal(again.arrays["neuron_activations"], old.arrays["neuron_activations"])
    capsys.readouterr()
    assert main(command) == 0
    assert "neuron_activations" not in capsys.readouterr().out


def test_variants_that_are_not_the_studys_keep_their_arrays_unless_they_are_named(
    tiny_store: Store, tmp_path: Path
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: other\nvariants: [p11_s1_d598]\nepochs: 20\ncheckpoints: ['0:20:10']\n"
        "early_epoch: 10\nkeep: {neuron_activations: on_demand}\n"
    )
    command = ["thin", "--apply", "--store", str(tiny_store.root), "--study", str(study)]
    assert main(command) == 0
    assert set(find_arrays(tiny_store, FAMILY.name, TINY, "neuron_activations").kept) == {0, 10, 20}
    assert main([*command, "--variant", TINY]) == 0
    assert find_arrays(tiny_store, FAMILY.name, TINY, "neuron_activations").kept == {}


def test_the_command_leaves_what_is_worked_on_and_goes_on_with_the_rest(
    tiny_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["thin", "--apply", "--store", str(tiny_store.root), "--keep-every", "100"]
    with tiny_store.lock(FAMILY.name, TINY, "train"):
        assert main([*command, "--variant", TINY, "--variant", "p11_s1_d598"]) == 1
    said = capsys.readouterr().out
    assert "Not done" in said and "train.lock" in said and "p11_s1_d598: 0 states" in said
    assert states(tiny_store) == [10, 20]


def test_a_variant_in_training_is_left_alone(tiny_store: Store) -> None:
    plan = plan_thinning(tiny_store, FAMILY, TINY, keep_every=100)
    with tiny_store.lock(FAMILY.name, TINY, "train"), pytest.raises(Busy):
        thin(tiny_store, FAMILY, plan)
    assert states(tiny_store) == [10, 20]


def test_a_distance_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="--keep-every is 0"):
        plan_thinning(Store(tmp_path), FAMILY, TINY, keep_every=0)
