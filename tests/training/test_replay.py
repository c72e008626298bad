"""T5: any epoch, whenever it is asked for, has the bits of an uninterrupted run, or an error says why not."""

import dataclasses
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tdw.errors import CorruptFile, FingerprintMismatch
from tdw.families import get_family
from tdw.store import Address, Store, TableAddress
from tdw.training import environment, replay
from tdw.training.environment import CannotReproduce
from tdw.training.loop import TrainedCheckpoint, TrainingDiverged, train
from tdw.training.progress import Progress
from tdw.training.states import StateStore

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant("p5_s1_d598_f0.4")
LAST = 60
SETTING = {"state_every": 20, "test_every": 5}


def run(store: Store, epochs: list[int | str], **options: object) -> list[TrainedCheckpoint]:
    return list(train(CONFIG, store=store, checkpoints=epochs, **{**SETTING, **options}))  # pyright: ignore


def history(store: Store) -> pd.DataFrame:
    return store.read_table(TableAddress(FAMILY.name, CONFIG.key, "history"))


def address(kind: str, epoch: int) -> Address:
    return Address(FAMILY.name, CONFIG.key, kind, epoch)


def content(store: Store) -> dict[str, bytes]:
    root = Path(store.root)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Every epoch of one uninterrupted run."""
    store = Store(tmp_path_factory.mktemp("undisturbed"))
    run(store, [f"0:{LAST}"])
    return store


@pytest.mark.parametrize("seed", range(4))
def test_epochs_asked_for_in_any_order_have_the_bits_of_an_undisturbed_run(
    undisturbed: Store, tmp_path: Path, seed: int
) -> None:
    store = Store(tmp_path)
    order = random.Random(seed).sample(range(LAST + 1), 12)
    run(store, [LAST])
    for epoch in order:
        run(store, [epoch])
    expected = content(undisturbed)
    for name, data in content(store).items():
        if name.endswith(".safetensors"):
            assert data == expected[name], name


def test_the_history_is_the_same_table_whichever_checkpoints_were_asked_for_when(tmp_path: Path) -> None:
    at_once, later = Store(tmp_path / "at_once"), Store(tmp_path / "later")
    run(at_once, [0, 7, 13, 33, 48, LAST])
    for epochs in ([13], [48], [LAST], [33, 7], [0]):
        run(later, epochs)
    pd.testing.assert_frame_equal(history(at_once), history(later), check_exact=True)


def test_the_history_is_of_the_weights_after_exactly_as_many_steps(undisturbed: Store) -> None:
    import torch

    table = history(undisturbed).set_index("epoch")
    assert list(table.index) == list(range(LAST + 1))
    goal = FAMILY.objective(CONFIG)
    for epoch in (0, 1, 35, LAST):
        arrays = undisturbed.read(address("checkpoints", epoch)).arrays
        weights = {name: torch.tensor(array) for name, array in arrays.items()}
        assert goal.loss_and_gradients(weights) == table.train_loss[epoch]
        assert goal.metrics(weights) == (table.test_loss[epoch], table.test_accuracy[epoch])


def test_test_metrics_are_there_at_the_stride_and_at_every_checkpoint(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [0, 7, 13])
    table = history(store).set_index("epoch")
    assert set(table.index[table.test_loss.notna()]) == {0, 5, 7, 10, 13}
    assert table.train_loss.notna().all()
    run(store, [12])
    assert set(history(store).query("test_loss == test_loss").epoch) == {0, 5, 7, 10, 12, 13}


def test_what_is_there_is_reused_and_not_written_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = run(store, [0, 10, 20])
    before = {path: path.stat().st_mtime_ns for path in Path(store.root).rglob("*.safetensors")}
    again = run(store, [0, 10, 20])
    assert [dataclasses.replace(found, reused=False, seconds=0.0) for found in again] == [
        dataclasses.replace(made, seconds=0.0) for made in first
    ]
    assert all(found.reused for found in again)
    assert {path: path.stat().st_mtime_ns for path in Path(store.root).rglob("*.safetensors")} == before


def test_a_checkpoint_asked_for_again_is_derived_again_with_the_same_bits(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [0, 10, 20])
    before = content(store)
    assert not any(made.reused for made in run(store, [10, 20], redo=True))
    assert content(store) == before


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damaged_and_deleted_checkpoints_and_history_come_back_with_the_same_bits(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [0, 15, 40, 47])
    before = content(store)
    for epoch in (0, 15, 47):
        flip_a_byte(Path(store.path(address("checkpoints", epoch))))
    store.delete(address("checkpoints", 40))
    flip_a_byte(Path(store.path(TableAddress(FAMILY.name, CONFIG.key, "history"))))
    made = run(store, [0, 15, 40, 47])
    assert not any(found.reused for found in made)
    assert content(store) == before


def test_a_lost_history_comes_back_whole_though_only_an_earlier_checkpoint_is_asked_for(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    run(store, [0, 15, 40, 47])
    before = content(store)
    store.delete(address("checkpoints", 15))
    flip_a_byte(Path(store.path(TableAddress(FAMILY.name, CONFIG.key, "history"))))
    run(store, [15])
    assert content(store) == before


def test_a_damaged_state_is_replayed_from_the_one_before_and_mended(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [47])
    before = content(store)
    for epoch in (20, 40):
        flip_a_byte(Path(store.path(address("states", epoch))))
    run(store, [46])
    after = content(store)
    for epoch in (20, 40, 47):
        name = address("states", epoch).relative
        assert after[name] == before[name]


def test_a_generator_that_is_dropped_leaves_what_it_finished_and_is_continued(
    undisturbed: Store, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    steps: Iterator[TrainedCheckpoint] = train(CONFIG, store=store, checkpoints=[f"0:{LAST}:6"], **SETTING)
    assert [next(steps).epoch for _ in range(4)] == [0, 6, 12, 18]
    del steps
    assert store.epochs(FAMILY.name, CONFIG.key) == [0, 6, 12, 18]
    made = run(store, [f"0:{LAST}:6"])
    assert [found.epoch for found in made if found.reused] == [0, 6, 12, 18]
    assert sorted(found.epoch for found in made) == list(range(0, LAST + 1, 6))
    expected = content(undisturbed)
    for epoch in range(0, LAST + 1, 6):
        name = address("checkpoints", epoch).relative
        assert content(store)[name] == expected[name]
    pd.testing.assert_series_equal(
        history(store).train_loss, history(undisturbed).train_loss, check_exact=True
    )


def _train_in_another_process(root: str, log: str) -> None:
    for made in train(CONFIG, store=Store(root), checkpoints=[f"0:{LAST}:4"], **SETTING):
        with Path(log).open("a") as file:
            file.write(f"{made.epoch} {made.reused}\n")


@pytest.mark.slow
@pytest.mark.ci
def test_killed_at_any_time_and_continued_gives_the_bits_of_an_undisturbed_run(
    undisturbed: Store, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    for wait in (0.0, 0.03):
        worker = context.Process(target=_train_in_another_process, args=(str(tmp_path / "store"), str(log)))
        worker.start()
        size = log.stat().st_size if log.exists() else 0
        while worker.is_alive() and (not log.exists() or log.stat().st_size == size):
            time.sleep(0.01)
        time.sleep(wait)
        assert worker.pid is not None
        if worker.is_alive():
            os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    store = Store(tmp_path / "store")
    run(store, [f"0:{LAST}:4"])
    expected = content(undisturbed)
    for name, data in content(store).items():
        # A kill in the middle of a commit leaves its temporary file, which no reader takes for a checkpoint.
        if "/checkpoints/" in name and not name.endswith(".tmp"):
            assert data == expected[name], name
    assert history(store).train_loss.tolist() == history(undisturbed).train_loss.tolist()


@pytest.mark.slow
@pytest.mark.ci
def test_two_trainers_of_one_variant_share_the_work(undisturbed: Store, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    logs = [tmp_path / "first", tmp_path / "second"]
    workers = [
        context.Process(target=_train_in_another_process, args=(str(tmp_path / "store"), str(log)))
        for log in logs
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    lines = [line.split() for log in logs for line in log.read_text().splitlines()]
    epochs = [str(epoch) for epoch in range(0, LAST + 1, 4)]
    assert sorted(epoch for epoch, reused in lines if reused == "False") == sorted(epochs)
    assert sorted(epoch for epoch, reused in lines if reused == "True") == sorted(epochs)
    expected = content(undisturbed)
    found = content(Store(tmp_path / "store"))
    assert all(found[name] == expected[name] for name in found if "/checkpoints/" in name)


def _elsewhere(monkeypatch: pytest.MonkeyPatch, rounding: float) -> None:
    """Pretend to be another machine, on which an optimizer step rounds differently (or not, with 0)."""
    here = environment.describe_environment

    def described(family: object, **setting: object) -> dict[str, str]:
        return {**here(family, **setting), "cpu": "Another CPU", "torch": "9.9.9"}  # pyright: ignore

    monkeypatch.setattr(replay, "describe_environment", described)
    from tdw.training.trainer import Trainer

    step = Trainer.step

    def shaken(self: Trainer) -> None:
        step(self)
        self.weights["unembed.W_U"][0, 0] += rounding

    monkeypatch.setattr(Trainer, "step", shaken)


@pytest.mark.parametrize("epochs", [[33], [LAST + 5], [12, 33]])
def test_an_environment_that_rounds_differently_is_told_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, epochs: list[int | str]
) -> None:
    store = Store(tmp_path)
    run(store, [0, 30, LAST])
    before = content(store)
    _elsewhere(monkeypatch, 1e-7)
    with pytest.raises(CannotReproduce) as caught:
        run(store, epochs)
    assert "torch: " in str(caught.value)
    assert "9.9.9 here" in str(caught.value)
    assert "Another CPU here" in str(caught.value)
    assert content(store) == before


def test_without_a_history_a_checkpoint_is_the_witness(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    run(store, [0, 30, LAST])
    store.delete(TableAddress(FAMILY.name, CONFIG.key, "history"))
    before = content(store)
    _elsewhere(monkeypatch, 1e-7)
    with pytest.raises(CannotReproduce, match="the weights of epoch 20 come out as"):
        run(store, [LAST + 5])
    assert content(store) == before


def test_another_environment_that_gives_the_same_bits_may_go_on(
    monkeypatch: pytest.MonkeyPatch, undisturbed: Store, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    run(store, [0, 30])
    _elsewhere(monkeypatch, 0.0)
    made = run(store, [LAST])
    assert made[0].fingerprint == undisturbed.provenance(address("checkpoints", LAST)).checkpoint_fingerprint


def test_a_training_goes_on_in_the_form_it_was_begun_with(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [10], form="plain")
    run(store, [20])
    assert store.provenance(address("checkpoints", 20)).environment["form"] == "plain"
    with pytest.raises(CannotReproduce, match="begun with form 'plain'"):
        run(store, [30], form="numba")


def test_a_store_with_another_definition_of_the_variant_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [10])
    found = store.read(address("checkpoints", 10))
    foreign = dataclasses.replace(found.provenance, variant_fingerprint="0" * 64)
    store.write(address("checkpoints", 10), found.arrays, provenance=foreign)
    with pytest.raises(FingerprintMismatch, match="00010"):
        run(store, [10])


def test_progress_is_told_with_rate_and_time_left(tmp_path: Path) -> None:
    told: list[Progress] = []
    run(Store(tmp_path), [LAST], on_progress=told.append)
    assert told[-1].epoch == told[-1].last_epoch == LAST
    assert told[-1].steps_done == told[-1].steps_total == LAST
    assert told[-1].seconds_left == 0
    assert f"epoch {LAST}/{LAST}" in str(told[-1])


def test_a_loss_that_is_no_number_stops_the_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tdw.training.trainer import Trainer

    step = Trainer.step

    def broken(self: Trainer) -> None:
        step(self)
        if self.epoch == 8:
            self.weights["unembed.W_U"][0, 0] = float("nan")

    monkeypatch.setattr(Trainer, "step", broken)
    store = Store(tmp_path)
    with pytest.raises(TrainingDiverged, match="epoch 8 is nan"):
        run(store, [0, 5, 12])
    assert store.epochs(FAMILY.name, CONFIG.key) == [0, 5]


def test_a_header_that_was_changed_proves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [10, 20])
    path = Path(store.path(address("checkpoints", 10)))
    name = store.provenance(address("checkpoints", 10)).checkpoint_fingerprint.encode()
    path.write_bytes(path.read_bytes().replace(name, b"0" * 64))
    run(store, [12])
    with pytest.raises(CorruptFile):
        store.read(address("checkpoints", 10))
    run(store, [10])
    assert store.read(address("checkpoints", 10)).provenance.checkpoint_fingerprint.encode() == name


def test_a_state_that_holds_other_arrays_than_states_do_is_refused_by_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run(store, [20])
    found = store.read(address("states", 20))
    store.write(address("states", 20), {**found.arrays, "../W_E": np.zeros(1)}, provenance=found.provenance)
    states = StateStore(store, FAMILY.name, CONFIG.key, CONFIG.fingerprint)
    with pytest.raises(CorruptFile, match=r"00020\.safetensors: holds '\.\./W_E'"):
        states.load(20)
