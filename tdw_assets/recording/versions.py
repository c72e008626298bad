"""Data versions: what a recorded cell was made by, from what, and what it holds; the tags that carry them.

A data version is "spec:input:content". `spec` is what it was computed by (code version and parameters),
`input` what from (the checkpoint's fingerprint, or a hash of the inputs' versions), `content` what came out.
Only this tag can be queried in bulk, so everything that decides whether a cell is out of date is in it.
Dagster's own staleness wants the other tags; with them it is exact for every partition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from tdw.store.fingerprints import fingerprint_json
from tdw_resources.dagster_internals import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION
NO_INPUT = "-"
_QUERY_KEYS = 900  # SQLite takes 999 variables in a query at least


@dataclass(frozen=True)
class DataVersion:
    """The three parts, each of at most 12 hex digits; `input` is "-" where there is none."""

    spec: str
    input: str
    content: str

    def __str__(self) -> str:
        return f"{self.spec}:{self.input}:{self.content}"

    @classmethod
    def parse(cls, text: str) -> DataVersion | None:
        """None for a version that is not ours."""
        parts = text.split(":")
        return cls(*parts) if len(parts) == 3 else None


@dataclass(frozen=True)
class Input:
    """An input as it was read: its data version and the storage id of the event that recorded it."""

    key: dg.AssetKey
    version: str
    pointer: int | None


def hash_versions(versions: Mapping[str, str]) -> str:
    """What a summary or plot was made from, in 12 hex digits: name of the input -> its data version."""
    return fingerprint_json(dict(versions))[:12]


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
