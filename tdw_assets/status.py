"""Looking at a whole study once, for `tdw status`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dagster as dg

from tdw.inventory.cells import VariantGaps
from tdw.inventory.plan import Inventory
from tdw.inventory.survey import Survey
from tdw.store import Store
from tdw_assets.automation.attempts import judge
from tdw_assets.automation.extra_epochs import still_training
from tdw_assets.automation.tags import AUTOMATION, REASON_TAG, VARIANT_TAG, study_tag
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
        asked=_asked(wanted, instance),
        waits=tuple(_waits(inventory, instance, gaps.values())),
    )


def _asked(grid: Grid, instance: dg.DagsterInstance) -> str:
    """The last run that automation asked for."""
    of_automation = dg.RunsFilter(tags=study_tag(grid) | AUTOMATION)
    for record in instance.get_run_records(of_automation, limit=1):
        run, at = record.dagster_run, f"{record.create_timestamp:%Y-%m-%d %H:%M} UTC"
        what = f"{run.job_name} of {run.tags.get(VARIANT_TAG, 'all variants')}"
        why = f": {run.tags[REASON_TAG]}" if REASON_TAG in run.tags else ""
        return f"{what}, {at}, {run.status.value.lower()}{why}"
    return ""


def _waits(inventory: Inventory, instance: dg.DagsterInstance, gaps: Iterable[VariantGaps]) -> Iterator[str]:
    """As a tick of the sensor would say it."""
    if inventory.task("choose") is not None:
        training = still_training(inventory, instance)
        if training:
            yield f"the extra checkpoints are chosen after the training of {', '.join(training)}"
    for of in gaps:
        tasks = [inventory.task(stage, of) for stage in ("train", "analyze", "summarize")]
        yield from judge(inventory.wanted, instance, tasks).notes
    yield from judge(inventory.wanted, instance, [inventory.task("compare")]).notes
