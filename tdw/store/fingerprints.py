"""Fingerprints: what makes two configurations, probes or sets of weights the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def canonical_json(obj: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    Raises:
        TypeError, ValueError: a value that JSON can't hold (NaN and infinities included).
    """
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def fingerprint_json(obj: Any) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of `obj`."""
    return hashlib.sha256(canonical_json(obj).encode()).hexdigest()


def fingerprint_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 (64 hex digits) over name, dtype, shape and little-endian bytes of every array, by name.

    Independent of the file format, so weights keep their fingerprint when they are re-saved elsewhere.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        digest.update(f"{name}|{array.dtype.name}|{array.shape}|".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def short(fingerprint: str) -> str:
    """The first 12 hex digits: enough for people and tags, never for a comparison that matters."""
    return fingerprint[:12]
