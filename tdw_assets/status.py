"""Looking at a whole study once, for `tdw status`."""

from __future__ import annotations

import dagster as dg

from tdw.inventory.survey import Survey
from tdw.store import Store
from tdw_assets.automation.work_in_progress import find_busy
from tdw_assets.cells.partitions import foreign_keys, with_registered
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.event_records import find_failed, inventory_of


def take_survey(grid: Grid, instance: dg.DagsterInstance, store: Store) -> Survey:
    """The state of a study; reads file names and event tags."""
    wanted = with_registered(grid, instance).with_extra(store)
    inventory = inventory_of(wanted, instance, store)
    choice, due = inventory.choice()
    gaps = inventory.gaps()
    return Survey(
        wanted=wanted,
        choice=choice,
        choice_due=due,
        gaps=gaps,
        failed=find_failed(wanted, instance, gaps),
        tables=inventory.standing(gaps),
        comparison=inventory.study_standing(),
        busy=find_busy(wanted, instance).variants,
        foreign=foreign_keys(grid, instance),
    )
