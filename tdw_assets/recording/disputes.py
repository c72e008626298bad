"""Which files of a study's variants another study has recorded, made with other parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import dagster as dg

from tdw.inventory.disputes import Dispute, differing_field
from tdw.inventory.products import Product
from tdw.store import Store
from tdw_assets.cells.wanted import Grid, cell_key, read_cell
from tdw_assets.recording.event_records import EventRecords
from tdw_resources.data_versions import read_versions


def find_disputes(
    grid: Grid, instance: dg.DagsterInstance, store: Store, variants: Collection[str] | None = None
) -> list[Dispute]:
    """At most one for each product, variant and other study; of some variants or all."""
    some = grid.variants if variants is None else variants
    found: list[Dispute] = []
    for other in EventRecords(grid, instance).others:
        so_far: dict[tuple[str, str], Dispute] = {}
        for product in grid.products:  # each after what it is made from
            of_cells = product.kind == "artifact"
            if of_cells or (product.kind == "summaries" and product.scope == "variant"):
                for variant, epoch in _made_otherwise(grid, instance, product, other, some).items():
                    dispute = _dispute(grid, store, product, other, variant, epoch, so_far)
                    if dispute is not None:
                        so_far[product.name, variant] = dispute
        found += so_far.values()
    return found


def _made_otherwise(
    grid: Grid, instance: dg.DagsterInstance, product: Product, other: str, variants: Collection[str]
) -> dict[str, int | None]:
    """Variant -> an epoch (None for tables) of which the other study has recorded another spec."""
    of_cells = product.kind == "artifact"
    spec = grid.analyzer_specs[product.name] if of_cells else product.spec
    keys = [cell_key(v, epoch) for v in variants for epoch in grid.epochs] if of_cells else list(variants)
    told = read_versions(instance, dg.AssetKey([other, *product.name.split("/")]), keys)
    cells = [read_cell(at) or (at, None) for at, version in told.items() if version.spec != spec]
    return dict(cells)


def _dispute(
    grid: Grid,
    store: Store,
    product: Product,
    other: str,
    variant: str,
    epoch: int | None,
    so_far: Mapping[tuple[str, str], Dispute],
) -> Dispute | None:
    differing = differing_field(grid, store, product, variant, epoch)
    if differing is not None:
        return Dispute(grid.name, other, product.name, variant, *differing)
    below = [so_far[name, variant] for name in product.needs if (name, variant) in so_far]
    if not below or product.kind != "artifact":
        return None
    root = below[0]
    field = root.field if "." in root.field else f"{root.product}.{root.field}"
    return replace(root, product=product.name, field=field)
