"""P14: the history of a training that goes on can be read, and is nothing but that."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

import tdw
from tdw.errors import NotFound
from tdw.families import get_family
from tdw.integrity.verify import verify
from tdw.store import Store
from tdw.training import live
from tdw.training.live import find_running, read_running
from tdw.training.loop import train
from tdw.training.progress import Progress

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant("p5_s1_d598_f0.4")


def running(store: Store) -> live.Running | None:
    return read_running(store, FAMILY, CONFIG.key)


def files(store: Store) -> list[Path]:
    return [path for path in (Path(store.root) / ".live").rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(live, "EVERY_S", 0.0)
    monkeypatch.setattr(live, "SHARE", 1e9)
    return Store(tmp_path / "store")


def steps(store: Store, *, last: int = 40) -> Generator[int]:
    """Train, stopping at every checkpoint."""
    for done in train(CONFIG, store=store, checkpoints=[0, 20, last], state_every=20, test_every=5):
        yield done.epoch


def test_the_history_so_far_is_there_while_it_trains_and_gone_afterwards(store: Store) -> None:
    training = steps(store)
    next(training)
    first = running(store)
    assert first is not None and (first.epoch, first.last_epoch) == (0, 40)
    assert first.table()["test_loss"].notna().all() and len(first.table()) == 1
    variant = tdw.open(store).variant(CONFIG.key)
    assert variant.history().attrs["running"].startswith("training, epoch 0 of 40")
    assert "training, epoch 0 of 40" in str(variant.plot("training_curves").to_dict()["layout"]["title"])
    assert "training, epoch 0 of 40" in variant._repr_html_()
    assert [name for name, _ in find_running(store, FAMILY)] == [CONFIG.key]
    assert not [found.finding for found in verify(store) if found.finding]
    list(training)
    assert running(store) is None and files(store) == []
    whole = variant.history()
    assert "running" not in whole.attrs and len(whole) == 41


def test_a_training_that_goes_on_shows_what_was_trained_before(store: Store) -> None:
    list(steps(store, last=30))
    seen: list[int] = []
    told = train(
        CONFIG, store=store, checkpoints=[60], state_every=20, test_every=5,
        on_progress=lambda _: seen.append(len(running(store).table())),  # pyright: ignore
    )  # fmt: skip
    list(told)
    assert seen[0] >= 31 and seen[-1] == 61


def _die_while_training(root: Path) -> None:
    def die(progress: Progress) -> None:
        if progress.epoch >= 1:
            os.kill(os.getpid(), signal.SIGKILL)

    live.EVERY_S, live.SHARE = 0.0, 1e9
    for _ in train(CONFIG, store=Store(root), checkpoints=[40], test_every=5, on_progress=die):
        pass


def test_what_a_killed_training_left_is_never_believed_and_is_gone_after_the_next(store: Store) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_while_training, args=(store.root,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL and files(store)
    assert running(store) is None and not list(find_running(store, FAMILY))
    with pytest.raises(NotFound):
        tdw.open(store).variant(CONFIG.key).history()
    list(steps(store))
    assert files(store) == [] and len(tdw.open(store).variant(CONFIG.key).history()) == 41


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY"])
def test_a_file_that_makes_no_sense_shows_nothing(store: Store, data: bytes) -> None:
    training = steps(store)
    next(training)
    files(store)[0].write_bytes(data)
    assert running(store) is None
    training.close()


def test_a_disk_that_refuses_the_file_does_not_stop_the_training(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", refuse)
    assert list(steps(store)) == [0, 20, 40]
