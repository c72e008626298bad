"""A study as the instance has it now."""

from __future__ import annotations

import dagster as dg

from tdw.inventory.plan import Inventory
from tdw.store import Store
from tdw_assets.cells.partitions import with_registered
from tdw_resources.events.records import inventory_of
from tdw_resources.runs.work_in_progress import StudyRuns
from tdw_resources.wanted import WantedAssets


def as_it_is(wanted: WantedAssets, instance: dg.DagsterInstance, store: Store) -> tuple[Inventory, StudyRuns]:
    """A study with the variants and extra epochs that it has now, and its runs."""
    live = with_registered(wanted, instance).with_extra(store)
    return inventory_of(live, instance, store), StudyRuns(live, instance)
