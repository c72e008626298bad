"""One safetensors file: provenance in the header, sealed, readable whole or by rows.

The format: https://github.com/huggingface/safetensors (8 bytes of header length, JSON header, tensors).
No code runs on loading.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tdw.errors import CorruptFile, NotFound
from tdw.store import codec, reading, seal
from tdw.store.provenance import Provenance

_MAX_HEADER = 1 << 20
_ON_DEMAND = "tdw_on_demand"
_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_SIZES = {dtype: np.dtype(dtype).itemsize for dtype in _DTYPES.values()}


def encode(packed: codec.Arrays, provenance: Provenance, *, on_demand: str = "") -> tuple[bytearray, str]:
    """The sealed bytes of a file and their checksum. Equal input gives equal bytes.

    Args:
        packed: arrays; none for a file whose arrays are kept on demand.
        provenance: where they come from.
        on_demand: checksum of the file with the arrays, for one that stands for it without them.
    """
    from safetensors.numpy import save

    note = f"{seal.blank()} {provenance.to_json()}"
    if on_demand:
        return seal.seal(_metadata_alone({"tdw": note, _ON_DEMAND: on_demand}))
    return seal.seal(save(dict(packed), metadata={"tdw": note}))


def _metadata_alone(entries: dict[str, str]) -> bytes:
    """A file without tensors. `save` would write several entries in another order each time."""
    header = json.dumps({"__metadata__": entries}, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header


def decode(data: bytes, *, path: object) -> tuple[dict[str, npt.NDArray[Any]], Header, str]:
    """Check the seal, then read every array.

    Returns:
        Arrays as packed, the header, and the checksum.

    Raises:
        CorruptFile: any byte is not what was committed; names `path`.
        Unreadable: the bytes are sound, but can't be read here.
    """
    digest = seal.check(data, path=path)
    with reading.content(path):
        header = Header.parse(data, path=path, size=len(data))
        # Each is copied once, so it can be written to. The library parses the header again, and copies twice.
        arrays = {
            name: np.frombuffer(data, dtype, prod(shape), begin).reshape(shape).copy()
            for name, (dtype, shape, begin, _) in header.tensors.items()
        }
        return arrays, header, digest


@dataclass(frozen=True)
class Header:
    """What stands before the tensors.

    Attributes:
        tensors: name -> (numpy dtype, shape, first byte in the file, byte after the last).
        on_demand: checksum of the file with the arrays, where they are computed when asked for; else "".
    """

    provenance: Provenance
    tensors: dict[str, tuple[str, tuple[int, ...], int, int]]
    on_demand: str = ""

    @classmethod
    def read(cls, file: BinaryIO, *, path: object, size: int) -> Header:
        """Read the header only.

        Raises:
            CorruptFile: it is not a header, or not ours.
        """
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(_MAX_HEADER, size - 8):
            raise CorruptFile(f"{path}: {size} bytes that don't start with a safetensors header", seal.REMEDY)
        return cls.parse(start + file.read(length), path=path, size=size)

    @classmethod
    def parse(cls, data: bytes, *, path: object, size: int) -> Header:
        """Like `read`, from bytes that begin with the header."""
        try:
            (length,) = struct.unpack_from("<Q", data)
            entries = json.loads(data[8 : 8 + length])
            notes = entries.pop("__metadata__")
            provenance = Provenance.from_json(notes["tdw"].split(" ", 1)[1], path=path)
            on_demand = str(notes.get(_ON_DEMAND, ""))
            tensors: dict[str, tuple[str, tuple[int, ...], int, int]] = {}
            for name, entry in entries.items():
                begin, end = entry["data_offsets"]
                shape, dtype = tuple(map(int, entry["shape"])), _DTYPES[entry["dtype"]]
                expected = prod(shape) * _SIZES[dtype]
                if not 0 <= begin <= end <= size - 8 - length or end - begin != expected:
                    raise ValueError(f"{name} lies outside the file")
                tensors[name] = (dtype, shape, 8 + length + begin, 8 + length + end)
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            struct.error,
            RecursionError,
        ) as error:
            raise CorruptFile(
                f"{path}: the header is damaged or not written by tdw ({error!r})", seal.REMEDY
            ) from error
        return cls(provenance, tensors, on_demand)


def read_quantized_rows(
    file: BinaryIO, name: str, rows: Sequence[int], *, path: object, size: int
) -> codec.QuantizedRows:
    """Read some rows of a quantized array, and nothing else of it.

    Raises:
        CorruptFile: the checksum of a row is wrong; names row and `path`.
        NotFound: no such quantized array, or no such row.
    """
    header = Header.read(file, path=path, size=size)
    if name + codec.CRC not in header.tensors:
        raise NotFound(
            f"{path}: holds no quantized array {name!r}", f"it holds: {', '.join(sorted(header.tensors))}"
        )
    parts = [name + suffix for suffix in ("", codec.LOW, codec.SCALE, codec.CRC)]
    if any(part not in header.tensors for part in parts):
        raise CorruptFile(f"{path}: the header lacks parts of {name}", seal.REMEDY)
    dtype, shape, begin, _ = header.tensors[name]
    one_a_row = [header.tensors[part][1] == (shape[0],) for part in parts[1:]] if shape else [False]
    if dtype != "u1" or not all(one_a_row):
        raise CorruptFile(f"{path}: the header describes {name} as no quantized array", seal.REMEDY)
    if any(not 0 <= row < shape[0] for row in rows):
        raise NotFound(
            f"{path}: {name} has rows 0..{shape[0] - 1}, asked for {list(rows)}", "ask for rows it has"
        )
    length = prod(shape[1:])
    codes = np.empty((len(rows), length), np.uint8)
    for i, row in enumerate(rows):
        file.seek(begin + row * length)
        data = file.read(length)
        if len(data) != length:
            raise CorruptFile(f"{path}: {name} is cut off at row {row}", seal.REMEDY)
        codes[i] = np.frombuffer(data, np.uint8)
    pick = np.asarray(rows, np.intp)
    low, scale, crc = (_whole(file, header, part)[pick] for part in parts[1:])
    found = codec.QuantizedRows(codes.reshape(len(rows), *shape[1:]), low, scale)
    wrong = np.flatnonzero(codec.row_checksums(codes, low, scale) != crc)
    if wrong.size:
        raise CorruptFile(f"{path}: row {rows[wrong[0]]} of {name} does not match its checksum", seal.REMEDY)
    return found


def read_block(
    file: BinaryIO, name: str, index: Sequence[int], *, path: object, size: int
) -> npt.NDArray[Any]:
    """array[index] for the first axes of an array that is not quantized, and nothing else of it.

    The block has no checksum of its own: who reads it checks what must hold of its values.

    Raises:
        CorruptFile: the header is damaged, or the file is cut off.
        NotFound: no such array, or no such block.
    """
    header = Header.read(file, path=path, size=size)
    if name not in header.tensors or name + codec.CRC in header.tensors:
        raise NotFound(
            f"{path}: holds no array {name!r} in blocks", f"it holds: {', '.join(sorted(header.tensors))}"
        )
    dtype, shape, begin, _ = header.tensors[name]
    lengths = shape[: len(index)]
    if len(lengths) < len(index) or any(
        not 0 <= i < length for i, length in zip(index, lengths, strict=True)
    ):
        raise NotFound(f"{path}: {name} is {shape}, asked for {list(index)}", "ask for a block it has")
    rest = shape[len(index) :]
    length = prod(rest) * np.dtype(dtype).itemsize
    file.seek(begin + length * int(np.ravel_multi_index(tuple(index), lengths) if index else 0))
    data = file.read(length)
    if len(data) != length:
        raise CorruptFile(f"{path}: {name} is cut off", seal.REMEDY)
    return np.frombuffer(data, dtype).reshape(rest)


def _whole(file: BinaryIO, header: Header, name: str) -> npt.NDArray[Any]:
    dtype, shape, begin, end = header.tensors[name]
    file.seek(begin)
    return np.frombuffer(file.read(end - begin), dtype).reshape(shape)
