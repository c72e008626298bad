"""A checksum of the whole file inside the file: 64 hex digits that are counted as zeros when it is made.

So one atomic rename commits data and checksum together, and a change of any byte of the file, header and
padding included, is found. The mark lies in a metadata string of the format (safetensors header, parquet
footer), where other people's tools ignore it.
"""

from __future__ import annotations

import hashlib

from tdw.errors import CorruptFile

MARK = b"tdw-sha256:"
_ZEROS = b"0" * 64
REMEDY = "delete it and fill the gap, or run `tdw verify --repair`"


def blank() -> str:
    """The text to put into the file's metadata before sealing."""
    return (MARK + _ZEROS).decode()


def seal(data: bytes) -> tuple[bytearray, str]:
    """Write the checksum into `data`, which holds `blank()` once.

    Returns:
        The sealed bytes and the checksum (64 hex digits).
    """
    sealed = bytearray(data)
    at = _position(sealed)
    if at < 0:
        raise ValueError("nothing to seal: the bytes hold no blank checksum")
    digest = hashlib.sha256(sealed).hexdigest()
    sealed[at : at + 64] = digest.encode()
    return sealed, digest


def check(data: bytes | bytearray, *, path: object) -> str:
    """The checksum of a sealed file.

    Raises:
        CorruptFile: no checksum is in the file, or it is not that of the bytes; names `path`.
    """
    at = _position(data)
    if at < 0 or len(data) < at + 64:
        raise CorruptFile(
            f"{path}: no checksum found in {len(data)} bytes: truncated, or not written by tdw", REMEDY
        )
    stored = bytes(data[at : at + 64])
    view = memoryview(data)
    digest = hashlib.sha256(view[:at])
    digest.update(_ZEROS)
    digest.update(view[at + 64 :])
    if digest.hexdigest().encode() != stored:
        raise CorruptFile(
            f"{path}: the checksum of its {len(data)} bytes is {digest.hexdigest()[:12]}..., "
            f"the file says {stored[:12].decode(errors='replace')}...: the file was changed or cut",
            REMEDY,
        )
    return stored.decode()


def _position(data: bytes | bytearray) -> int:
    at = bytes(data[: 1 << 16]).find(MARK)
    if at < 0:
        at = data.rfind(MARK)
    return at + len(MARK) if at >= 0 else -1
