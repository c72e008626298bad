"""The history of a training that goes on, for people to watch: a file of its own, outside all artifacts.

`.live/{family}/{variant}.npz` below the store's root holds the history so far. It is replaced about once a
second while the variant trains and removed when the training ends; the history itself is committed as ever.
Nothing is made from it, and no inventory, export or verification looks at it. It counts only while the lock
of the training is held: what a killed process left is never believed, and the variant's next training
removes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from tdw.errors import BadConfig
from tdw.store.layout import LIVE, is_name
from tdw.training.history import History
from tdw.training.progress import Progress, format_seconds

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.family import Family, VariantConfig
    from tdw.store import Store

EVERY_S = 1.0
SHARE = 0.004
"""Of a core, at most, goes into writing: a long history is written less often."""
_SUFFIX = ".npz"


@dataclass(frozen=True)
class Running:
    """A training that goes on.

    Attributes:
        variant: its key.
        epoch, last_epoch: where it is, and where it ends for now.
        seconds_left: estimated; None before there is a rate.
        history: so far, with the columns that it will be committed with.
    """

    variant: str
    epoch: int
    last_epoch: int
    seconds_left: float | None
    history: History

    def table(self) -> pd.DataFrame:
        """As the history's table, a row per epoch so far."""
        return self.history.to_frame()

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", about {format_seconds(self.seconds_left)} left"
        return f"training, epoch {self.epoch:,} of {self.last_epoch:,}{left}"


class Publisher:
    """Writes the history so far, now and then; hold the lock of the training."""

    def __init__(self, store: Store, family: Family, config: VariantConfig, history: History) -> None:
        self._path = _file(store, family.name, config.key)
        self._fingerprint, self._history = config.fingerprint, history
        self._next = 0.0
        self.clear()

    def publish(self, progress: Progress) -> None:
        """Replace the file, unless it is younger than `EVERY_S`. What the disk refuses is not shown."""
        if time.monotonic() < self._next:
            return
        cost = time.thread_time()
        left = progress.seconds_left
        note = {
            "variant_fingerprint": self._fingerprint,
            "epoch": progress.epoch,
            "last_epoch": progress.last_epoch,
            "seconds_left": left if np.isfinite(left) else None,
            "columns": self._history.columns,
        }
        # No fsync: after a loss of power the file is of no use, and waiting for the disk would slow training.
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
            with scratch.open("wb") as file:
                np.savez(file, note=np.array(json.dumps(note)), values=self._history.values())
            scratch.replace(self._path)
        self._next = time.monotonic() + max(EVERY_S, (time.thread_time() - cost) / SHARE)

    def clear(self) -> None:
        """Remove the file, and what a killed process left of it."""
        with contextlib.suppress(OSError):
            for path in [self._path, *self._path.parent.glob(f".{self._path.name}.*.tmp")]:
                path.unlink(missing_ok=True)


def read_running(store: Store, family: Family, variant: str) -> Running | None:
    """How far the variant's training is; None where it does not train now."""
    path = _file(store, family.name, variant)
    if not path.is_file() or not store.is_locked(family.name, variant, "train"):
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            note: dict[str, Any] = json.loads(str(file["note"]))
            values = file["values"]
        config = family.parse_variant(variant)
        columns = tuple(note["columns"])
        history = History.of_values(columns, values)
        if note["variant_fingerprint"] != config.fingerprint:
            return None
        return Running(variant, int(note["epoch"]), int(note["last_epoch"]), note["seconds_left"], history)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, BadConfig):
        return None  # left by another version, or replaced by something else


def find_running(store: Store, family: Family) -> Iterator[tuple[str, Path]]:
    """Variants that train now, each with the file that changes while they do."""
    folder = _folder(store, family.name)
    try:
        names = os.listdir(folder)  # noqa: PTH208 (asked for every second or two)
    except OSError:
        return
    for name in sorted(names):
        variant = name.removesuffix(_SUFFIX)
        if name != variant and is_name(variant) and store.is_locked(family.name, variant, "train"):
            yield variant, folder / name


def _folder(store: Store, family: str) -> Path:
    return store.root / LIVE / family


def _file(store: Store, family: str, variant: str) -> Path:
    return _folder(store, family) / f"{variant}{_SUFFIX}"
