"""Nightly schedules that check everything, ignoring the sensor's cursor and its give-ups.

One per stage, hours apart, since a schedule can only start its own job. Each asks for at most one run per
variant.
"""

import dagster as dg

from tdw.inventory.plan import STAGES, Stage
from tdw.reconcile.tick import find_tasks
from tdw_assets.automation.run_requests import Jobs, run_request
from tdw_assets.cells.as_it_is import as_it_is
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets


def nightly_schedules(wanted: WantedAssets, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """One schedule per stage: on unless it is switched off in the UI."""
    return [_schedule(wanted, stage, jobs) for stage in STAGES if stage.name in jobs]


def _schedule(wanted: WantedAssets, stage: Stage, jobs: Jobs) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=wanted.named(f"nightly_{stage.name}"),
        job=jobs[stage.name],
        cron_schedule=f"0 {stage.hour} * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every night: asks the job `{wanted.named(stage.name)}` for all that is missing or out "
        "of date, one run per variant, also where the sensor gave up or is switched off; not what a person "
        "stopped.",
    )
    def nightly(context: dg.ScheduleEvaluationContext, store: StoreResource):
        tasks = find_tasks(stage.name, *as_it_is(wanted, context.instance, store.open()))
        night = context.scheduled_execution_time.date().isoformat()
        for task in tasks:
            yield run_request(wanted, task, attempt=night)
        if not tasks:
            yield dg.SkipReason("nothing is missing, or what is missing is being worked on")

    return nightly
