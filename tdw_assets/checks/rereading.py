"""Re-reading files that are new or changed since they were last found sound, and remembering which were.

So a check after a run costs reading what the run wrote, and not the whole store. A byte that changes on disk
while the file's time stays is not seen here; `tdw verify` re-reads everything.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from pydantic import TypeAdapter, ValidationError

from tdw.integrity.findings import Checked
from tdw.integrity.verify import verify_artifact
from tdw.inventory.cells import AssetGaps
from tdw.store import Address, Store
from tdw.store.fingerprints import short
from tdw.store.layout import CHECKPOINTS
from tdw_assets.cells.wanted import Grid

_Sound = dict[str, list[int | str]]


@dataclass
class Memory:
    """What was found sound before: cell -> [time of its file in ns, bytes, content in 12 hex digits]."""

    path: Path | None
    sound: dict[str, list[int | str]] = field(default_factory=dict[str, list[int | str]])

    @classmethod
    def of(cls, instance: dg.DagsterInstance, grid: Grid, asset: str) -> Memory:
        """Of an asset; empty where there is none, or no folder to keep it in."""
        home = Path(instance.root_directory) if instance.is_persistent else None
        path = home / "sound" / f"{grid.family.name}-{asset.replace('/', '-')}.json" if home else None
        try:
            return cls(path, TypeAdapter(_Sound).validate_json(path.read_bytes()) if path else {})
        except (OSError, MemoryError, ValidationError):
            return cls(path)

    def save(self) -> None:
        """Keep it; it only saves time, so a full disk is no error."""
        if self.path is None:
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            scratch = self.path.with_suffix(f".{os.getpid()}.tmp")
            scratch.write_text(json.dumps(self.sound))
            scratch.replace(self.path)


@dataclass(frozen=True)
class Recorded:
    """A file that an event tells of.

    Attributes:
        partition: Dagster's, "" for what has none.
        path: of the file; of a plot or report, of its manifest.
        contents: what events say that it holds, each in 12 hex digits; one of them has to be right.
        read: reads it in full.
    """

    partition: str
    path: Path
    contents: tuple[str, ...]
    read: Callable[[], Iterable[Checked]]


def recorded_cells(
    grid: Grid, store: Store, asset: str, cells: Mapping[str, AssetGaps]
) -> Iterator[Recorded]:
    """The recorded files of checkpoints or an analyzer; `cells` are those of each variant."""
    kind = CHECKPOINTS if asset == "checkpoint" else asset
    for variant, found in cells.items():
        for epoch, version in found.recorded.items():
            address = Address(grid.family.name, variant, kind, epoch)

            def read(address: Address = address) -> list[Checked]:
                return [verify_artifact(store, grid.family, address)]

            yield Recorded(f"{variant}/{epoch}", store.path(address), (version.content,), read)


def reread(recorded: Iterable[Recorded], memory: Memory) -> dict[str, list[str]]:
    """Partition -> what is wrong with its files; those that are known to be sound are left out.

    Updates `memory`. A file that was read just now and is sound has an empty list.
    """
    found: dict[str, list[str]] = {}
    for file in recorded:
        stamp, known = _stamp(file.path), memory.sound.get(file.partition)
        if stamp is None or known is None or known[:2] != stamp:
            checked = list(file.read())
            wrong = [f"{c.path}: {c.finding.problem}: {c.finding.detail}" for c in checked if c.finding]
            found.setdefault(file.partition, []).extend(wrong)
            content = next((c.content for c in checked if c.content), "")
            if wrong or not content:
                memory.sound.pop(file.partition, None)
                if not checked:
                    found[file.partition].append(f"{file.path}: is not there")
                continue
            known = memory.sound[file.partition] = [*(stamp or [0, 0]), short(content)]
        if known[2] not in file.contents:
            told = " or ".join(file.contents)
            wrong = f"{file.path}: it holds {known[2]}, the event log tells of {told}"
            found.setdefault(file.partition, []).append(wrong)
    return found


def _stamp(path: Path) -> list[int | str] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size]
