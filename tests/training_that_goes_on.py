"""A training that goes on, without training: the lock is held and the history so far is published."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tdw.families import get_family
from tdw.store import Store
from tdw.training import live
from tdw.training.history import History
from tdw.training.live import Publisher
from tdw.training.progress import Progress

FAMILY = get_family("modulo_addition_1layer")


@contextlib.contextmanager
def training(store: Store, variant: str, *, last: int) -> Iterator[Callable[[int], None]]:
    """Yields `reach(epoch)`; every tenth epoch is evaluated."""
    config = FAMILY.parse_variant(variant)
    history = History(FAMILY.metric_names)

    def reach(epoch: int) -> None:
        for at in range(len(history.to_frame()), epoch + 1):
            metrics = tuple(1 / (at + 1) for _ in FAMILY.metric_names)
            history.record(at, 5 / (1 + at / 50), None if at % 10 else metrics)
        publisher.publish(Progress(variant, epoch, last, epoch, last, 0.5, {}, 5.0))

    with pytest.MonkeyPatch.context() as patch, store.lock(FAMILY.name, variant, "train"):
        patch.setattr(live, "EVERY_S", 0.0)
        patch.setattr(live, "SHARE", 1e9)
        publisher = Publisher(store, FAMILY, config, history)
        yield reach
        publisher.clear()
