"""Two studies that want one file with different parameters: the first keeps it, and the other gets an error.

Studies share the files of a variant. Made again for each of them in turn, a file would never be what both
have recorded. So nothing that another study has recorded is replaced by what other parameters give.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tdw.errors import BadConfig, TdwError
from tdw.inventory.products import Product, stored_kind
from tdw.inventory.versions import DataVersion
from tdw.inventory.wanted import Wanted
from tdw.parameters import as_json
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Provenance, Store, TableAddress


@dataclass(frozen=True)
class Dispute:
    """A file that another study has made with other parameters than this study wants.

    Attributes:
        study: this one's name; `other` is the slug of the one that made the file.
        product: its name.
        field: the first parameter that differs, with the value in the file and the wanted one.
    """

    study: str
    other: str
    product: str
    variant: str
    field: str
    made: Any
    wanted: Any

    def error(self) -> BadConfig:
        """Names both studies, the variant, the field and both values, and the ways out."""
        return BadConfig(
            f"study {self.study} wants {self.product} of {self.variant} with {self.field} = {self.wanted}; "
            f"this store has it with {self.made}, made for study {self.other}",
            f"use another store for {self.study} (--store), or give both studies the same {self.field}; "
            f"or give up the other's: in Dagster, *Wipe materializations* of {self.other}/{self.product}",
        )


Recorded = Mapping[tuple[str, int | None], DataVersion]
"""(variant, epoch, or None for a table) -> what a study has recorded."""


def find_disputes(
    wanted: Wanted,
    store: Store,
    others: Iterable[str],
    read: Callable[[str, Product, Collection[str]], Recorded],
    variants: Collection[str],
) -> list[Dispute]:
    """At most one for each product, variant and other study.

    Args:
        wanted: of the study that asks.
        store: where the files are.
        others: slugs of the other studies.
        read: what one of them has recorded of a product, for some variants.
        variants: that are looked at.
    """
    found: list[Dispute] = []
    for other in others:
        so_far: dict[tuple[str, str], Dispute] = {}
        for product in wanted.products:  # each after what it is made from
            of_cells = product.kind == "artifact"
            if not of_cells and not (product.kind == "summaries" and product.scope == "variant"):
                continue
            spec = wanted.analyzer_specs[product.name] if of_cells else product.spec
            told = read(other, product, variants).items()
            for variant, epoch in dict(at for at, version in told if version.spec != spec).items():
                dispute = _dispute(wanted, store, product, other, variant, epoch, so_far)
                if dispute is not None:
                    so_far[product.name, variant] = dispute
        found += so_far.values()
    return found


def _dispute(
    wanted: Wanted,
    store: Store,
    product: Product,
    other: str,
    variant: str,
    epoch: int | None,
    so_far: Mapping[tuple[str, str], Dispute],
) -> Dispute | None:
    differing = differing_field(wanted, store, product, variant, epoch)
    if differing is not None:
        return Dispute(wanted.name, other, product.name, variant, *differing)
    below = [so_far[name, variant] for name in product.needs if (name, variant) in so_far]
    if not below or product.kind != "artifact":
        return None
    root = below[0]
    field = root.field if "." in root.field else f"{root.product}.{root.field}"
    return replace(root, product=product.name, field=field)


def differing_field(
    wanted: Wanted, store: Store, product: Product, variant: str, epoch: int | None
) -> tuple[str, Any, Any] | None:
    """(field, value in the file, wanted value) of what today's code made with other parameters; else None.

    What was made by other code is out of date for every study, and no dispute; nor is what can't be read.
    """
    catalog, name = catalog_of(wanted.family), product.short_name
    try:
        if epoch is not None:
            found = store.provenance(Address(wanted.family.name, variant, stored_kind(product.name), epoch))
            code, ours = catalog.analyzer(name).code_version, catalog.parameters_of(name, wanted.parameters)
        else:
            found = store.read_table_with_provenance(TableAddress(wanted.family.name, variant, name))[1]
            code, ours = catalog.summary(name).code_version, wanted.study.summary_options(name)
    except TdwError:
        return None
    return _first_difference(found, as_json(ours)) if found.code_version == code else None


def _first_difference(found: Provenance, ours: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    made = dict(found.parameters)
    fields = [field for field in ours if field not in made or made[field] != ours[field]]
    return (fields[0], made.get(fields[0]), ours[fields[0]]) if fields else None
