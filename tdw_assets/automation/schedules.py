"""Schedules that look at everything once a night, whatever the sensor remembers, and also what it gave up.

One a stage, hours apart, since a schedule can only start its own job. Each asks for at most one run a
variant.
"""

from collections.abc import Callable

import dagster as dg

from tdw.store import Store
from tdw_assets.automation.extra_epochs import settle
from tdw_assets.automation.planned_runs import PlannedRun, plan_analysis, plan_derived, plan_training
from tdw_assets.automation.run_requests import Jobs, run_request
from tdw_assets.automation.work_in_progress import find_busy
from tdw_assets.cells.gaps import VariantGaps, find_gaps
from tdw_assets.cells.partitions import with_registered
from tdw_assets.cells.products import find_comparison_gaps, find_derived_gaps
from tdw_assets.cells.wanted import Grid
from tdw_resources.resources import StoreResource

HOURS = {"train": 1, "analyze": 4, "summarize": 5, "compare": 6}


def find_runs(stage: str, grid: Grid, instance: dg.DagsterInstance, store: Store) -> list[PlannedRun]:
    """The runs of one stage that are needed now, of variants that nobody works on."""
    grid = settle(with_registered(grid, instance), instance, store).grid
    busy = find_busy(grid, instance)
    if busy.everything or (stage == "compare" and not busy.idle):
        return []
    if stage == "compare":
        planned = [plan_derived(grid, find_comparison_gaps(grid, instance, store), "")]
        return [run for run in planned if run is not None]
    free = [variant for variant in grid.variants if variant not in busy.variants]
    gaps = find_gaps(grid, instance, store, free)

    def derive(of: VariantGaps) -> PlannedRun | None:
        return plan_derived(grid, find_derived_gaps(grid, instance, store, {of.variant: of}), of.variant)

    plan: dict[str, Callable[[VariantGaps], PlannedRun | None]] = {
        "train": lambda of: plan_training(grid, of),
        "analyze": lambda of: plan_analysis(grid, of),
        "summarize": derive,
    }
    return [run for of in gaps.values() if (run := plan[stage](of)) is not None]


def nightly_schedules(grid: Grid, jobs: Jobs) -> list[dg.ScheduleDefinition]:
    """One schedule a stage: on unless it is switched off in the UI."""
    return [_schedule(grid, name, jobs) for name in HOURS if name in jobs]


def _schedule(grid: Grid, name: str, jobs: Jobs) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=grid.named(f"nightly_{name}"),
        job=jobs[name],
        cron_schedule=f"0 {HOURS[name]} * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every night: asks the job `{grid.named(name)}` for all that is missing or "
        "out of date, one run a variant, also where the sensor gave up or is switched off.",
    )
    def nightly(context: dg.ScheduleEvaluationContext, store: StoreResource):
        runs = find_runs(name, grid, context.instance, store.open())
        night = context.scheduled_execution_time.date().isoformat()
        for run in runs:
            yield run_request(run, attempt=night)
        if not runs:
            yield dg.SkipReason("nothing is missing, or what is missing is being worked on")

    return nightly
