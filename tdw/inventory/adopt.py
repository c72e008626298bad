"""Files that are in the store without a record: checked in full, then taken over as they are.

So a variant that was trained and analyzed by the library alone, on a machine without Dagster, is recorded
without computing anything again, and so is what a killed run had committed but not yet recorded.
"""

from __future__ import annotations

from tdw.errors import CorruptFile, NotFound
from tdw.inventory.done import Done
from tdw.inventory.versions import DataVersion
from tdw.inventory.wanted import Wanted
from tdw.recipes.catalog import catalog_of
from tdw.recipes.versions import recorded_spec_version
from tdw.store import Address, Store
from tdw.store.fingerprints import short
from tdw.store.seal import check


def adopt(
    wanted: Wanted, store: Store, variant: str, analyzer: str, epoch: int, checkpoint: DataVersion
) -> Done | None:
    """The artifact of a cell when its bytes are sound and it is what would be computed now, else None.

    Args:
        checkpoint: the recorded version of the checkpoint that it must have been made from.

    Raises:
        Unreadable: the file can't be read here, so nobody knows; computing it again would replace it.
    """
    address = Address(wanted.family.name, variant, analyzer, epoch)
    path = store.path(address)
    config, spec = wanted.family.parse_variant(variant), wanted.analyzer_specs[analyzer]
    try:
        found = store.provenance(address)
        if (
            short(found.checkpoint_fingerprint) != checkpoint.content
            or found.variant_fingerprint != config.fingerprint
            or found.probe_fingerprint != wanted.family.probe_fingerprint(config)
            or recorded_spec_version(found) != spec
        ):
            return None
        data = store.read_bytes(address)
        digest = check(data, path=path)
        arrays = store.read(address).arrays
    except (NotFound, CorruptFile):
        return None
    return Done(
        name=analyzer,
        variant=variant,
        epoch=epoch,
        version=DataVersion(spec, short(found.checkpoint_fingerprint), short(digest)),
        path=str(path),
        metadata={
            "epoch": epoch,
            **catalog_of(wanted.family).analyzer(analyzer).describe(arrays),
            "nbytes": len(data),
            "adopted": True,
            "spec_version": spec,
            "variant_fingerprint": short(found.variant_fingerprint),
            "probe_fingerprint": short(found.probe_fingerprint),
            "checkpoint_fingerprint": short(found.checkpoint_fingerprint),
        },
    )
