"""Data versions: by what a product was made, from what, and what it holds.

A data version is "spec:input:content". `spec` is what it was computed by (code version and parameters),
`input` what from (the checkpoint's fingerprint, or a hash of the inputs' versions), `content` what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tdw.store.fingerprints import fingerprint_json

NO_INPUT = "-"


@dataclass(frozen=True, slots=True)  # there may be a million
class DataVersion:
    """The three parts, each of at most 12 hex digits; `input` is "-" where there is none."""

    spec: str
    input: str
    content: str

    def __str__(self) -> str:
        return f"{self.spec}:{self.input}:{self.content}"

    @classmethod
    def parse(cls, text: str) -> DataVersion | None:
        """None for a version that is not ours."""
        parts = text.split(":")
        return cls(*parts) if len(parts) == 3 else None


def hash_versions(versions: Mapping[str, str]) -> str:
    """What a table or figure was made from, in 12 hex digits: name of the input -> its data version."""
    return fingerprint_json(dict(versions))[:12]
