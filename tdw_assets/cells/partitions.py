"""Dagster's partitions definitions of a study.

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
from tdw_resources.wanted import WantedAssets

_SHOWN = 80
TO_VARIANT = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="variant")
"""Between cells (variant, epoch) and what covers all epochs of a variant, in both directions."""


def variants_name(wanted: WantedAssets) -> str:
    """Name of the dynamic partitions."""
    return f"{wanted.name}_variants"


def variant_partitions(wanted: WantedAssets) -> dg.DynamicPartitionsDefinition:
    """One partition per variant."""
    return dg.DynamicPartitionsDefinition(name=variants_name(wanted))


def cell_partitions(wanted: WantedAssets) -> dg.MultiPartitionsDefinition:
    """One partition a (variant, epoch)."""
    return dg.MultiPartitionsDefinition(
        {
            "variant": variant_partitions(wanted),
            "epoch": dg.StaticPartitionsDefinition([format_epoch(epoch) for epoch in wanted.epochs]),
        }
    )


def registered_variants(wanted: WantedAssets, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """The variants that the instance knows of this study, in the order in which they were added.

    Keys that name no variant are ignored: anyone can type one into Dagster's dialog.
    """
    return tuple(key for key in registered_keys(wanted, instance) if is_variant(wanted.family, key))


def foreign_keys(wanted: WantedAssets, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """Partition keys of this study that name no variant."""
    return tuple(key for key in registered_keys(wanted, instance) if not is_variant(wanted.family, key))


def registered_keys(wanted: WantedAssets, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """Every partition key that the instance has for this study's variants, whoever added it."""
    return tuple(instance.get_dynamic_partitions(variants_name(wanted)))


def describe_foreign(wanted: WantedAssets, key: str) -> str:
    """Which key is ignored, why, and how it is removed."""
    error = why_no_variant(wanted.family, key)
    short = len(key) <= _SHOWN and key.isprintable()
    command = f"tdw remove-key -- {shlex.quote(key)}" if short else "tdw remove-key --all"
    return (
        f"the partition key {key[:_SHOWN]!r} of study {wanted.name} is ignored: "
        f"{error.what if error else 'it is removed'}; `{command}` removes it (with the same --study and "
        "--store), and so do the job `remove_variant` and, on an asset's page in Dagster, *Delete partitions*"
    )


def remove_keys(wanted: WantedAssets, instance: dg.DagsterInstance, keys: Iterable[str]) -> None:
    """Take partition keys out of the study; files stay."""
    for key in keys:
        instance.delete_dynamic_partition(variants_name(wanted), key)


def with_registered(wanted: WantedAssets, instance: dg.DagsterInstance) -> WantedAssets:
    """The study with the variants as the instance has them: some were added in the UI, some removed there.

    Keys that name no variant are ignored; see `foreign_keys`.
    """
    registered = registered_variants(wanted, instance)
    return wanted.narrow(variants=registered) if registered else wanted


def register_variants(
    wanted: WantedAssets, instance: dg.DagsterInstance, variants: Iterable[str]
) -> list[str]:
    """Add the variants that are new, and touch nothing else; those that were added.

    Raises:
        BadConfig: a key that the family does not know, or a variant that an analyzer of the study refuses;
            then nothing is added.
    """
    known = set(registered_variants(wanted, instance))
    new = [key for key in dict.fromkeys(variants) if key not in known]
    for key in new:
        catalog_of(wanted.family).require_suited(wanted.analyzers, wanted.family.parse_variant(key))
    if new:
        instance.add_dynamic_partitions(variants_name(wanted), new)
    return new
