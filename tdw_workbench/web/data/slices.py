"""Slices of artifacts for the explorer: only the rows that are looked at, as they are stored.

A damaged file is left out and named, so that one bad file does not hide the others; artifacts of two models
or two ways of computing in one series are an error (the invariant).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable
from tdw.store import Address, Store, seal
from tdw.store.codec import quantize_rows
from tdw.store.tensorfile import Header
from tdw_workbench.web.data.area_reduction import reduce_area, reduce_codes

NEURONS, ATTENTION, COARSENESS, FREQUENCIES = (
    "neuron_activations",
    "attention_patterns",
    "coarseness",
    "neuron_frequencies",
)
_KINDS = {
    np.dtype(kind): name
    for kind, name in (("uint8", "U8"), ("int16", "I16"), ("int32", "I32"), ("float32", "F32"))
}
MOST_BYTES = 96 << 20
_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Slice:
    """Arrays of one answer, and the files that were left out."""

    arrays: Mapping[str, npt.NDArray[Any]]
    problems: list[str] = field(default_factory=list)

    def encode(self) -> bytes:
        """Bytes in the safetensors format: 8 bytes of header length, JSON header, arrays.

        Written here, because each array is copied once so, and three times by the library.
        """
        # The widest numbers first, so that each array lies where its type may lie in memory.
        arrays = sorted(self.arrays.items(), key=lambda item: -item[1].itemsize)
        header: dict[str, Any] = {"__metadata__": {"problems": json.dumps(self.problems)}}
        at = 0
        for name, array in arrays:
            kind = _KINDS[array.dtype]
            header[name] = {
                "dtype": kind,
                "shape": list(array.shape),
                "data_offsets": [at, at + array.nbytes],
            }
            at += array.nbytes
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        parts = [np.ascontiguousarray(array).data for _, array in arrays]
        return b"".join([struct.pack("<Q", len(text)), text, *parts])


def shape_of(store: Store, address: Address, name: str) -> tuple[int, ...]:
    """Shape of an array, from the header alone. Raises NotFound or CorruptFile."""
    path = store.path(address)
    try:
        with path.open("rb") as file:
            header = Header.read(file, path=path, size=path.stat().st_size)
    except FileNotFoundError:
        raise NotFound(f"{path}: no such artifact", "fill the gap, or run `tdw fill`") from None
    if name not in header.tensors:
        raise CorruptFile(f"{path}: holds no {name}", seal.REMEDY)
    return header.tensors[name][1]


def read_maps(store: Store, series: Sequence[Address], *, neurons: Sequence[int], size: int) -> Slice:
    """Some neurons' maps over checkpoints.

    Returns:
        epochs int32 (E,); codes uint8 (neurons, E, t, t) with low and scale float32 (neurons, E).
    """
    found, problems = _each(store, series, lambda at: _rows(store, at, neurons, size))
    width = found[0][1].shape[-1]
    codes = np.empty((len(neurons), len(found), width, width), np.uint8)
    low, scale = (np.empty(codes.shape[:2], np.float32) for _ in range(2))
    for i, (_, rows, row_low, row_scale) in enumerate(found):
        codes[:, i], low[:, i], scale[:, i] = rows, row_low, row_scale
    epochs = np.array([at.epoch for at, *_ in found], np.int32)
    return Slice({"epochs": epochs, "codes": codes, "low": low, "scale": scale}, problems)


def read_mosaic(store: Store, address: Address, *, size: int) -> Slice:
    """Every neuron's map at one checkpoint, reduced: codes uint8 (n, t, t), low and scale float32 (n,)."""
    n, p, _ = shape_of(store, address, NEURONS)
    step = max(1, _BLOCK_BYTES // (p * p))
    blocks = [_rows(store, address, range(at, min(n, at + step)), size)[1:] for at in range(0, n, step)]
    codes, low, scale = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Slice({"codes": codes, "low": low, "scale": scale})


def read_heads(store: Store, series: Sequence[Address], *, heads: Sequence[int], size: int) -> Slice:
    """Attention to a and to b of some heads over checkpoints.

    Returns:
        epochs int32 (E,); codes uint8 (heads, 2, E, t, t) with low and scale float32 (heads, 2, E).
    """

    def read(at: Address) -> tuple[Any, ...]:
        maps = store.read(at).arrays[ATTENTION][list(heads), :2]
        rows = quantize_rows(ATTENTION, reduce_area(maps.reshape(-1, *maps.shape[-2:]), size))
        return at, rows.codes, rows.low, rows.scale

    found, problems = _each(store, series, read)
    pairs, width = 2 * len(heads), found[0][1].shape[-1]
    codes = np.empty((pairs, len(found), width, width), np.uint8)
    low, scale = (np.empty((pairs, len(found)), np.float32) for _ in range(2))
    for i, (_, rows, row_low, row_scale) in enumerate(found):
        codes[:, i], low[:, i], scale[:, i] = rows, row_low, row_scale
    shape = (len(heads), 2, len(found))
    arrays = {
        "epochs": np.array([at.epoch for at, *_ in found], np.int32),
        "codes": codes.reshape(*shape, width, width),
        "low": low.reshape(shape),
        "scale": scale.reshape(shape),
    }
    return Slice(arrays, problems)


_METRICS: tuple[tuple[str, str, str, Any, float], ...] = (
    # our name, analyzer, its array, dtype, value where missing
    ("coarseness", COARSENESS, "neuron_fft_ratio_no_dc", np.float32, np.nan),
    ("dead", COARSENESS, "neuron_dead", np.uint8, 0),
    ("head_a_coarseness", COARSENESS, "head_a_fft_ratio_no_dc", np.float32, np.nan),
    ("head_b_coarseness", COARSENESS, "head_b_fft_ratio_no_dc", np.float32, np.nan),
    ("frequency", FREQUENCIES, "best_frequency", np.int16, -1),
    ("fraction", FREQUENCIES, "best_fraction", np.float32, np.nan),
    ("variance", FREQUENCIES, "variance", np.float32, np.nan),
)


def read_metrics(store: Store, coarseness: Sequence[Address], frequencies: Sequence[Address]) -> Slice:
    """The numbers of every neuron (and head) at every checkpoint.

    Returns:
        epochs int32 (E,), ascending: those of either analyzer; coarseness, fraction, variance float32 (E, n)
        with NaN where missing; frequency int16 (E, n), 0 for a constant map, -1 where missing; dead uint8
        (E, n); head_a_coarseness, head_b_coarseness float32 (E, heads).
    """
    epochs = sorted({at.epoch for at in (*coarseness, *frequencies)})
    place = {epoch: i for i, epoch in enumerate(epochs)}
    arrays: dict[str, npt.NDArray[Any]] = {"epochs": np.array(epochs, np.int32)}
    problems: list[str] = []
    for analyzer, series in ((COARSENESS, coarseness), (FREQUENCIES, frequencies)):
        if not series:
            continue
        found, wrong = _each(store, series, lambda at: (at, store.read(at).arrays))
        problems += wrong
        for name, source, array, dtype, missing in _METRICS:
            if source != analyzer:
                continue
            rows = np.full((len(epochs), *found[0][1][array].shape), missing, dtype)
            for at, values in found:
                rows[place[at.epoch]] = values[array]
            arrays[name] = rows
    return Slice(arrays, problems)


def require_size(*, maps: int, size: int) -> None:
    """Refuse an answer that is too large. Raises BadConfig."""
    if maps * size * size > MOST_BYTES:
        most = int((MOST_BYTES / maps) ** 0.5)
        raise BadConfig(
            f"{maps} maps of {size} x {size} are {maps * size * size >> 20} MiB",
            f"ask for fewer at once, or for size={most} at most",
        )


def _rows(store: Store, at: Address, neurons: Sequence[int], size: int) -> tuple[Any, ...]:
    rows = store.read_quantized_rows(at, NEURONS, list(neurons))
    return at, reduce_codes(rows.codes, size), rows.low, rows.scale


def _each(
    store: Store, series: Sequence[Address], read: Callable[[Address], tuple[Any, ...]]
) -> tuple[list[tuple[Any, ...]], list[str]]:
    """What `read` gives for each file that can be read, and what is wrong with the others.

    Raises:
        CorruptFile, NotFound, Unreadable: of the last file, when none can be read.
    """
    found: list[tuple[Any, ...]] = []
    problems: list[str] = []
    last: CorruptFile | NotFound | Unreadable | None = None
    for at in series:
        try:
            found.append(read(at))
        except (CorruptFile, NotFound, Unreadable) as error:
            problems.append(str(error))
            last = error
    if not found:
        raise last or NotFound("no epoch was asked for", "materialize some epochs, or run `tdw fill`")
    return found, problems
