"""Dagster's partitions definitions of a grid.

`epoch` is static, from the study's schedule: ranges over a dynamic dimension follow the order of insertion,
and a backfill would split by epoch. `variant` is dynamic and named after the study, so that two studies can
share an instance.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import dagster as dg

from tdw.families.stored import is_variant, why_no_variant
from tdw.recipes.catalog import catalog_of
from tdw.store.layout import format_epoch
from tdw_assets.cells.wanted import Grid

_SHOWN = 80
TO_VARIANT = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="variant")
"""Between cells (variant, epoch) and what covers all epochs of a variant, in both directions."""


def variants_name(grid: Grid) -> str:
    """Name of the dynamic partitions."""
    return f"{grid.name}_variants"


def variant_partitions(grid: Grid) -> dg.DynamicPartitionsDefinition:
    """One partition per variant."""
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
    """The variants that the instance knows of this study, in the order in which they were added.

    Keys that name no variant are left aside: anyone can type one into Dagster's dialog.
    """
    return tuple(key for key in registered_keys(grid, instance) if is_variant(grid.family, key))


def foreign_keys(grid: Grid, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """Partition keys of this study that name no variant."""
    return tuple(key for key in registered_keys(grid, instance) if not is_variant(grid.family, key))


def registered_keys(grid: Grid, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """Every partition key that the instance has for this study's variants, whoever added it."""
    return tuple(instance.get_dynamic_partitions(variants_name(grid)))


def describe_foreign(grid: Grid, key: str) -> str:
    """Which key is left aside, why, and how it is removed."""
    error = why_no_variant(grid.family, key)
    short = len(key) <= _SHOWN and key.isprintable()
    command = f"tdw remove-key -- {shlex.quote(key)}" if short else "tdw remove-key --all"
    return (
        f"the partition key {key[:_SHOWN]!r} of study {grid.name} is left aside: "
        f"{error.what if error else 'it is removed'}; `{command}` removes it (with the same --study and "
        "--store), and so do the job `remove_variant` and, on an asset's page in Dagster, *Delete partitions*"
    )


def remove_keys(grid: Grid, instance: dg.DagsterInstance, keys: Iterable[str]) -> None:
    """Take partition keys out of the study; files stay."""
    for key in keys:
        instance.delete_dynamic_partition(variants_name(grid), key)


def with_registered(grid: Grid, instance: dg.DagsterInstance) -> Grid:
    """The grid with the variants as the instance has them: some were added in the UI, some removed there.

    Keys that name no variant are left aside; see `foreign_keys`.
    """
    registered = registered_variants(grid, instance)
    return grid.narrow(variants=registered) if registered else grid


def register_variants(grid: Grid, instance: dg.DagsterInstance, variants: Iterable[str]) -> list[str]:
    """Add the variants that are new, and touch nothing else; those that were added.

    Raises:
        BadConfig: a key that the family does not know, or a variant that an analyzer of the study refuses;
            then nothing is added.
    """
    known = set(registered_variants(grid, instance))
    new = [key for key in dict.fromkeys(variants) if key not in known]
    for key in new:
        catalog_of(grid.family).require_suited(grid.analyzers, grid.family.parse_variant(key))
    if new:
        instance.add_dynamic_partitions(variants_name(grid), new)
    return new
