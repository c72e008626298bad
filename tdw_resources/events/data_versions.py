"""The tags of a materialization that carry its data version, and reading them back.

Only the data version can be queried in bulk, so all that decides whether a cell is out of date is in it.
Dagster's own staleness wants the other tags; with them it is exact for every partition.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import dagster as dg

from tdw.inventory.versions import DataVersion
from tdw_resources.dagster_internals import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION
# SQLite takes so many variables in a query at least. Few queries: each opens the database anew.
_QUERY_KEYS = 30_000 if sqlite3.sqlite_version_info >= (3, 32) else 900


@dataclass(frozen=True)
class Input:
    """An input as it was read: its data version and the storage id of the event that recorded it."""

    key: dg.AssetKey
    version: str
    pointer: int | None


def tags(version: DataVersion, *, code_version: str, inputs: Iterable[Input]) -> dict[str, str]:
    """The tags of a materialization that is reported by hand."""
    found = {DATA_VERSION_TAG: str(version), CODE_VERSION_TAG: code_version}
    for given in inputs:
        found[get_input_data_version_tag(given.key)] = given.version
        found[get_input_event_pointer_tag(given.key)] = str(given.pointer) if given.pointer else "NULL"
    return found


def read_versions(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str] | None = None
) -> dict[str, DataVersion]:
    """Partition -> the latest recorded data version; of all partitions, or of some.

    Partitions that were recorded with a version of another form, or none, are left out.
    """
    found: dict[str, DataVersion] = {}
    for some in _chunks(partitions):
        rows = instance.event_log_storage.get_latest_tags_by_partition(
            key, MATERIALIZATION, [DATA_VERSION_TAG], asset_partitions=some
        )
        for partition, by_tag in rows.items():
            version = DataVersion.parse(by_tag[DATA_VERSION_TAG])
            if version:
                found[partition] = version
    return found


def read_version(instance: dg.DagsterInstance, key: dg.AssetKey) -> DataVersion | None:
    """The latest recorded data version of an asset without partitions."""
    event = instance.get_latest_materialization_event(key)
    told = event.asset_materialization if event else None
    return DataVersion.parse((told.tags or {}).get(DATA_VERSION_TAG, "")) if told else None


def read_pointers(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str] | None = None
) -> dict[str, int]:
    """Partition -> storage id of its latest materialization."""
    found: dict[str, int] = {}
    for some in _chunks(partitions):
        found |= instance.event_log_storage.get_latest_storage_id_by_partition(
            key, MATERIALIZATION, set(some) if some is not None else None
        )
    return found


def _chunks(partitions: Collection[str] | None) -> Iterable[list[str] | None]:
    if partitions is None:
        return [None]
    ordered = list(partitions)
    return [ordered[at : at + _QUERY_KEYS] for at in range(0, len(ordered), _QUERY_KEYS)]
