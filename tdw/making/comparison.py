"""S5: one row per variant, and the table of associations beside it.

Reads the summaries of each variant and nothing else, so it takes seconds. What a variant lacks is empty in
its row and named in `missing`; a variant that has nothing yet has a row all the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tdw.known_settings import under_known_settings
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.reading.variant_tables import VariantTables, input_fingerprints, read_tables, tables_of
from tdw.store import Provenance, Store, TableAddress, Written, tdw_version
from tdw.store.fingerprints import short

if TYPE_CHECKING:
    import pandas as pd

COMPARISON, ASSOCIATIONS = "comparison", "associations"


@under_known_settings
def compare(family: Family, variants: Sequence[VariantTables], *, early_epoch: int = 1000) -> pd.DataFrame:
    """One row per variant: its fields, how far it is trained, the family's columns, what is missing."""
    import pandas as pd

    rows = [_row(family, variant, early_epoch) for variant in variants]
    columns = (
        None if rows else ["variant", *(field.name for field in family.fields), "fingerprint", "missing"]
    )
    table = pd.DataFrame(rows, columns=columns)
    for field in family.fields:
        # A record leaves out what is at the default; beside variants where it is not, the cell says so.
        if field.name in table and field.default is not None and table[field.name].isna().any():
            table[field.name] = table[field.name].fillna(field.default).astype(field.type)
    whole = family.comparison.whole if family.comparison and rows else ()
    return table.astype(dict.fromkeys(whole, "Int64"))


@under_known_settings
def write_comparison(
    store: Store,
    family: Family,
    configs: Iterable[VariantConfig],
    *,
    early_epoch: int = 1000,
    folder: str | None = None,
) -> Written:
    """Commit the comparison table, and beside it the table `associations` where the family has one.

    Args:
        store: where summaries are read and the tables are committed.
        family: of the variants.
        configs: of the variants, one row each, in this order.
        early_epoch: at which "early" is read.
        folder: of the study that it is made for, as `Study.folder`; None for none.

    Returns:
        What was written for the comparison table.

    Raises:
        FingerprintMismatch, CorruptFile, StoreError: see `read_tables`; each names the file or difference.
    """
    variants = read_tables(store, family, configs)
    table = compare(family, variants, early_epoch=early_epoch)
    provenance = Provenance(
        family=family.name,
        variant="",
        name=COMPARISON,
        code_version=family.comparison.code_version if family.comparison else "1",
        parameters={"early_epoch": early_epoch},
        inputs=input_fingerprints(variants),
        environment={"tdw": tdw_version()},
    )
    if family.comparison and family.comparison.associate:
        second = dataclasses.replace(provenance, name=ASSOCIATIONS)
        address = TableAddress(family.name, folder, ASSOCIATIONS)
        store.write_table(address, family.comparison.associate(table), provenance=second)
    return store.write_table(TableAddress(family.name, folder, COMPARISON), table, provenance=provenance)


def _row(family: Family, variant: VariantTables, early_epoch: int) -> dict[str, Any]:
    return {
        "variant": variant.key,
        **_fields(family, variant.config),
        "fingerprint": short(variant.config.fingerprint),
        "num_checkpoints": len(variant.epochs),
        "last_epoch": variant.epochs[-1] if variant.epochs else -1,
        **(family.comparison.columns(variant, early_epoch) if family.comparison else {}),
        "missing": ", ".join(name for name in tables_of(family) if variant.get(name) is None),
    }


def _fields(family: Family, config: VariantConfig) -> dict[str, Any]:
    """The fields of a variant that its record names, and those that are not at their default."""
    record = config.to_dict()
    values = {field.name: getattr(config, field.name) for field in family.fields}
    named = {name for name in values if name in record and not isinstance(record[name], dict)}
    return {f.name: values[f.name] for f in family.fields if f.name in named or values[f.name] != f.default}
