"""A tar file of which no byte is free: names, sizes and contents give one archive, and no other is read.

Headers hold name and size and nothing else (no times, owners, links), padding is zero, nothing follows the
end. So a reader that knows the table of contents can demand every byte: what the manifest's checksums do not
cover is compared with what it must be. Both sides work in blocks of a mebibyte, whatever the sizes.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from tdw.errors import BadConfig, CorruptFile

BLOCK = 1 << 20
MAX_FILES = 2_000_000
_RECORD = 512
_END = bytes(2 * _RECORD)
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
REMEDY = "copy or export the bundle again; nothing of it was imported"


@dataclass(frozen=True)
class Entry:
    """One file: its path in the archive, its size in bytes and its SHA-256 (64 hex digits)."""

    path: str
    size: int
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


def header(path: str, size: int) -> bytes:
    """The one header of a file.

    Raises:
        BadConfig: a path that does not fit.
    """
    info = tarfile.TarInfo(validate_path(path))
    info.size, info.mode, info.mtime = size, 0o644, 0
    try:
        return info.tobuf(tarfile.USTAR_FORMAT)
    except ValueError as error:
        raise BadConfig(f"{path!r} is too long for an archive", "use shorter names") from error


def total_size(entries: Iterable[Entry]) -> int:
    """Bytes of the archive that holds these files."""
    return sum(_RECORD + entry.size + _padding(entry.size) for entry in entries) + len(_END)


def hash_stream(source: BinaryIO) -> tuple[int, str]:
    """Size and SHA-256 of a stream."""
    digest, size = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def write_file(target: BinaryIO, entry: Entry, source: BinaryIO) -> None:
    """Append a file.

    Raises:
        CorruptFile: the source's bytes are not those of the entry: it changed meanwhile.
    """
    target.write(header(entry.path, entry.size))
    digest, size = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        digest.update(block)
        size += len(block)
        target.write(block)
    if (size, digest.hexdigest()) != (entry.size, entry.sha256):
        raise CorruptFile(
            f"{entry.path}: changed while it was exported", "export again when no run is writing"
        )
    target.write(bytes(_padding(entry.size)))


def write_end(target: BinaryIO) -> None:
    """Close the archive."""
    target.write(_END)


def read_first(source: BinaryIO, path: str, *, limit: int, where: object) -> bytes:
    """The first file, whole: it has to be called `path` and hold at most `limit` bytes.

    Raises:
        CorruptFile: it is not; names the archive, `where`.
    """
    start = source.read(_RECORD)
    try:
        size = tarfile.TarInfo.frombuf(start, "utf-8", "strict").size
    except (tarfile.HeaderError, ValueError) as error:
        raise CorruptFile(f"{where}: not a bundle of tdw ({error})", REMEDY) from error
    if not 0 <= size <= limit or start != header(path, size):
        raise CorruptFile(f"{where}: does not begin with {path} as tdw writes it", REMEDY)
    data = source.read(size)
    _expect(source, bytes(_padding(size)), f"{where}: after {path}")
    if len(data) != size:
        raise CorruptFile(f"{where}: cut off in {path}", REMEDY)
    return data


def read_file(source: BinaryIO, entry: Entry, target: BinaryIO, *, where: object) -> None:
    """Copy the next file, which has to be `entry` to the byte, to `target`.

    Raises:
        CorruptFile: it is not; names the file and the archive, `where`.
    """
    _expect(source, header(entry.path, entry.size), f"{where}: the header of {entry.path}")
    digest, left = hashlib.sha256(), entry.size
    while left:
        block = source.read(min(BLOCK, left))
        if not block:
            raise CorruptFile(f"{where}: cut off in {entry.path}", REMEDY)
        digest.update(block)
        target.write(block)
        left -= len(block)
    if digest.hexdigest() != entry.sha256:
        raise CorruptFile(f"{where}: {entry.path} does not match its checksum in the manifest", REMEDY)
    _expect(source, bytes(_padding(entry.size)), f"{where}: after {entry.path}")


def read_end(source: BinaryIO, *, where: object) -> None:
    """Check that the archive ends here, and nothing follows.

    Raises:
        CorruptFile: it does not; names the archive, `where`.
    """
    _expect(source, _END, f"{where}: the end")
    if source.read(1):
        raise CorruptFile(f"{where}: something follows the end of the bundle", REMEDY)


def _expect(source: BinaryIO, wanted: bytes, what: str) -> None:
    if source.read(len(wanted)) != wanted:
        raise CorruptFile(f"{what} is not as tdw writes it: changed or cut", REMEDY)


def _padding(size: int) -> int:
    return -size % _RECORD
