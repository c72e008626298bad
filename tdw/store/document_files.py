"""The files of a plot or a report, committed as one: a folder named by content, then a manifest.

The manifest is the commit: a reader that follows it sees files that belong together, and files of a folder
never change, so a browser may keep them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tdw.errors import CorruptFile, NotFound
from tdw.store import reading, seal
from tdw.store.commit import write_atomic
from tdw.store.layout import validate_name
from tdw.store.provenance import Provenance

MANIFEST = "manifest.json"
CONTENT = re.compile(r"[0-9a-f]{16}")
"""The name of a folder of files: the first digits of their fingerprint. Others' folders have other names."""


@dataclass(frozen=True)
class StoredDocument:
    """A committed plot or report.

    Attributes:
        folder: where its files are; the last part is the content's fingerprint.
        files: file name -> (bytes, SHA-256).
    """

    folder: Path
    files: Mapping[str, tuple[int, str]]
    provenance: Provenance

    def read(self, name: str) -> bytes:
        """One file, checked.

        Raises:
            NotFound: the plot has no such file.
            CorruptFile: its bytes are not what was committed.
            Unreadable: the system refuses to read it.
        """
        path = self.folder / validate_name(name, what="file of a plot")
        if name not in self.files:
            raise NotFound(f"{path}: not a file of this plot", f"it has: {', '.join(self.files)}")
        try:
            data = reading.read_bytes(path)
        except (FileNotFoundError, NotADirectoryError):
            raise CorruptFile(f"{path}: missing, though its manifest names it", seal.REMEDY) from None
        if hashlib.sha256(data).hexdigest() != self.files[name][1]:
            raise CorruptFile(f"{path}: not the bytes that were committed", seal.REMEDY)
        return data


def write(folder: Path, files: Mapping[str, bytes], provenance: Provenance) -> tuple[str, int]:
    """Commit `files` as the plot in `folder`; what the manifest named before is deleted afterwards.

    Returns:
        The content's fingerprint (64 hex digits) and the bytes written.
    """
    listed = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items())}
    content = _content(listed)
    for name, data in files.items():
        write_atomic(folder / content[:16] / validate_name(name, what="file of a plot"), data)
    note = {"seal": seal.blank(), "content": content, "files": listed, "provenance": provenance.to_json()}
    sealed, _ = seal.seal(json.dumps(note, indent=1).encode())
    write_atomic(folder / MANIFEST, sealed)
    for other in folder.iterdir():
        old = CONTENT.fullmatch(other.name) and other.name != content[:16]
        if old and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
    return content, sum(map(len, files.values())) + len(sealed)


def _content(listed: Mapping[str, tuple[int, str]]) -> str:
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def read(folder: Path) -> StoredDocument:
    """Open a plot.

    Raises:
        NotFound: there is none.
        CorruptFile: the manifest is damaged.
        Unreadable: the manifest is sound, but can't be read here.
    """
    path = folder / MANIFEST
    try:
        data = reading.read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{path}: no such plot", "materialize it, or run `tdw fill`") from None
    seal.check(data, path=path)
    with reading.content(path):
        note = json.loads(data)
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in note["files"].items()}
        provenance = Provenance.from_json(note["provenance"], path=path)
        # The folder's name comes from what the manifest lists, never from a text in it.
        content = _content(files)
        if content != note["content"]:
            raise ValueError("its content is not what it lists")
    return StoredDocument(folder / content[:16], files, provenance)
