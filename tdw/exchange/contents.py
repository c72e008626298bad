"""The table of contents of a bundle: today's (BagIt, RFC 8493), and the one that earlier versions wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tdw.errors import CorruptFile
from tdw.exchange.archive import REMEDY, Archive, Entry, validate_path
from tdw.exchange.stored_files import stored_cell
from tdw.store import seal
from tdw.store.layout import compared_study

ROOT = "tdw-bundle"
BAGIT, INFO, README, VARIANTS = "bagit.txt", "bag-info.txt", "README.md", "variants.json"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
TAG_FILES = (BAGIT, INFO, README, VARIANTS, MANIFEST)
FORMAT = 2
_OLD_MANIFEST, _OLD_FORMAT = "manifest.json", 1
_MAX_TEXT = 256 << 20  # bytes of a manifest: two million files
_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S[^\n]*)")


@dataclass(frozen=True)
class Contents:
    """What a bundle holds.

    Attributes:
        variants: key -> {"family", "fingerprint", "config"}.
        files: of a store, with their paths in it.
        prefix: of these paths in the archive.
        tdw: version that wrote it.
    """

    variants: Mapping[str, Mapping[str, Any]]
    files: tuple[Entry, ...]
    prefix: str
    tdw: str


def format_manifest(entries: Sequence[Entry]) -> str:
    """Lines that `sha256sum -c` reads."""
    return "".join(f"{entry.sha256}  {entry.path}\n" for entry in entries)


def format_variants(variants: Mapping[str, Mapping[str, Any]], version: str) -> str:
    """The configuration and fingerprint of each variant, as JSON."""
    return json.dumps({"format": FORMAT, "tdw": version, "variants": variants}, indent=1) + "\n"


def read_contents(archive: Archive) -> Contents:
    """The table of contents; the files themselves are not checked.

    Raises:
        CorruptFile: it is damaged, does not account for every file of the archive, or lists a file that is
            not of a store or not of a variant that it describes.
    """
    try:
        old = _OLD_MANIFEST in archive.sizes
        contents, beside = _read_old(archive) if old else _read_bag(archive)
        _check(contents)
        listed = {contents.prefix + entry.path for entry in contents.files} | beside
        if listed != set(archive.sizes):
            odd = sorted(listed ^ set(archive.sizes))[:5]
            raise ValueError(f"it does not account for {', '.join(odd)}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptFile(
            f"{archive.where}: its table of contents is not one that tdw reads: {error}", REMEDY
        ) from error
    return contents


def _read_bag(archive: Archive) -> tuple[Contents, set[str]]:
    roots = [name.removesuffix(f"/{BAGIT}") for name in archive.sizes if name.endswith(f"/{BAGIT}")]
    if len(roots) != 1 or "/" in roots[0]:
        raise ValueError(f"there is no {ROOT}/{BAGIT}")
    root = roots[0]
    tags = {path: sha256 for sha256, path in _lines(archive, f"{root}/{TAG_MANIFEST}")}
    if set(tags) != set(TAG_FILES):
        raise ValueError(f"{TAG_MANIFEST} lists {', '.join(sorted(tags))}")
    for path, sha256 in tags.items():
        archive.copy(f"{root}/{path}", _NOWHERE, sha256=sha256)
    note = json.loads(archive.read_text(f"{root}/{VARIANTS}", limit=_MAX_TEXT))
    if note["format"] != FORMAT:
        raise ValueError(f"format {note['format']!r}")
    files = [Entry(_payload(path), sha256) for sha256, path in _lines(archive, f"{root}/{MANIFEST}")]
    contents = Contents(_variants(note), tuple(files), f"{root}/data/", str(note["tdw"]))
    return contents, {f"{root}/{name}" for name in (*TAG_FILES, TAG_MANIFEST)}


def _read_old(archive: Archive) -> tuple[Contents, set[str]]:
    data = archive.read_text(_OLD_MANIFEST, limit=_MAX_TEXT)
    seal.check(data, path=f"{archive.where}: {_OLD_MANIFEST}")
    note = json.loads(data)
    if note["format"] != _OLD_FORMAT:
        raise ValueError(f"format {note['format']!r}")
    listed = [(str(path), int(size), str(sha256)) for path, size, sha256 in note["files"]]
    if any(archive.sizes.get(path) != size for path, size, _ in listed):
        raise ValueError("sizes that the archive does not have")
    entries = [Entry(validate_path(path), sha256) for path, _, sha256 in listed]
    if not entries or entries[0].path != README:
        raise ValueError(f"it does not begin with {README}")
    archive.copy(README, _NOWHERE, sha256=entries[0].sha256)
    return Contents(_variants(note), tuple(entries[1:]), "", str(note["tdw"])), {_OLD_MANIFEST, README}


def _lines(archive: Archive, name: str) -> list[tuple[str, str]]:
    """(SHA-256, path) of each line of a manifest."""
    text = archive.read_text(name, limit=_MAX_TEXT).decode()
    if text and not text.endswith("\n"):
        raise ValueError(f"{name} is cut off")
    matches = [_LINE.fullmatch(line) for line in text.splitlines()]
    if None in matches:
        raise ValueError(f"a line of {name}")
    return [(match[1], match[2]) for match in matches if match is not None]


def _payload(path: str) -> str:
    if not path.startswith("data/"):
        raise ValueError(f"{path[:120]!r} is not below data/")
    return validate_path(path.removeprefix("data/"))


def _variants(note: Any) -> dict[str, dict[str, Any]]:
    return {
        str(key): {"family": str(v["family"]), "fingerprint": str(v["fingerprint"]), "config": v["config"]}
        for key, v in note["variants"].items()
    }


def _check(contents: Contents) -> None:
    paths = [entry.path for entry in contents.files]
    if len(set(paths)) != len(paths):
        raise ValueError("it lists a path twice")
    families = {v["family"] for v in contents.variants.values()}
    for path in paths:
        family, variant, _, _ = stored_cell(path)
        known = contents.variants.get(variant)
        if compared_study(variant) is not None:
            if family not in families:
                raise ValueError(f"{path} is of a family without a variant")
        elif known is None or known["family"] != family:
            raise ValueError(f"{path} is of a variant that it does not describe")


class _Nowhere:
    """Takes bytes that are only to be checked."""

    def write(self, data: bytes) -> int:
        return len(data)


_NOWHERE: Any = _Nowhere()
