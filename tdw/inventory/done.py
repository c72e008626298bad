"""What became of a product that was to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tdw.inventory.versions import DataVersion


@dataclass(frozen=True)
class Done:
    """A product that is committed.

    Attributes:
        name: of the product.
        variant: "" for what covers all variants.
        epoch: None for what covers all epochs.
        metadata: a few numbers for people.
        path: of its file.
    """

    name: str
    variant: str
    epoch: int | None
    version: DataVersion
    metadata: Mapping[str, float | int | str]
    path: str


@dataclass(frozen=True)
class Failed:
    """A product that could not be made; `variant` and `epoch` as in `Done`."""

    name: str
    variant: str
    error: Exception
    epoch: int | None = None
