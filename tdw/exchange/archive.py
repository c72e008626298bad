"""The tar file around a bundle: written the same from the same files, read with distrust.

Only plain files are read, each name once, nothing outside the archive's own bytes. A checksum covers the
content of a file, so bytes that nobody reads (padding, owners, times) are free. Both sides work in blocks
of a mebibyte, whatever the sizes.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable
from tdw.store import reading

BLOCK = 1 << 20
MAX_FILES = 2_000_000
REMEDY = "copy or export the bundle again; nothing of it was imported"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
_FILE_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE)


@dataclass(frozen=True)
class Entry:
    """One file: its path in the bundle and the SHA-256 of its content (64 hex digits)."""

    path: str
    sha256: str


def validate_path(path: str) -> str:
    """A relative path of plain names, at most 8 deep.

    Raises:
        BadConfig: absolute, with "..", hidden, too long or with other characters.
    """
    parts = path.split("/")
    plain = all(_PART.fullmatch(part) and ".." not in part for part in parts)
    if not plain or len(parts) > 8 or len(path) > 200:
        raise BadConfig(
            f"{path[:120]!r} can't be the path of a file in a bundle",
            "paths are relative, of letters, digits, '_', '-' and single dots",
        )
    return path


def hash_stream(source: BinaryIO) -> tuple[int, str]:
    """Size and SHA-256 of a stream."""
    digest, size = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


class Writer:
    """Appends files to a tar file; headers hold name and size, and nothing of this machine."""

    def __init__(self, target: BinaryIO) -> None:
        self._tar = tarfile.TarFile(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)

    def add_text(self, name: str, text: str) -> None:
        """Append a small file."""
        data = text.encode()
        self._tar.addfile(_header(name, len(data)), io.BytesIO(data))

    def add_file(self, name: str, source: BinaryIO, *, size: int, sha256: str) -> None:
        """Append a file whose size and checksum are known.

        Raises:
            CorruptFile: the source's bytes are others: it changed meanwhile.
        """
        hashing = _Hashing(source)
        try:
            self._tar.addfile(_header(name, size), hashing)
        except OSError as error:
            if error.errno is not None:
                raise
            hashing.changed = True  # tarfile's own error, of a source that became shorter
        if hashing.changed or hashing.hexdigest() != sha256 or source.read(1):
            raise CorruptFile(f"{name}: changed while it was exported", "export again when no run is writing")

    def close(self) -> None:
        """Write the end of the archive."""
        self._tar.close()


class _Hashing(io.RawIOBase):
    """Hashes what is read through it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source, self._digest, self.changed = source, hashlib.sha256(), False

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class Archive:
    """A tar file of plain files, opened for reading. Use as a context manager.

    Attributes:
        where: its path, for messages.

    Raises:
        NotFound: it can't be opened.
        Unreadable: it is no regular file.
        CorruptFile: it is no tar file, cut off, or holds links, devices, or a name twice.
    """

    def __init__(self, where: Path) -> None:
        self.where = where
        try:
            reading.require_regular(where)
            self._source = where.open("rb")
        except Unreadable:
            raise
        except OSError as error:
            raise NotFound(
                f"{where}: can't be opened ({error.strerror})", "give the path of a bundle"
            ) from error
        try:
            self._tar = tarfile.TarFile(fileobj=self._source, mode="r")
            self._members = self._read_members(where.stat().st_size)
        except (tarfile.TarError, ValueError, OverflowError, RecursionError, EOFError) as error:
            self._source.close()
            raise CorruptFile(f"{where}: not a bundle of tdw ({error})", REMEDY) from error
        except CorruptFile:
            self._source.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every file, by name."""
        return {name: member.size for name, member in self._members.items()}

    def read_text(self, name: str, *, limit: int) -> bytes:
        """A small file, whole.

        Raises:
            CorruptFile: there is none of this name, it is larger than `limit` bytes, or cut off.
        """
        member = self._members.get(name)
        if member is None or member.size > limit:
            what = "missing" if member is None else f"{member.size:,} bytes, more than {limit:,}"
            raise CorruptFile(f"{self.where}: {name} is {what}", REMEDY)
        return self._open(name).read()

    def copy(self, name: str, target: BinaryIO, *, sha256: str) -> None:
        """Copy a file, which has to have this checksum.

        Raises:
            CorruptFile: it has not, or is cut off.
        """
        digest, source = hashlib.sha256(), self._open(name)
        while block := source.read(BLOCK):
            digest.update(block)
            target.write(block)
        if digest.hexdigest() != sha256:
            raise CorruptFile(f"{self.where}: {name} does not match its checksum in the manifest", REMEDY)

    def _open(self, name: str) -> IO[bytes]:
        opened = self._tar.extractfile(self._members[name])
        if opened is None:
            raise CorruptFile(f"{self.where}: {name} is no file", REMEDY)
        return opened

    def _read_members(self, size: int) -> dict[str, tarfile.TarInfo]:
        members: dict[str, tarfile.TarInfo] = {}
        last = -1
        while (member := self._tar.next()) is not None:
            # An offset that goes back would be read for ever.
            if member.size < 0 or member.offset <= last or len(members) > MAX_FILES:
                raise CorruptFile(f"{self.where}: the header of {member.name[:120]!r} is damaged", REMEDY)
            last = member.offset
            if member.isdir():
                continue
            plain = member.type in _FILE_TYPES and not member.issparse()
            if not plain or member.name in members or member.offset_data + member.size > size:
                raise CorruptFile(
                    f"{self.where}: {member.name[:120]!r} is no plain file, is there twice, or is cut off",
                    REMEDY,
                )
            members[member.name] = member
        return members


def _header(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o644, 0
    return info
