"""Partition keys of cells: how Dagster writes (variant, epoch)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tdw.errors import BadConfig
from tdw.store.layout import format_epoch

_CELL = re.compile(r"([0-9]{5,12})\|(.+)", re.DOTALL)


def cell_key(variant: str, epoch: int) -> str:
    """Partition key of a cell: Dagster orders the dimensions by name, so the epoch comes first."""
    return f"{format_epoch(epoch)}|{variant}"


def read_cell(key: str) -> tuple[str, int] | None:
    """(variant, epoch) of a cell's partition key; None for another key. Events may name any partition."""
    match = _CELL.fullmatch(key)
    return (match[2], int(match[1])) if match else None


def variant_in(partition: str) -> str:
    """The variant of a cell's partition key or of a variant's own."""
    cell = read_cell(partition)
    return cell[0] if cell else partition


def by_variant(keys: Iterable[str]) -> dict[str, list[int]]:
    """Cell keys as variant -> epochs, ascending.

    Raises:
        BadConfig: one that is no such key.
    """
    found: dict[str, set[int]] = {}
    for key in keys:
        cell = read_cell(key)
        if cell is None:
            form = "write <epoch>|<variant>, such as 00500|p113_s999_d598"
            raise BadConfig(f"{key[:80]!r} is not a cell's key", form)
        found.setdefault(cell[0], set()).add(cell[1])
    return {variant: sorted(epochs) for variant, epochs in found.items()}
