"""How arrays are packed: 8 bits with a range per row, half precision, a checksum per row for reading slices.

Quantized rows keep the smallest value exactly and err by at most (max - min) / 510 plus float32 rounding;
half precision errs by at most 2^-11 of the value (values below 6e-5 lose more, above 65504 are refused).
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig

Arrays = Mapping[str, npt.NDArray[Any]]
LOW, SCALE, CRC = ".low", ".scale", ".crc32"
_BLOCK = 16  # rows quantized at a time: their float32 temporaries stay in the cache


@dataclass(frozen=True)
class QuantizedRows:
    """Rows as they are stored: value = low + scale * codes.

    Attributes:
        codes: uint8 (n, ...).
        low, scale: float32 (n,).
    """

    codes: npt.NDArray[np.uint8]
    low: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]

    def decode(self) -> npt.NDArray[np.float32]:
        """float32 (n, ...)."""
        wide = (-1,) + (1,) * (self.codes.ndim - 1)
        out = self.codes.astype(np.float32)
        out *= self.scale.reshape(wide)
        out += self.low.reshape(wide)
        return out


def pack(
    arrays: Arrays, *, quantize: Collection[str] = (), half: Collection[str] = ()
) -> dict[str, npt.NDArray[Any]]:
    """The arrays as they go to the file.

    Args:
        arrays: by name; names hold no dot-suffix of ours.
        quantize: names of float arrays (n, ...) stored as uint8 with low and scale per row.
        half: names of float arrays stored as float16.

    Raises:
        BadConfig: a value that the encoding can't hold (NaN, infinite, too large for half precision).
    """
    packed: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if name in quantize:
            rows = quantize_rows(name, array)
            packed |= {name: rows.codes, name + LOW: rows.low, name + SCALE: rows.scale}
            packed[name + CRC] = row_checksums(rows.codes, rows.low, rows.scale)
        elif name in half:
            with np.errstate(over="ignore"):
                small = array.astype(np.float16)
            if not np.isfinite(small).all():
                raise BadConfig(
                    f"{name} holds values that half precision can't",
                    "look for NaN or infinity in the checkpoint",
                )
            packed[name] = small
        else:
            packed[name] = np.asarray(array, order="C")
    return packed


def unpack(packed: Arrays) -> dict[str, npt.NDArray[Any]]:
    """The arrays as they were given, by name: float16 and quantized ones come back as float32."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, array in sorted(packed.items()):  # safetensors lists them in an order that changes
        if name.endswith((LOW, SCALE, CRC)):
            continue
        if name + SCALE in packed:
            rows = QuantizedRows(array, packed[name + LOW], packed[name + SCALE])
            arrays[name] = rows.decode()
        else:
            arrays[name] = array.astype(np.float32) if array.dtype == np.float16 else array
    return arrays


def quantize_rows(name: str, array: npt.NDArray[Any]) -> QuantizedRows:
    """Pack each row array[i] into 8 bits over its own range.

    Raises:
        BadConfig: a value that is not finite.
    """
    flat = array.reshape(len(array), -1)
    low, high = flat.min(axis=1).astype(np.float32), flat.max(axis=1).astype(np.float32)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise BadConfig(
            f"{name} holds values that are not finite", "look for NaN or infinity in the checkpoint"
        )
    scale = (high - low) / np.float32(255)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 1e-36)
    codes = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = flat[rows] - low[rows, None]
        block *= inverse[rows, None]
        block += np.float32(0.5)
        codes[rows] = block  # the cast truncates: with the half added, it rounds
    return QuantizedRows(codes.reshape(array.shape), low, scale)


def row_checksums(
    codes: npt.NDArray[np.uint8], low: npt.NDArray[np.float32], scale: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint32]:
    """CRC-32 of each row's codes, low and scale: uint32 (n,)."""
    flat = np.ascontiguousarray(codes).reshape(len(codes), -1)
    ranges = np.stack([low, scale], axis=1).astype("<f4")
    return np.array(
        [zlib.crc32(ranges[i].data, zlib.crc32(flat[i].data)) for i in range(len(flat))], np.uint32
    )
