"""R3: export. One archive: artifacts, configurations, fingerprints, a manifest with checksums, a README.

The manifest is the first file and seals itself, so a reader can trust it before it reads on. Memory does not
grow with the archive: files are hashed and then copied in blocks.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tdw.errors import BadConfig, CorruptFile, NotFound, StoreError
from tdw.exchange import archive
from tdw.exchange.archive import Entry, validate_path
from tdw.html_repr import html_fields
from tdw.recipes.family import Family
from tdw.store import Store, seal
from tdw.store.layout import COMPARISON, STATES

MANIFEST, README = "manifest.json", "README.md"
FORMAT = 1
MAX_MANIFEST = 256 << 20
_STORED = re.compile(
    r"(?P<family>\w[\w.\-]*)/(?P<variant>\w[\w.\-]*)/"
    r"(?:(?P<kind>\w[\w.\-]*)/(?P<epoch>\d{5,})\.safetensors|summaries/\w[\w.\-]*\.parquet"
    r"|plots/\w[\w.\-]*/(?:[0-9a-f]{16}/)?\w[\w.\-]*)"
)


@dataclass(frozen=True)
class Manifest:
    """The table of contents.

    Attributes:
        variants: key -> {"family", "fingerprint", "config"}.
        files: of the archive after the manifest, in its order.
        tdw: version that wrote it.
    """

    variants: Mapping[str, Mapping[str, Any]]
    files: tuple[Entry, ...]
    tdw: str


@dataclass(frozen=True)
class Exported:
    """What was written: path, bytes, SHA-256 (64 hex digits) of the archive, files and variants in it."""

    path: str
    nbytes: int
    sha256: str
    num_files: int
    variants: tuple[str, ...]

    def _repr_html_(self) -> str:
        return html_fields("Exported", dataclasses.asdict(self))


def export_bundle(
    store: Store,
    family: Family,
    variants: Sequence[str],
    file: str | Path,
    *,
    include: Collection[str] | None = None,
) -> Exported:
    """Write a bundle.

    Args:
        store: where the files are.
        family: of the variants.
        variants: their keys.
        file: of the archive, by custom "*.tdw.tar"; replaced when the export is complete.
        include: kinds to take: "checkpoints", "states", analyzers, "summaries" (with the history), "plots",
            "comparison" (tables, plots and reports over variants). None for all but the states.

    Raises:
        NotFound: a variant, or a kind, of which nothing is stored.
        BadConfig: a key that is no variant's.
        CorruptFile: a file that is damaged, or changes meanwhile; it is not exported.
        StoreError: the archive can't be written.
    """
    described: dict[str, dict[str, Any]] = {}
    for key in variants:
        config = family.parse_variant(key)
        described[key] = {
            "family": family.name,
            "fingerprint": config.fingerprint,
            "config": config.to_dict(),
        }
    found = _files(store, family.name, list(described), include)
    entries = [_entry(path, relative) for relative, path in found]
    readme = _readme(described, entries).encode()
    contents = [Entry(README, len(readme), hashlib.sha256(readme).hexdigest()), *entries]
    manifest = _encode(Manifest(described, tuple(contents), version("training-dynamics-workbench")))
    target = Path(file)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as out:
            first = Entry(MANIFEST, len(manifest), hashlib.sha256(manifest).hexdigest())
            archive.write_file(out, first, io.BytesIO(manifest))
            archive.write_file(out, contents[0], io.BytesIO(readme))
            for entry, (_, path) in zip(entries, found, strict=True):
                with path.open("rb") as source:
                    archive.write_file(out, entry, source)
            archive.write_end(out)
            out.flush()
            os.fsync(out.fileno())
        with temporary.open("rb") as written:
            size, digest = archive.hash_stream(written)
        temporary.replace(target)
    except FileNotFoundError as error:
        raise CorruptFile(
            f"{error.filename}: vanished while it was exported", "export again when no run is writing"
        ) from error
    except OSError as error:
        raise StoreError(
            f"{target}: could not be written ({error.strerror or error})", "make room or choose another place"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(str(target), size, digest, len(contents), tuple(described))


def read_manifest(data: bytes, *, where: object) -> Manifest:
    """The manifest from its bytes.

    Raises:
        CorruptFile: it is damaged, lists a path outside the store's layout, a path twice, or too much.
    """
    seal.check(data, path=f"{where}: {MANIFEST}")
    try:
        note = json.loads(data)
        if note["format"] != FORMAT:
            raise ValueError(f"format {note['format']!r}")
        files = tuple(
            Entry(validate_path(str(path)), int(size), str(digest)) for path, size, digest in note["files"]
        )
        variants = {
            str(key): {
                "family": str(v["family"]),
                "fingerprint": str(v["fingerprint"]),
                "config": v["config"],
            }
            for key, v in note["variants"].items()
        }
        manifest = Manifest(variants, files, str(note["tdw"]))
        _check(manifest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptFile(
            f"{where}: {MANIFEST} is not one that tdw reads: {error}", archive.REMEDY
        ) from error
    return manifest


def stored_cell(path: str) -> tuple[str, str, str, int | None]:
    """Family, variant, kind and epoch of a file below a store's root; kind is "" for tables and plots.

    Raises:
        BadConfig: a path that is not of the store's layout.
    """
    match = _STORED.fullmatch(path)
    if match is None:
        raise BadConfig(f"{path[:120]!r} is no file of a store", "a bundle holds files of a store only")
    epoch = match["epoch"]
    return match["family"], match["variant"], match["kind"] or "", None if epoch is None else int(epoch)


def _check(manifest: Manifest) -> None:
    paths = [entry.path for entry in manifest.files]
    if not paths or paths[0] != README or len(paths) > archive.MAX_FILES:
        raise ValueError("it does not begin with the README, or lists too many files")
    if len(set(paths)) != len(paths):
        raise ValueError("it lists a path twice")
    for entry in manifest.files:
        if entry.size < 0 or not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
            raise ValueError(f"size or checksum of {entry.path}")
    for path in paths[1:]:
        family, variant, _, _ = stored_cell(path)
        known = manifest.variants.get(variant)
        if variant == COMPARISON:
            if family not in {v["family"] for v in manifest.variants.values()}:
                raise ValueError(f"{path} is of a family without a variant")
        elif known is None or known["family"] != family:
            raise ValueError(f"{path} is of a variant that it does not describe")


def _encode(manifest: Manifest) -> bytes:
    note = {
        "seal": seal.blank(),
        "format": FORMAT,
        "tdw": manifest.tdw,
        "variants": manifest.variants,
        "files": [[entry.path, entry.size, entry.sha256] for entry in manifest.files],
    }
    return bytes(seal.seal(json.dumps(note, indent=1).encode())[0])


def _files(
    store: Store, family: str, variants: Sequence[str], include: Collection[str] | None
) -> list[tuple[str, Any]]:
    """Relative path and path of what to export, in order.

    Raises:
        NotFound: a variant or a kind of which there is nothing.
    """
    found: list[tuple[str, Any]] = []
    seen = set[str]()
    wanted_comparison = include is None or "comparison" in include
    for variant in [*variants, *([COMPARISON] if wanted_comparison else [])]:
        folder = store.root / family / variant
        kinds = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if variant != COMPARISON and not kinds:
            raise NotFound(
                f"{folder}: nothing of this variant is stored",
                f"there is: {', '.join(store.variants(family))}",
            )
        for kind in kinds:
            taken = (
                variant == COMPARISON
                or (include is None and kind != STATES)
                or (include is not None and kind in include)
            )
            if not taken:
                continue
            for relative, path in _walk(folder / kind, f"{family}/{variant}/{kind}"):
                if _STORED.fullmatch(relative):
                    found.append((relative, path))
                    seen.add("comparison" if variant == COMPARISON else kind)
    lacking = sorted(set(include or ()) - seen)
    if lacking:
        raise NotFound(
            f"nothing of {', '.join(lacking)} is stored for {', '.join(variants)}",
            f"there is: {', '.join(sorted(seen)) or 'nothing'}; or compute it first",
        )
    return sorted(found, key=lambda item: item[0])


def _walk(folder: Any, relative: str) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path, f"{relative}/{path.name}")
        elif not (isinstance(path, Path) and path.is_symlink()):
            yield f"{relative}/{path.name}", path


def _entry(path: Any, relative: str) -> Entry:
    try:
        with path.open("rb") as source:
            size, digest = archive.hash_stream(source)
    except OSError as error:
        raise CorruptFile(
            f"{path}: can't be read ({error})", "run `tdw verify`, then export again"
        ) from error
    return Entry(relative, size, digest)


def _readme(variants: Mapping[str, Mapping[str, Any]], entries: Sequence[Entry]) -> str:
    kinds: dict[str, int] = {}
    for entry in entries:
        kinds[entry.path.split("/")[2]] = kinds.get(entry.path.split("/")[2], 0) + 1
    lines = [
        "# A bundle of the Training Dynamics Workbench",
        "",
        "Checkpoints, analyses and tables of trained models. `manifest.json` has the size and the SHA-256 "
        "of every",
        "file, and the configuration and fingerprint of every variant.",
        "",
        "Load it with `tdw import FILE`, which checks every byte before it shows anything. Without tdw: it "
        "is a",
        "tar file; `*.safetensors` are safetensors (weights under TransformerLens names, others documented "
        "by",
        "their analyzer), `*.parquet` are tables.",
        "",
        "| variant | family | fingerprint |",
        "|---|---|---|",
        *(f"| {key} | {v['family']} | {v['fingerprint']} |" for key, v in variants.items()),
        "",
        "| kind | files |",
        "|---|---|",
        *(f"| {kind} | {count} |" for kind, count in sorted(kinds.items())),
        "",
    ]
    return "\n".join(lines)
