"""The sensor that asks for what a study wants and does not have; what it decides is in `tdw.reconcile`."""

import dagster as dg

from tdw.reconcile.seen import Seen
from tdw.reconcile.tick import BUDGET_S, CHECK, Tick, tick
from tdw.store import Store
from tdw_assets.automation.run_requests import Jobs, run_request
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import describe_foreign, foreign_keys, register_variants
from tdw_resources.resources import StoreResource
from tdw_resources.sensor_cursor import keep, recall
from tdw_resources.wanted import WantedAssets

EVERY_S = 4  # Dagster looks every 5 seconds, and at 5 leaves out each look that comes a moment early


def look(
    wanted: WantedAssets,
    instance: dg.DagsterInstance,
    store: Store,
    seen: Seen,
    *,
    budget_s: float = BUDGET_S,
) -> Tick:
    """Register the variants of a study that is new, then look at what changed."""
    if wanted.study.fingerprint != seen.study:
        register_variants(wanted, instance, wanted.variants)
    found = tick(*as_it_is(wanted, instance, store), seen, budget_s=budget_s)
    found.notes += [describe_foreign(wanted, key) for key in foreign_keys(wanted, instance)]
    return found


def reconcile_sensor(wanted: WantedAssets, jobs: Jobs) -> dg.SensorDefinition:
    """The sensor: on unless it is switched off in the UI."""

    @dg.sensor(
        name=wanted.named("reconcile"),
        jobs=list(jobs.values()),
        minimum_interval_seconds=EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for what is missing or out of date: training, then analysis, then tables and "
        "plots, one run per variant and stage. Looks only at what changed. Each run says why in its tag "
        "tdw/reason; a tick says in its log what it asked for, and without a request what it waits for.",
    )
    def reconcile(context: dg.SensorEvaluationContext, store: StoreResource) -> dg.SensorResult:
        instance = context.instance
        seen = Seen.read(recall(context.cursor, instance, wanted.slug))
        result = look(wanted, instance, store.open(), seen)
        if result.tasks:  # otherwise the reason for skipping says it all, and a tick without a log costs less
            for task, attempt in result.tasks:
                again = f", attempt {attempt + 1}" if attempt and task.stage != CHECK else ""
                context.log.info(f"asks for {task.title}{again}: {task.reason}")
            for note in result.notes:
                context.log.info(note)
        return dg.SensorResult(
            run_requests=[run_request(wanted, task, attempt=attempt) for task, attempt in result.tasks],
            skip_reason="; ".join(result.notes)[:1000] if not result.tasks else None,
            cursor=keep(result.seen.dump(), instance, wanted.slug),
        )

    return reconcile
