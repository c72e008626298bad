"""Looking at a whole study once, for `tdw status`."""

from __future__ import annotations

import dagster as dg

from tdw.inventory.plan import STAGES
from tdw.inventory.study_status import StudyStatus
from tdw.reconcile.attempts import STOPPED
from tdw.reconcile.tick import find_waits
from tdw.store import Store
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import foreign_keys
from tdw_resources.events.records import find_failed
from tdw_resources.runs.stopped import find_stopped
from tdw_resources.runs.tags import AUTOMATION, REASON_TAG, VARIANT_TAG, study_tag
from tdw_resources.wanted import WantedAssets


def read_status(wanted: WantedAssets, instance: dg.DagsterInstance, store: Store) -> StudyStatus:
    """The state of a study; reads file names and event tags."""
    inventory, runs = as_it_is(wanted, instance, store)
    choice, due = inventory.choice()
    gaps = inventory.gaps()
    tables, comparison = inventory.states_of(gaps), inventory.study_states()
    waits = find_waits(inventory, runs, gaps.values(), tables=tables, comparison=comparison)
    return StudyStatus(
        wanted=inventory.wanted,
        choice=choice,
        choice_due=due,
        gaps=gaps,
        failed=find_failed(wanted, instance, gaps),
        tables=tables,
        comparison=comparison,
        busy=runs.busy().variants,
        foreign=foreign_keys(wanted, instance),
        asked=_asked(wanted, instance),
        waits=(*waits, *_beside_the_plan(wanted, instance)),
    )


def _beside_the_plan(wanted: WantedAssets, instance: dg.DagsterInstance) -> list[str]:
    """Stopped work that automation does not ask for, such as more checkpoints of a variant."""
    planned = {stage.name for stage in STAGES}
    found = find_stopped(instance, wanted.slug)
    return [f"{each.stage} of {each.variant} was {STOPPED}" for each in found if each.stage not in planned]


def _asked(wanted: WantedAssets, instance: dg.DagsterInstance) -> str:
    """The last run that automation asked for."""
    of_automation = dg.RunsFilter(tags=study_tag(wanted) | AUTOMATION)
    for record in instance.get_run_records(of_automation, limit=1):
        run, at = record.dagster_run, f"{record.create_timestamp:%Y-%m-%d %H:%M} UTC"
        what = f"{run.job_name} of {run.tags.get(VARIANT_TAG, 'all variants')}"
        why = f": {run.tags[REASON_TAG]}" if REASON_TAG in run.tags else ""
        return f"{what}, {at}, {run.status.value.lower()}{why}"
    return ""
