"""Re-reading files that are new or changed since they were last found sound, and remembering which were.

So a check after a run costs reading what the run wrote, and not the whole store. A byte that changes on disk
while the file's time stays is not seen here; `tdw verify` re-reads everything.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

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
    def of(cls, home: Path | None, grid: Grid, asset: str) -> Memory:
        """Of an asset; empty where there is none, or no folder to keep it in."""
        path = home / "sound" / f"{grid.family.name}-{asset}.json" if home else None
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


def find_unsound(
    grid: Grid, store: Store, asset: str, cells: Mapping[str, AssetGaps], memory: Memory
) -> dict[str, str]:
    """Path -> what is wrong with it, of an asset's recorded files. Updates `memory`.

    Args:
        asset: "checkpoint" or an analyzer's name.
        cells: variant -> its cells of the asset.
    """
    kind = CHECKPOINTS if asset == "checkpoint" else asset
    wrong: dict[str, str] = {}
    for variant, found in cells.items():
        for epoch, version in found.recorded.items():
            address = Address(grid.family.name, variant, kind, epoch)
            key, path = f"{variant}/{epoch}", store.path(address)
            stamp = _stamp(path)
            known = memory.sound.get(key)
            if stamp is None or known is None or known[:2] != stamp:
                checked = verify_artifact(store, grid.family, address)
                if checked.finding is not None:
                    wrong[str(path)] = f"{checked.finding.problem}: {checked.finding.detail}"
                    memory.sound.pop(key, None)
                    continue
                known = memory.sound[key] = [*(stamp or [0, 0]), short(checked.content)]
            if known[2] != version.content:
                wrong[str(path)] = f"it holds {known[2]}, the event log tells of {version.content}"
    return wrong


def _stamp(path: Path) -> list[int | str] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size]
