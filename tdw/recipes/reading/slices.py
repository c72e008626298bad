"""Slices of artifacts for an explorer: only the rows that are looked at, as they are stored.

A damaged file is left out and named, so that one bad file does not hide the others.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable
from tdw.store import Address, Store

Value = TypeVar("Value")
_DTYPES = {
    np.dtype(kind): name
    for kind, name in (("uint8", "U8"), ("int16", "I16"), ("int32", "I32"), ("float32", "F32"))
}
MOST_BYTES = 96 << 20


@dataclass(frozen=True)
class Slice:
    """Arrays of one answer (uint8, int16, int32 or float32), and the files that were left out.

    `about` says what the arrays are, JSON-able.
    """

    arrays: Mapping[str, npt.NDArray[Any]]
    problems: list[str] = field(default_factory=list[str])
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def encode(self) -> bytes:
        """Bytes in the safetensors format: 8 bytes of header length, JSON header, arrays.

        Written here, because each array is copied once so, and three times by the library.
        """
        # The widest numbers first, so that each array lies where its type may lie in memory.
        arrays = sorted(self.arrays.items(), key=lambda item: -item[1].itemsize)
        header: dict[str, Any] = {
            "__metadata__": {"problems": json.dumps(self.problems), "about": json.dumps(self.about)}
        }
        at = 0
        for name, array in arrays:
            header[name] = {
                "dtype": _DTYPES[array.dtype],
                "shape": list(array.shape),
                "data_offsets": [at, at + array.nbytes],
            }
            at += array.nbytes
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        parts = [np.ascontiguousarray(array).data for _, array in arrays]
        return b"".join([struct.pack("<Q", len(text)), text, *parts])


@dataclass(frozen=True)
class SliceQuery:
    """What a browser asks for, checked.

    Attributes:
        store: where the artifacts are.
        series: analyzer -> its artifacts, by epoch; a slice of one epoch has that one only.
        lengths: the family's lengths of this variant, by name.
        indices: parameter -> the rows that it names.
        numbers: parameter -> its value; those that were not given are not there.
    """

    store: Store
    series: Mapping[str, Sequence[Address]]
    lengths: Mapping[str, int]
    indices: Mapping[str, Sequence[int]]
    numbers: Mapping[str, int]


def read_each(
    series: Sequence[Address], read: Callable[[Address], Value]
) -> tuple[list[tuple[Address, Value]], list[str]]:
    """What `read` returns for each file that can be read, and what is wrong with the others.

    Raises:
        CorruptFile, NotFound, Unreadable: the error of the last file, when none can be read.
    """
    found: list[tuple[Address, Value]] = []
    problems: list[str] = []
    last: CorruptFile | NotFound | Unreadable | None = None
    for address in series:
        try:
            found.append((address, read(address)))
        except (CorruptFile, NotFound, Unreadable) as error:
            problems.append(str(error))
            last = error
    if not found:
        raise last or NotFound("no epoch was asked for", "materialize some epochs, or run `tdw fill`")
    return found, problems


def epochs_of(found: Sequence[tuple[Address, Any]]) -> npt.NDArray[np.int32]:
    """Epochs of what `read_each` found, int32 (E,)."""
    return np.array([address.epoch for address, _ in found], np.int32)


def require_size(*, maps: int, size: int) -> None:
    """Refuse an answer of more than 96 MiB, at one byte per value. Raises BadConfig.

    Args:
        maps: number of maps.
        size: values per side of a map.
    """
    if maps * size * size > MOST_BYTES:
        most = int((MOST_BYTES / maps) ** 0.5)
        raise BadConfig(
            f"{maps} maps of {size} x {size} are {maps * size * size >> 20} MiB",
            f"ask for fewer at once, or for size={most} at most",
        )
