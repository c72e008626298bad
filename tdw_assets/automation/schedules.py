"""Schedules that look at everything once a night, whatever the sensor remembers, and also what it gave up.

One a stage, hours apart, since a schedule can only start its own job. Each asks for at most one run a
variant.
"""

import dagster as dg

from tdw.inventory.plan import STAGES, Stage, Task
from tdw.store import Store
from tdw_assets.automation.extra_epochs import still_training
from tdw_assets.automation.run_requests import Jobs, run_request
from tdw_assets.automation.work_in_progress import find_busy
from tdw_assets.cells.partitions import with_registered
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.event_records import inventory_of
from tdw_resources.resources import StoreResource


def find_tasks(stage: str, grid: Grid, instance: dg.DagsterInstance, store: Store) -> list[Task]:
    """The tasks of one stage that are needed now, of variants that nobody works on."""
    grid = with_registered(grid, instance).with_extra(store)
    busy, inventory = find_busy(grid, instance), inventory_of(grid, instance, store)
    if busy.everything or (stage == "compare" and not busy.idle):
        return []
    if stage in [each.name for each in STAGES if each.of_study]:
        tasks = [inventory.task(stage)]
        if stage == "choose" and tasks != [None] and still_training(inventory, instance):
            return []
    else:
        free = [variant for variant in grid.variants if variant not in busy.variants]
        tasks = [inventory.task(stage, gaps) for gaps in inventory.gaps(free).values()]
    return [task for task in tasks if task is not None]


def nightly_schedules(grid: Grid, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """One schedule a stage: on unless it is switched off in the UI."""
    return [_schedule(grid, stage, jobs) for stage in STAGES if stage.name in jobs]


def _schedule(grid: Grid, stage: Stage, jobs: Jobs) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=grid.named(f"nightly_{stage.name}"),
        job=jobs[stage.name],
        cron_schedule=f"0 {stage.hour} * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every night: asks the job `{grid.named(stage.name)}` for all that is missing or out "
        "of date, one run per variant, also where the sensor gave up or is switched off.",
    )
    def nightly(context: dg.ScheduleEvaluationContext, store: StoreResource):
        tasks = find_tasks(stage.name, grid, context.instance, store.open())
        night = context.scheduled_execution_time.date().isoformat()
        for task in tasks:
            yield run_request(grid, task, attempt=night)
        if not tasks:
            yield dg.SkipReason("nothing is missing, or what is missing is being worked on")

    return nightly
