"""Dagster's partitions definitions of a grid.

`epoch` is static, from the study's schedule: ranges over a dynamic dimension follow the order of insertion,
and a backfill would split by epoch. `variant` is dynamic and named after the study, so that two studies can
share an instance.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from tdw.store.layout import format_epoch
from tdw_assets.cells.wanted import Grid

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
DEFER_EVENTS = "dagster/defer_asset_events"

TO_VARIANT = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="variant")
"""Between cells (variant, epoch) and what covers all epochs of a variant, in both directions."""


def variants_name(grid: Grid) -> str:
    """Name of the dynamic partitions."""
    return f"{grid.name}_variants"


def variant_partitions(grid: Grid) -> dg.DynamicPartitionsDefinition:
    """One partition a variant."""
    return dg.DynamicPartitionsDefinition(name=variants_name(grid))


def cell_partitions(grid: Grid) -> dg.MultiPartitionsDefinition:
    """One partition a (variant, epoch)."""
    return dg.MultiPartitionsDefinition(
        {
            "variant": variant_partitions(grid),
            "epoch": dg.StaticPartitionsDefinition([format_epoch(epoch) for epoch in grid.epochs]),
        }
    )


def registered_variants(grid: Grid, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """The variants that the instance knows of this study, in the order in which they were added."""
    return tuple(instance.get_dynamic_partitions(variants_name(grid)))


def with_registered(grid: Grid, instance: dg.DagsterInstance) -> Grid:
    """The grid with the variants as the instance has them: some were added in the UI, some removed there."""
    registered = registered_variants(grid, instance)
    return grid.narrow(variants=registered) if registered else grid


def register_variants(grid: Grid, instance: dg.DagsterInstance, variants: Iterable[str]) -> list[str]:
    """Add the variants that are new, and touch nothing else; those that were added.

    Raises:
        BadConfig: a key that the family does not know; then nothing is added.
    """
    known = set(registered_variants(grid, instance))
    new = [key for key in dict.fromkeys(variants) if key not in known]
    for key in new:
        grid.family.parse_variant(key)
    if new:
        instance.add_dynamic_partitions(variants_name(grid), new)
    return new
