"""R3: import. Nothing of a bundle is visible before all of it is verified.

Every file is hashed while it is copied to a hidden folder of the store; then the copy is verified like a
store of its own (seals, provenance against place and configuration, weights); then it is compared with what
the store has; then the files are moved to their places, each by an atomic rename.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tdw.errors import CorruptFile, FingerprintMismatch, StoreError, TdwError, listed
from tdw.exchange.archive import REMEDY, Archive, hash_stream
from tdw.exchange.contents import Contents, read_contents
from tdw.exchange.stored_files import stored_cell
from tdw.families.registry import get_family
from tdw.html_repr import html_fields
from tdw.integrity.verify import verify
from tdw.known_settings import under_known_settings
from tdw.store import Address, Store, reading
from tdw.store.fingerprints import short
from tdw.store.layout import CHECKPOINTS, STATES

# An artifact whose checkpoint was left out of the bundle is no damage.
_TOLERATED = ("orphan",)


@dataclass(frozen=True)
class Imported:
    """What an import brought.

    Attributes:
        family: of the variants.
        variants: keys.
        cells: (variant, kind, epoch) of every artifact of the bundle, those that were there already included.
        num_files, nbytes: of the bundle's files.
        num_new: files that were brought in.
        kept: tables and plots that the store has in another form, and keeps.
    """

    family: str
    variants: tuple[str, ...]
    cells: tuple[tuple[str, str, int], ...]
    num_files: int
    nbytes: int
    num_new: int
    kept: tuple[str, ...]

    def _repr_html_(self) -> str:
        return html_fields("Imported", dataclasses.asdict(self))


@under_known_settings
def import_bundle(store: Store, file: str | Path, *, replace: bool = False) -> Imported:
    """Verify a bundle, then bring its files into the store.

    Args:
        store: with a local root.
        file: of the bundle.
        replace: take the bundle's file where the store has another. Without it artifacts that differ are
            refused, and the store's own tables and plots kept.

    Raises:
        NotFound: no such file.
        CorruptFile: any file is not as it was exported, or the manifest lists what is no file of a store.
        FingerprintMismatch: a variant, an artifact or a checkpoint that is not of this configuration, or
            differs from what the store has; lists every difference.
        BadConfig: a family or variant that this version does not know.
        StoreError: the store can't be written.
    """
    bundle = Path(file)
    root = store.root
    with Archive(bundle) as archive:
        contents = read_contents(archive)
        _require_known(contents, bundle)
        try:
            root.mkdir(parents=True, exist_ok=True)
            # The name of a temporary file: what a killed import leaves is known as such, and cleared away.
            staging = Path(tempfile.mkdtemp(prefix=".import-", suffix=f".{os.getpid()}.tmp", dir=root))
        except OSError as error:
            raise StoreError(f"{root}: can't be written ({error})", "correct the permissions") from error
        try:
            nbytes = _stage(archive, contents, staging)
            staged = Store(staging)
            _require_sound(staged, bundle)
            new, kept = _sort_out(store, staged, contents, replace=replace)
            _move(store, staging, new)
        except OSError as error:
            if isinstance(error, TdwError):
                raise
            raise StoreError(
                f"{bundle}: could not be imported ({error.strerror or error})",
                "make room or correct the permissions, then import again",
            ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    cells = [stored_cell(entry.path) for entry in contents.files]
    families = {str(v["family"]) for v in contents.variants.values()}
    return Imported(
        family=next(iter(families)),
        variants=tuple(contents.variants),
        cells=tuple((variant, kind, epoch) for _, variant, kind, epoch in cells if epoch is not None),
        num_files=len(contents.files),
        nbytes=nbytes,
        num_new=len(new),
        kept=tuple(kept),
    )


def _require_known(contents: Contents, bundle: Path) -> None:
    """Hold the variants to the families registered here."""
    families = {str(v["family"]) for v in contents.variants.values()}
    if len(families) != 1:
        raise CorruptFile(f"{bundle}: holds variants of {len(families)} families", REMEDY)
    family = get_family(families.pop())
    differing: list[str] = []
    for key, variant in contents.variants.items():
        config = family.parse_variant(key)
        if variant["fingerprint"] != config.fingerprint or variant["config"] != config.to_dict():
            differing.append(
                f"{key}: {short(variant['fingerprint'])} there, {short(config.fingerprint)} here"
            )
    if differing:
        raise FingerprintMismatch(
            f"{bundle}: variants whose configuration is not what this version makes of their keys:\n  "
            + listed(differing),
            f"use the version of tdw that exported it ({contents.tdw}), or one with the same family",
        )


def _stage(archive: Archive, contents: Contents, staging: Path) -> int:
    """Copy every file, each checked; the bytes in all."""
    nbytes = 0
    for entry in contents.files:
        target = staging / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            archive.copy(contents.prefix + entry.path, out, sha256=entry.sha256)
            out.flush()
            os.fsync(out.fileno())
            nbytes += out.tell()
    return nbytes


def _require_sound(staged: Store, bundle: Path) -> None:
    """Verify the copy as a store of its own."""
    found = [checked.finding for checked in verify(staged) if checked.finding is not None]
    wrong = [finding for finding in found if finding.problem not in _TOLERATED]
    if wrong:
        root = str(staged.root)
        lines = [f"{f.path.removeprefix(root).lstrip('/')}: {f.problem}: {f.detail}" for f in wrong]
        raise FingerprintMismatch(
            f"{bundle}: files that are not what they say they are:\n  {listed(lines)}", REMEDY
        )


def _sort_out(
    store: Store, staged: Store, contents: Contents, *, replace: bool
) -> tuple[list[str], list[str]]:
    """What to bring in, and what of the store to keep: tables and plots that it has in another form.

    Raises:
        FingerprintMismatch: artifacts or checkpoints that differ from the store's; lists them.
    """
    new: list[str] = []
    kept: list[str] = []
    differing: list[str] = []
    for entry in contents.files:
        there: Path = store.root / entry.path
        family, variant, kind, epoch = stored_cell(entry.path)
        same = there.exists() and _hash(there) == entry.sha256
        if epoch is not None and kind not in (CHECKPOINTS, STATES):
            differing += _other_checkpoint(store, staged, Address(family, variant, kind, epoch))
        if not same and (replace or not there.exists()):
            new.append(entry.path)
        elif not same and kind:
            differing.append(f"{entry.path}: the store has another")
        elif not same:
            kept.append(entry.path)
    if differing:
        raise FingerprintMismatch(
            f"the bundle and the store differ:\n  {listed(differing)}",
            "import into another store, or replace the store's files with --replace",
        )
    # A plot whose manifest stays needs none of the bundle's pictures.
    plots = tuple(path.removesuffix("manifest.json") for path in kept if path.endswith("/manifest.json"))
    return [path for path in new if not path.startswith(plots)], kept


def _hash(path: Path) -> str:
    with reading.opened(path) as source:
        return hash_stream(source)[1]


def _other_checkpoint(store: Store, staged: Store, address: Address) -> Sequence[str]:
    """An artifact whose checkpoint is not in the bundle, and is another one in the store."""
    checkpoint = Address(address.family, address.variant, CHECKPOINTS, address.epoch)
    if staged.exists(checkpoint) or not store.exists(checkpoint):
        return ()
    here = store.provenance(checkpoint).checkpoint_fingerprint
    there = staged.provenance(address).checkpoint_fingerprint
    if here == there:
        return ()
    return (f"{address.relative}: made from checkpoint {short(there)}, the store has {short(here)}",)


def _move(store: Store, staging: Path, paths: Sequence[str]) -> None:
    """Rename into place, checkpoints first and plot manifests last; then make the renames durable."""
    with contextlib.ExitStack() as locks:
        # A plot is not whole before its manifest is in: till then nobody may repair the store.
        for family, variant in sorted({stored_cell(path)[:2] for path in paths}):
            locks.enter_context(store.lock(family, variant, "import"))
        _rename(store.root, staging, paths)


def _rename(root: Path, staging: Path, paths: Sequence[str]) -> None:

    def order(path: str) -> tuple[bool, bool, str]:
        return (path.endswith("/manifest.json"), f"/{CHECKPOINTS}/" not in path, path)

    folders: set[Path] = set()
    for path in sorted(paths, key=order):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / path).replace(target)
        folders.add(target.parent)
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
