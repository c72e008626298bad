"""Re-read files that are new or changed since they were last found sound, and remember which were.

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

from pydantic import TypeAdapter, ValidationError

from tdw.families import Family
from tdw.integrity.file_problems import Checked
from tdw.integrity.tables import check_plot, check_table
from tdw.integrity.verify import verify_artifact
from tdw.inventory.cells import AssetGaps
from tdw.inventory.products import Product, stored_kind
from tdw.inventory.wanted import Wanted
from tdw.store import Address, Store, TableAddress
from tdw.store.document_files import MANIFEST
from tdw.store.fingerprints import short

_Sound = dict[str, list[int | str]]
_OTHERS = ("orphan", "not ours")  # beside a plot, not of it


@dataclass
class Memory:
    """What was found sound before: cell -> [time of its file in ns, bytes, content in 12 hex digits]."""

    path: Path | None
    sound: _Sound = field(default_factory=_Sound)

    @classmethod
    def read(cls, path: Path | None) -> Memory:
        """From its file; empty where there is none that can be read, or with None no place to keep it in."""
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
    """A file that is recorded.

    Attributes:
        cell: what it is of: "variant/epoch", a variant, or "" for what covers all variants.
        path: of the file; of a plot or report, of its manifest.
        contents: recorded contents, each in 12 hex digits; the file has to hold one of them.
        read: reads it in full.
    """

    cell: str
    path: Path
    contents: tuple[str, ...]
    read: Callable[[], Iterable[Checked]]


def recorded_cells(
    store: Store, family: Family, name: str, cells: Mapping[str, AssetGaps]
) -> Iterator[Recorded]:
    """The recorded files of checkpoints or an analyzer; `cells` are those of each variant."""
    for variant, found in cells.items():
        for epoch, version in found.recorded.items():
            address = Address(family.name, variant, stored_kind(name), epoch)

            def read(address: Address = address) -> list[Checked]:
                return [verify_artifact(store, family, address)]

            yield Recorded(f"{variant}/{epoch}", store.path(address), (version.content,), read)


def recorded_product(
    store: Store, wanted: Wanted, product: Product, variant: str, contents: tuple[str, ...]
) -> Recorded:
    """A recorded table, figure or report, of a variant or with "" of the study."""
    family, of = wanted.family, variant or wanted.study.folder
    if product.kind in ("summaries", "history"):
        address = TableAddress(family.name, of, product.short_name)
        path: Path = store.path(address)
        return Recorded(variant, path, contents, lambda: [check_table(address, path)])
    folder: Path = store.document_folder(family.name, of, product.short_name)

    def read() -> list[Checked]:
        found = check_plot(store, family, of, folder)
        return [file for file in found if not (file.finding and file.finding.problem in _OTHERS)]

    return Recorded(variant, folder / MANIFEST, contents, read)


def reread(recorded: Iterable[Recorded], memory: Memory) -> dict[str, list[str]]:
    """Cell -> what is wrong with its files; those that are known to be sound are left out.

    Updates `memory` and saves it. A file that was read just now and is sound has an empty list.
    """
    found: dict[str, list[str]] = {}
    for file in recorded:
        stamp, known = _stamp(file.path), memory.sound.get(file.cell)
        if stamp is None or known is None or known[:2] != stamp:
            checked = list(file.read())
            wrong = [f"{c.path}: {c.finding.problem}: {c.finding.detail}" for c in checked if c.finding]
            found.setdefault(file.cell, []).extend(wrong)
            content = next((c.content for c in checked if c.content), "")
            if wrong or not content:
                memory.sound.pop(file.cell, None)
                if not checked:
                    found[file.cell].append(f"{file.path}: is not there")
                continue
            known = memory.sound[file.cell] = [*(stamp or [0, 0]), short(content)]
        if known[2] not in file.contents:
            wrong = f"{file.path}: it holds {known[2]}, but {' or '.join(file.contents)} is recorded"
            found.setdefault(file.cell, []).append(wrong)
    memory.save()
    return found


def _stamp(path: Path) -> list[int | str] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size]
