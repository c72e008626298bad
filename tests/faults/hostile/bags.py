"""Bundles taken apart and put together again, as an attacker or an earlier version would."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tdw.store import seal

ROOT = "tdw-bundle/"
Files = dict[str, bytes]


def read_tar(file: Path) -> Files:
    """Name -> content of every file of an archive."""
    with tarfile.open(file) as opened:
        return {m.name: opened.extractfile(m).read() for m in opened.getmembers()}  # type: ignore[union-attr]


def write_tar(target: Path, files: Files) -> None:
    with tarfile.open(target, "w") as opened:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))


def unpack(file: Path) -> tuple[Files, dict[str, Any]]:
    """The files of a store in a bundle, and its variants."""
    everything, data = read_tar(file), f"{ROOT}data/"
    files = {name.removeprefix(data): found for name, found in everything.items() if name.startswith(data)}
    return files, json.loads(everything[f"{ROOT}variants.json"])


def bag(files: Files, note: Any) -> Files:
    """The files of a bundle whose checksums are right, whatever is in it; the payload comes last."""
    payload = {f"data/{path}": data for path, data in files.items()}
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": b"",
        "README.md": b"",
        "variants.json": json.dumps(note).encode(),
        "manifest-sha256.txt": _sha256sum(payload),
    }
    everything = {**tags, "tagmanifest-sha256.txt": _sha256sum(tags), **payload}
    return {ROOT + path: data for path, data in everything.items()}


def forge(bundle: Path, target: Path, change: Callable[[Files, Any], tuple[Files, Any]]) -> None:
    """A bundle whose manifests and files are consistent: `change` edits files and variants."""
    write_tar(target, bag(*change(*unpack(bundle))))


def write_old(bundle: Path, target: Path) -> None:
    """The same as versions before BagIt wrote it: a sealed manifest.json, the README, the files."""
    files, note = unpack(bundle)
    files = {"README.md": b"# A bundle", **files}
    listed = [[path, len(data), hashlib.sha256(data).hexdigest()] for path, data in files.items()]
    of = {"seal": seal.blank(), "format": 1, "tdw": note["tdw"], "variants": note["variants"]}
    manifest = json.dumps({**of, "files": listed}).encode()
    write_tar(target, {"manifest.json": bytes(seal.seal(manifest)[0]), **files})


def visible(root: Path) -> dict[str, str]:
    """Path -> checksum of every file of a store that is no lock."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and "locks" not in path.parts)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _sha256sum(files: Files) -> bytes:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in files.items()]
    return "".join(lines).encode("utf-8", "surrogateescape")
