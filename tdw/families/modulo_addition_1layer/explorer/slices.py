"""The slices of the neuron explorer: maps of neurons and heads, and the numbers of every neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.drawing.area_reduction import reduce_area, reduce_codes
from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable
from tdw.families.modulo_addition_1layer.analyzers import downsampled_activations as small
from tdw.families.modulo_addition_1layer.analyzers.neurons.scale_profiles import NAME as PROFILES
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_profiles import cluster_profiles
from tdw.recipes.reading.slices import Slice, SliceQuery, epochs_of, read_each, require_size
from tdw.store import Address, Store, TableAddress
from tdw.store.codec import QuantizedRows, quantize_rows

NEURONS, ATTENTION, COARSENESS, FREQUENCIES, SMALL = (
    "neuron_activations",
    "attention_patterns",
    "coarseness",
    "neuron_frequencies",
    "downsampled_activations",
)
_BLOCK_BYTES = 32 << 20
_MOSAIC_SIZE = 48


def read_maps(query: SliceQuery) -> Slice:
    """Some neurons' maps over checkpoints, as they are or `size` pixels per side.

    Returns:
        epochs int32 (E,); codes uint8 (neurons, E, t, t) with low and scale float32 (neurons, E).
    """
    neurons, series, p = query.indices["neurons"], query.series[NEURONS], query.lengths["p"]
    size = query.numbers.get("size", p)
    require_size(maps=len(neurons) * len(series), size=min(size, p))
    found, problems = read_each(series, lambda address: _rows(query.store, address, neurons, size))
    return Slice({"epochs": epochs_of(found), **_stacked([rows for _, rows in found])}, problems)


def read_mosaic(query: SliceQuery) -> Slice:
    """Every neuron's map at one checkpoint, reduced: codes uint8 (n, t, t), low and scale float32 (n,)."""
    (address,) = query.series[NEURONS]
    n, p = query.lengths["d_mlp"], query.lengths["p"]
    size = query.numbers.get("size", _MOSAIC_SIZE)
    require_size(maps=n, size=min(size, p))
    step = max(1, _BLOCK_BYTES // (p * p))
    blocks = [_rows(query.store, address, range(at, min(n, at + step)), size) for at in range(0, n, step)]
    return Slice(
        {
            "codes": np.concatenate([rows.codes for rows in blocks]),
            "low": np.concatenate([rows.low for rows in blocks]),
            "scale": np.concatenate([rows.scale for rows in blocks]),
        }
    )


def read_heads(query: SliceQuery) -> Slice:
    """Attention to a and to b of some heads over checkpoints.

    Returns:
        epochs int32 (E,); codes uint8 (heads, 2, E, t, t) with low and scale float32 (heads, 2, E).
    """
    heads, series, p = query.indices["heads"], query.series[ATTENTION], query.lengths["p"]
    size = query.numbers.get("size", p)
    require_size(maps=2 * len(heads) * len(series), size=min(size, p))

    def read(address: Address) -> QuantizedRows:
        maps = query.store.read(address).arrays[ATTENTION][list(heads), :2]
        return quantize_rows(ATTENTION, reduce_area(maps.reshape(-1, *maps.shape[-2:]), size))

    found, problems = read_each(series, read)
    return Slice({"epochs": epochs_of(found), **_by_head(found, len(heads))}, problems)


def read_small(query: SliceQuery) -> Slice:
    """Some neurons' maps as `downsampled_activations` has them; returns what `read_maps` does.

    Raises:
        BadConfig: the analyzer keeps fewer neurons.
    """
    neurons = query.indices["neurons"]

    def read(address: Address) -> QuantizedRows:
        arrays = query.store.read(address).arrays
        have = len(arrays[small.NEURONS])
        if max(neurons) >= have:
            raise BadConfig(
                f"there is no small map of neuron {max(neurons)}",
                f"`num_neurons` of {SMALL} keeps {have}: choose a lower neuron, or the full maps",
            )
        return quantize_rows(small.NEURONS, arrays[small.NEURONS][list(neurons)].astype(np.float32))

    found, problems = read_each(query.series[SMALL], read)
    return Slice({"epochs": epochs_of(found), **_stacked([rows for _, rows in found])}, problems)


def read_small_heads(query: SliceQuery) -> Slice:
    """Attention of some heads over checkpoints, in the same small size; returns what `read_heads` does."""
    heads = list(query.indices["heads"])

    def read(address: Address) -> QuantizedRows:
        arrays = query.store.read(address).arrays
        maps = np.stack([arrays[small.TO_A][heads], arrays[small.TO_B][heads]], axis=1).astype(np.float32)
        return quantize_rows(SMALL, maps.reshape(-1, *maps.shape[-2:]))

    found, problems = read_each(query.series[SMALL], read)
    return Slice({"epochs": epochs_of(found), **_by_head(found, len(heads))}, problems)


def _by_head(found: Sequence[tuple[Address, QuantizedRows]], heads: int) -> dict[str, npt.NDArray[Any]]:
    """Two maps per head: arrays (heads, 2, E, ...)."""
    stacked = _stacked([rows for _, rows in found])
    return {name: array.reshape(heads, 2, *array.shape[1:]) for name, array in stacked.items()}


def grokking_mark(store: Store, variant: str) -> dict[str, int]:
    """The grokking epoch, for the slider; nothing where there is none or it is not known."""
    try:
        table = store.read_table(TableAddress("modulo_addition_1layer", variant, "grokking"))
    except (NotFound, CorruptFile, Unreadable):
        return {}
    row = table.iloc[0]
    return {"grokking epoch": int(row["grokking_epoch"])} if row["grokked"] else {}


def read_scale_clusters(query: SliceQuery) -> Slice:
    """Clusters of scale profiles at one checkpoint, by the rule of the summary `scale_clusters`, at most 8.

    Returns:
        cluster int16 (n,), 0 for the coarsest, -1 for a dead neuron; representatives and sizes int32
        (clusters,), the neuron that stands for each and how many there are.
    """
    (address,) = query.series[PROFILES]
    found = cluster_profiles(query.store.read(address).arrays["profiles"])
    clusters = len(found.representatives)
    sizes = np.bincount(found.cluster[found.cluster >= 0], minlength=clusters)
    return Slice(
        {
            "cluster": found.cluster.astype(np.int16),
            "representatives": found.representatives.astype(np.int32),
            "sizes": sizes.astype(np.int32),
        }
    )


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


def read_metrics(query: SliceQuery) -> Slice:
    """The numbers of every neuron (and head) at every checkpoint.

    Returns:
        epochs int32 (E,), ascending: those of either analyzer; coarseness, fraction, variance float32 (E, n)
        with NaN where missing; frequency int16 (E, n), 0 for a constant map, -1 where missing; dead uint8
        (E, n); head_a_coarseness, head_b_coarseness float32 (E, heads).
    """
    epochs = sorted({address.epoch for series in query.series.values() for address in series})
    place = {epoch: i for i, epoch in enumerate(epochs)}
    arrays: dict[str, npt.NDArray[Any]] = {"epochs": np.array(epochs, np.int32)}
    problems: list[str] = []
    for analyzer, series in query.series.items():
        if not series:
            continue
        found, wrong = read_each(series, lambda address: query.store.read(address).arrays)
        problems += wrong
        for name, source, array, dtype, missing in _METRICS:
            if source != analyzer:
                continue
            rows = np.full((len(epochs), *found[0][1][array].shape), missing, dtype)
            for address, values in found:
                rows[place[address.epoch]] = values[array]
            arrays[name] = rows
    return Slice(arrays, problems)


def _rows(store: Store, address: Address, neurons: Sequence[int], size: int) -> QuantizedRows:
    rows = store.read_quantized_rows(address, NEURONS, list(neurons))
    return QuantizedRows(reduce_codes(rows.codes, size), rows.low, rows.scale)


def _stacked(found: Sequence[QuantizedRows]) -> dict[str, npt.NDArray[Any]]:
    """Rows of several checkpoints: codes (rows, E, t, t), low and scale (rows, E)."""
    return {
        "codes": np.stack([rows.codes for rows in found], axis=1),
        "low": np.stack([rows.low for rows in found], axis=1),
        "scale": np.stack([rows.scale for rows in found], axis=1),
    }
