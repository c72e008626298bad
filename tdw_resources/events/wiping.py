"""Forget what was recorded of some partitions of an asset: Dagster's open-source storages can't, and say so.

With it *Wipe materializations* of partitions works in Dagster's own UI, too. As when the stock storage wipes
a whole asset, the events leave the index, by which everything is found, and stay in the logs of their runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dagster as dg
from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from tdw_resources.dagster_internals import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
    deserialize_value,
)

_AT_ONCE = 500  # SQLite takes 999 variables in a statement at least
_KINDS = (dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, dg.DagsterEventType.ASSET_MATERIALIZATION)


def wipe_partitions(
    connection: Connection,
    asset_key: dg.AssetKey,
    partition_keys: Sequence[str],
    *,
    store_last: Callable[[Connection, dg.EventLogEntry, int], None],
) -> None:
    """Remove every event of these partitions from the index, and their tags and checks.

    Args:
        connection: to the index, in a transaction: a partition is as it was, or as if it had never been.
        asset_key: whose partitions.
        partition_keys: the partitions.
        store_last: writes the asset's own row for an event and its storage id.
    """
    events, tags, checks = SqlEventLogStorageTable, AssetEventTagsTable, AssetCheckExecutionsTable
    key = asset_key.to_string()
    for at in range(0, len(partition_keys), _AT_ONCE):
        some = partition_keys[at : at + _AT_ONCE]
        gone = and_(events.c.asset_key == key, events.c.partition.in_(some))
        numbers = select(events.c.id).where(gone)
        connection.execute(tags.delete().where(tags.c.event_id.in_(numbers)))
        connection.execute(events.delete().where(gone))
        connection.execute(checks.delete().where(checks.c.asset_key == key, checks.c.partition.in_(some)))
    # The asset's own row shows its latest event, and keeps the states of its partitions.
    empty = {"last_materialization": None, "last_run_id": None, "cached_status_data": None}
    connection.execute(AssetKeyTable.update().values(**empty).where(AssetKeyTable.c.asset_key == key))
    for kind in _KINDS:
        of_kind = and_(events.c.asset_key == key, events.c.dagster_event_type == kind.value)
        last = select(events.c.id, events.c.event).where(of_kind).order_by(events.c.id.desc()).limit(1)
        for number, event in connection.execute(last).all():
            store_last(connection, deserialize_value(event, dg.EventLogEntry), int(number))
