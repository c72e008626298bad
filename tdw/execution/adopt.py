"""Take over files that are in the store without a record of this study: check them in full, then record them.

So a variant that was trained and analyzed by the library alone, on a machine without Dagster, is recorded
without computing anything again, and so is what a killed run had committed but not yet recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from tdw.errors import CorruptFile, NotFound
from tdw.execution.done import Done
from tdw.inventory.products import Product
from tdw.inventory.versions import DataVersion
from tdw.inventory.wanted import Wanted
from tdw.recipes.catalog import catalog_of
from tdw.recipes.consistency.versions import recorded_spec_version
from tdw.store import Address, Store, TableAddress
from tdw.store.fingerprints import short
from tdw.store.formats import tablefile


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
        kept = store.read_kept(address)
    except (NotFound, CorruptFile):
        return None
    describe = catalog_of(wanted.family).analyzer(analyzer).describe
    return Done(
        name=analyzer,
        variant=variant,
        epoch=epoch,
        version=DataVersion(spec, short(found.checkpoint_fingerprint), short(kept.sha256)),
        path=str(path),
        metadata={
            "epoch": epoch,
            **({} if kept.on_demand else describe(kept.arrays)),
            "nbytes": path.stat().st_size,
            "adopted": True,
            "spec_version": spec,
            "variant_fingerprint": short(found.variant_fingerprint),
            "probe_fingerprint": short(found.probe_fingerprint),
            "checkpoint_fingerprint": short(found.checkpoint_fingerprint),
        },
    )


def adopt_product(
    wanted: Wanted, store: Store, product: Product, variant: str, *, inputs: str, known: Iterable[DataVersion]
) -> Done | None:
    """A table or figure of a variant that is what would be made now, when its bytes are sound, else None.

    Its header does not say which records it was made from, so one of `known` has to: what another study, or
    an earlier version, has recorded of the same files.

    Args:
        inputs: hash of what is recorded of its inputs, as for `make_product`.

    Raises:
        Unreadable: a file can't be read here, so nobody knows.
    """
    contents = {
        version.content for version in known if (version.spec, version.input) == (product.spec, inputs)
    }
    try:
        path, content, metadata = _read(wanted, store, product, variant) if contents else ("", "", {})
    except (NotFound, CorruptFile):
        return None
    if content not in contents:
        return None
    version = DataVersion(product.spec, inputs, content)
    return Done(product.name, variant, None, version, {**metadata, "adopted": True}, path)


def _read(
    wanted: Wanted, store: Store, product: Product, variant: str
) -> tuple[str, str, dict[str, float | int | str]]:
    """Path, content (12 hex digits) and a few numbers of a table or figure, every byte checked."""
    family, name = wanted.family, product.short_name
    if product.kind == "plots":
        plot = store.read_document(family.name, variant, name)
        nbytes = sum(len(plot.read(file)) for file in plot.files)
        return (
            str(store.document_folder(family.name, variant, name)),
            short(plot.folder.name),
            {"nbytes": nbytes},
        )
    address = TableAddress(family.name, variant, name)
    path, data = store.path(address), store.read_bytes(address)
    table, _, digest = tablefile.decode(data, path=path)
    found = {**catalog_of(family).summary(name).describe(table), "num_rows": len(table), "nbytes": len(data)}
    return str(path), short(digest), found
