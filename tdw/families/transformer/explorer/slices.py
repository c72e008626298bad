"""The slices of the sequence explorer: attention of one head over checkpoints, sequences, head scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tdw.errors import CorruptFile
from tdw.families.transformer.recipes.analyzers import HEAD_SCORES, PATTERNS, SCORES
from tdw.recipes.reading.slices import Slice, SliceQuery, epochs_of, read_each, require_size
from tdw.store import Address, Store
from tdw.store.seal import REMEDY

MOST_SEQUENCES = 4096
_TOLERANCE = 0.02
"""Attention of a query adds up to 1; half precision is off by a thousandth at most."""


def read_attention(query: SliceQuery) -> Slice:
    """Attention of one head over checkpoints, in a sequence or in the mean of the probe.

    Only that head's bytes are read, so the file's checksum is not; that each query's attention adds up to 1
    is checked instead.

    Returns:
        epochs int32 (E,); codes uint8 (E, n_ctx, n_ctx), [epoch, query, key]: 255 times the square root of
        attention, so that what is spread over many positions keeps its steps.
    """
    (layer,), (head,) = query.indices["layer"], query.indices["head"]
    series, n = query.series[PATTERNS.name], query.lengths["n_ctx"]
    require_size(maps=len(series), size=n)
    sequence = query.numbers.get("sequence")
    name, index = ("mean", (layer, head)) if sequence is None else ("sequences", (sequence, layer, head))
    found, problems = read_each(series, lambda address: _codes(query.store, address, name, index))
    return Slice({"epochs": epochs_of(found), "codes": np.stack([codes for _, codes in found])}, problems)


def read_heads(query: SliceQuery) -> Slice:
    """Mean attention of some heads over checkpoints; heads are counted layer by layer.

    Returns:
        epochs int32 (E,); codes uint8 (heads, E, n_ctx, n_ctx), [head, epoch, query, key], with low and scale
        float32 (heads, E): the square root of attention is low + scale * code.
    """
    heads, n = query.indices["heads"], query.lengths["n_ctx"]
    series, per_layer = query.series[PATTERNS.name], query.lengths["n_heads"]
    require_size(maps=len(heads) * len(series), size=n)

    def read(address: Address) -> npt.NDArray[np.uint8]:
        return np.stack([_codes(query.store, address, "mean", divmod(head, per_layer)) for head in heads])

    found, problems = read_each(series, read)
    codes = np.stack([codes for _, codes in found], axis=1)
    low = np.zeros(codes.shape[:2], np.float32)
    return Slice({"epochs": epochs_of(found), "codes": codes, "low": low, "scale": low + 1 / 255}, problems)


def _codes(store: Store, address: Address, name: str, index: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    attention = store.read_block(address, name, index).astype(np.float32)
    wrong = np.abs(attention.sum(axis=1) - 1) > _TOLERANCE
    if not np.isfinite(attention).all() or (attention < 0).any() or wrong.any():
        raise CorruptFile(
            f"{store.path(address)}: the attention in {name}{list(index)} does not add up to 1", REMEDY
        )
    return np.rint(255 * np.sqrt(np.minimum(attention, 1))).astype(np.uint8)


def read_sequences(token_labels: Callable[[str], Sequence[str]], query: SliceQuery) -> Slice:
    """The stored sequences, the same at every checkpoint, and what tokens are called.

    Returns:
        tokens int32 (sequences, n_ctx); labels uint8, a JSON list in UTF-8.
    """
    series = query.series[PATTERNS.name]
    tokens = query.store.read(series[-1]).arrays["tokens"].astype(np.int32)
    labels = json.dumps(list(token_labels(series[-1].variant))).encode()
    return Slice({"tokens": tokens, "labels": np.frombuffer(labels, np.uint8)})


def read_scores(query: SliceQuery) -> Slice:
    """Scores of every head over checkpoints.

    Returns:
        epochs int32 (E,); previous_token, duplicate_token, prefix_matching float32 (E, layers, heads);
        chance float32 (3,), of an even head.
    """
    found, problems = read_each(
        query.series[HEAD_SCORES.name], lambda address: query.store.read(address).arrays
    )
    stacked = {name: np.stack([arrays[name] for _, arrays in found]).astype(np.float32) for name in SCORES}
    chance = found[-1][1]["chance"].astype(np.float32)
    return Slice({"epochs": epochs_of(found), **stacked, "chance": chance}, problems)
