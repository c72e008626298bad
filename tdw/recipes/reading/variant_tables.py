"""The summaries of several variants, read and held to be comparable."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.errors import NotFound
from tdw.recipes.consistency.invariant import Invariant, require_configuration
from tdw.recipes.consistency.versions import recorded_spec_version
from tdw.recipes.family import Family, VariantConfig
from tdw.store import Address, Store, TableAddress
from tdw.store.fingerprints import fingerprint_json, short

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VariantTables:
    """The summaries of one variant.

    Attributes:
        config: of the variant.
        tables: summary name -> table; those that are there.
        epochs: of which there is a checkpoint, ascending.
        fingerprints: summary name -> hash of what it was made from.
    """

    config: VariantConfig
    tables: Mapping[str, pd.DataFrame]
    epochs: tuple[int, ...]
    fingerprints: Mapping[str, str]

    @property
    def key(self) -> str:
        """The variant's key."""
        return self.config.key

    def get(self, name: str) -> pd.DataFrame | None:
        """A summary's table, or None."""
        return self.tables.get(name)

    def number(self, table: str, column: str, *, row: int = -1) -> float:
        """One number of a summary, of its last row unless told; NaN where it is not there."""
        found = self.tables.get(table)
        there = found is not None and column in found and len(found) > 0
        return float(found[column].iloc[row]) if found is not None and there else math.nan


def tables_of(family: Family) -> tuple[str, ...]:
    """The summaries that a family's comparison and its reports read; () for a family without."""
    return family.comparison.tables if family.comparison else ()


def input_fingerprints(variants: Iterable[VariantTables]) -> dict[str, str]:
    """ "<variant>/<summary>" -> hash of what that was made from, for a provenance."""
    return {f"{v.key}/{name}": fingerprint for v in variants for name, fingerprint in v.fingerprints.items()}


def read_tables(store: Store, family: Family, configs: Iterable[VariantConfig]) -> tuple[VariantTables, ...]:
    """The summaries of some variants, held to be comparable.

    Raises:
        FingerprintMismatch: a table of another configuration, or variants that were analyzed or summarized
            in different ways; lists every difference.
        CorruptFile: names the file.
    """
    found: list[VariantTables] = []
    invariant = Invariant("the variants were not all computed in the same way, so they can't be compared")
    for config in configs:
        tables: dict[str, pd.DataFrame] = {}
        fingerprints: dict[str, str] = {}
        for name in tables_of(family):
            try:
                address = TableAddress(family.name, config.key, name)
                table, provenance = store.read_table_with_provenance(address)
            except NotFound:
                continue
            require_configuration(provenance, config.fingerprint, path=store.path(address))
            way = short(fingerprint_json([provenance.code_version, dict(provenance.parameters)]))
            invariant.note(f"version of summary {name}", way, f"for {config.key}")
            tables[name], fingerprints[name] = table, short(fingerprint_json(provenance.to_json()))
        for name in family.comparison.alike if family.comparison else ():
            epochs = store.epochs(family.name, config.key, name)
            if epochs:
                way = recorded_spec_version(
                    store.provenance(Address(family.name, config.key, name, epochs[-1]))
                )
                invariant.note(f"version of analyzer {name}", way, f"for {config.key}")
        found.append(
            VariantTables(config, tables, tuple(store.epochs(family.name, config.key)), fingerprints)
        )
    invariant.hold()
    return tuple(found)
