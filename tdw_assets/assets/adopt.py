"""Files that are in the store although no event tells of them: checked in full, then recorded as they are.

So a variant that was trained and analyzed by the library alone, on a machine without Dagster, is taken over
without computing anything again, and so is what a killed run had committed but not yet reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from tdw.errors import CorruptFile, NotFound
from tdw.inventory.versions import DataVersion
from tdw.recipes.catalog import catalog_of
from tdw.recipes.versions import recorded_spec_version
from tdw.store import Address, Store
from tdw.store.fingerprints import short
from tdw.store.seal import check
from tdw_assets.cells.wanted import Grid


@dataclass(frozen=True)
class Adopted:
    """A sound, up-to-date artifact."""

    checkpoint_fingerprint: str
    sha256: str
    metadata: Mapping[str, float | int | str | dg.MetadataValue]


def adopt_cell(
    grid: Grid, store: Store, variant: str, analyzer: str, epoch: int, checkpoint: DataVersion
) -> Adopted | None:
    """The artifact of a cell when its bytes are sound and it is what would be computed now, else None.

    Args:
        checkpoint: the recorded version of the checkpoint that it must have been made from.

    Raises:
        Unreadable: the file can't be read here, so nobody knows; computing it again would replace it.
    """
    address = Address(grid.family.name, variant, analyzer, epoch)
    path = store.path(address)
    config = grid.family.parse_variant(variant)
    try:
        found = store.provenance(address)
        if (
            short(found.checkpoint_fingerprint) != checkpoint.content
            or found.variant_fingerprint != config.fingerprint
            or found.probe_fingerprint != grid.family.probe_fingerprint(config)
            or recorded_spec_version(found) != grid.analyzer_specs[analyzer]
        ):
            return None
        data = store.read_bytes(address)
        digest = check(data, path=path)
        arrays = store.read(address).arrays
    except (NotFound, CorruptFile):
        return None
    return Adopted(
        checkpoint_fingerprint=found.checkpoint_fingerprint,
        sha256=digest,
        metadata={
            **catalog_of(grid.family).analyzer(analyzer).describe(arrays),
            "nbytes": len(data),
            "adopted": True,
            "spec_version": grid.analyzer_specs[analyzer],
            "variant_fingerprint": short(found.variant_fingerprint),
            "probe_fingerprint": short(found.probe_fingerprint),
            "checkpoint_fingerprint": short(found.checkpoint_fingerprint),
            "path": dg.MetadataValue.path(str(path)),
        },
    )
