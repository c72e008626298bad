"""R3: export. One archive in BagIt's layout (RFC 8493): artifacts, configurations, fingerprints, checksums.

    tdw-bundle/bagit.txt, bag-info.txt, README.md, variants.json
    tdw-bundle/manifest-sha256.txt, tagmanifest-sha256.txt
    tdw-bundle/data/{family}/{variant}/...    as in the store

`sha256sum -c manifest-sha256.txt` in the unpacked folder, or anyone's BagIt tool, checks it without tdw.
Memory does not grow with the archive: files are hashed and then copied in blocks.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from tdw.errors import CorruptFile, StoreError, Unreadable
from tdw.exchange import contents
from tdw.exchange.archive import Entry, Writer, hash_stream, validate_path
from tdw.exchange.contents import ROOT
from tdw.exchange.stored_files import find_files
from tdw.html_repr import html_fields
from tdw.known_settings import under_known_settings
from tdw.recipes.family import Family
from tdw.store import Store, reading

_README = """\
# A bundle of the Training Dynamics Workbench

Checkpoints, analyses and tables of trained models, in BagIt's layout (RFC 8493). `data/` holds the files of
a store, `manifest-sha256.txt` the SHA-256 of each, `variants.json` the configuration and fingerprint of
every variant.

`tdw import FILE` checks every file before it shows anything. Without tdw, `sha256sum -c
manifest-sha256.txt` checks the files. `*.safetensors` are safetensors (weights under TransformerLens names,
others documented by their analyzer), `*.parquet` are tables.

| variant | family | fingerprint |
|---|---|---|
{variants}

| kind | files |
|---|---|
{kinds}
"""


@dataclass(frozen=True)
class Exported:
    """What was written: path, bytes, SHA-256 (64 hex digits) of the archive, files and variants in it; and
    paths in the store of symbolic links, which were left out.
    """

    path: str
    nbytes: int
    sha256: str
    num_files: int
    variants: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        return html_fields("Exported", dataclasses.asdict(self))


@dataclass(frozen=True)
class _Source:
    """A file to export."""

    entry: Entry
    path: Any
    size: int


@under_known_settings
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
        Unreadable: a file or folder that can't be read, or is no regular file; says nothing of its bytes.
        StoreError: the archive can't be written.
    """
    described = {key: _describe(family, key) for key in variants}
    found = find_files(store, family.name, variants, include)
    sources = [_look(path, relative) for relative, path in found.files]
    tags = _tag_files(described, sources)
    target = Path(file)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as out:
            archive = Writer(out)
            for name, text in tags.items():
                archive.add_text(f"{ROOT}/{name}", text)
            for source in sources:
                with _open(source.path) as stream:
                    name = f"{ROOT}/data/{source.entry.path}"
                    archive.add_file(name, stream, size=source.size, sha256=source.entry.sha256)
            archive.close()
            out.flush()
            os.fsync(out.fileno())
        with temporary.open("rb") as written:
            size, digest = hash_stream(written)
        temporary.replace(target)
    except Unreadable:
        raise
    except OSError as error:
        raise StoreError(
            f"{target}: could not be written ({error.strerror or error})", "make room or choose another place"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(str(target), size, digest, len(sources), tuple(described), tuple(found.links))


def _describe(family: Family, key: str) -> dict[str, Any]:
    config = family.parse_variant(key)
    return {"family": family.name, "fingerprint": config.fingerprint, "config": config.to_dict()}


def _open(path: Any) -> BinaryIO:
    """Only the opening is blamed on the source: what fails later may be the archive's disk."""
    try:
        return reading.open_file(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _vanished(path) from error


def _vanished(path: Any) -> CorruptFile:
    return CorruptFile(f"{path}: vanished while it was exported", "export again when no run is writing")


def _look(path: Any, relative: str) -> _Source:
    try:
        with reading.opened(path) as source:
            size, digest = hash_stream(source)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _vanished(path) from error
    return _Source(Entry(validate_path(relative), digest), path, size)


def _tag_files(variants: Mapping[str, Mapping[str, Any]], sources: Sequence[_Source]) -> dict[str, str]:
    """The files beside the data, by name. Equal data give equal files, so they hold no date."""
    tdw = version("training-dynamics-workbench")
    data = [Entry(f"data/{source.entry.path}", source.entry.sha256) for source in sources]
    size = sum(source.size for source in sources)
    tags = {
        contents.BAGIT: "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        contents.INFO: f"Bag-Software-Agent: tdw {tdw}\nPayload-Oxum: {size}.{len(sources)}\n",
        contents.README: _readme(variants, sources),
        contents.VARIANTS: contents.format_variants(variants, tdw),
        contents.MANIFEST: contents.format_manifest(data),
    }
    marks = [Entry(name, hashlib.sha256(text.encode()).hexdigest()) for name, text in tags.items()]
    return {**tags, contents.TAG_MANIFEST: contents.format_manifest(marks)}


def _readme(variants: Mapping[str, Mapping[str, Any]], sources: Sequence[_Source]) -> str:
    kinds = Counter(source.entry.path.split("/")[2] for source in sources)
    return _README.format(
        variants="\n".join(f"| {key} | {v['family']} | {v['fingerprint']} |" for key, v in variants.items()),
        kinds="\n".join(f"| {kind} | {count} |" for kind, count in sorted(kinds.items())),
    )
