"""The automation: one sensor that compares what is there with what the study wants, and asks for the rest.

It is level-triggered: a tick looks at the present state only, so a missed tick, a restart or a double tick
loses nothing. At most one run a variant is asked for at a time: training, then analysis, then tables and
plots, and when no variant has anything left, what covers all of them.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import dagster as dg
from pydantic import TypeAdapter, ValidationError

from tdw.inventory.plan import Inventory, Task
from tdw.store import Store
from tdw.store.fingerprints import fingerprint_json
from tdw.training.environment import code_version
from tdw_assets.automation.attempts import Verdict, judge
from tdw_assets.automation.extra_epochs import still_training
from tdw_assets.automation.planned_runs import CHECK
from tdw_assets.automation.run_requests import Jobs, run_request
from tdw_assets.automation.work_in_progress import Busy, find_busy
from tdw_assets.cells.partitions import describe_foreign, foreign_keys, register_variants, with_registered
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.event_records import inventory_of
from tdw_resources.resources import StoreResource

BUDGET_S = 1.2
CHUNK = 4
EVERY_S = 5


@dataclass
class Seen:
    """What the last tick left behind, as the sensor's cursor.

    Attributes:
        study: fingerprint of the study that was carried out.
        made_by: fingerprint of the code that makes it all; after an upgrade everything is looked at again.
        extra: epochs that its adaptive rule had added.
        event: newest storage id of the event log at that time.
        marks: variant -> mark of its folders.
        left: variants that had something left to do.
        queue: variants that have to be looked at, and were not for lack of time.
        compared: whether what covers all variants was up to date.
        checked: mark of all files when checks were last asked for.
    """

    study: str = ""
    made_by: str = ""
    extra: list[int] = field(default_factory=list)
    event: int = -1
    marks: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    compared: bool = False
    checked: str = ""

    @classmethod
    def read(cls, cursor: str | None) -> "Seen":
        """From a cursor; an unreadable one counts as none."""
        try:
            return TypeAdapter(cls).validate_json(cursor or "{}", strict=True)
        except ValidationError:
            return cls()


@dataclass
class Tick:
    """What a tick comes to.

    Attributes:
        tasks: to be asked for, each with the number of runs that there were for the same gap.
        notes: why nothing else is, and what is waited for.
    """

    tasks: list[tuple[Task, int]]
    notes: list[str]
    seen: Seen


def tick(
    grid: Grid, instance: dg.DagsterInstance, store: Store, seen: Seen, *, budget_s: float = BUDGET_S
) -> Tick:
    """Look at what changed since `seen`, for about `budget_s` seconds; the rest is looked at next time."""
    started = time.perf_counter()
    if grid.study.fingerprint != seen.study:
        register_variants(grid, instance, grid.variants)
        seen = Seen(study=grid.study.fingerprint)
    aside = [describe_foreign(grid, key) for key in foreign_keys(grid, instance)]
    grid = with_registered(grid, instance).with_extra(store)
    chosen, waits = _choose(grid, instance, store)
    waits += aside
    if chosen is not None:
        return Tick(chosen, waits, seen)
    made_by = _made_by(grid)
    if (list(grid.extra), made_by) != (seen.extra, seen.made_by):
        seen = Seen(study=seen.study, made_by=made_by, extra=list(grid.extra), checked=seen.checked)
    now = Seen(
        study=seen.study,
        made_by=seen.made_by,
        extra=seen.extra,
        event=instance.event_log_storage.get_maximum_record_id() or 0,
        marks={variant: _mark(grid, store, variant) for variant in grid.variants},
        checked=seen.checked,
    )
    queue = _changed(seen, now)
    if not queue and seen.compared and now.event == seen.event:
        now.left, now.compared = seen.left, True
        return Tick([], [_at_rest(now), *waits], now)
    busy, inventory = find_busy(grid, instance), inventory_of(grid, instance, store)
    now.left = [v for v in seen.left if v in now.marks and v not in queue]
    result = Tick([], [], now)
    while queue:
        some, queue = queue[:CHUNK], queue[CHUNK:]
        worked_on = [v for v in some if busy.everything or v in busy.variants]
        now.left += worked_on
        for variant, verdict in _look(grid, inventory, instance, [v for v in some if v not in worked_on]):
            if _take(verdict, result):
                now.left.append(variant)
        if time.perf_counter() - started >= budget_s:
            break
    now.queue = queue
    if not queue and not result.tasks and busy.idle:
        now.compared = not _take(judge(grid, instance, [inventory.task("compare")]), result)
        if not result.tasks:
            _check(result)
    if not result.tasks and not result.notes:
        result.notes.append(_why_nothing(now, busy))
    result.notes += waits
    return result


def _made_by(grid: Grid) -> str:
    derived = [[product.name, product.spec] for product in grid.products if "/" in product.name]
    return fingerprint_json([code_version(grid.family), grid.analyzer_specs, derived])


def _choose(
    grid: Grid, instance: dg.DagsterInstance, store: Store
) -> tuple[list[tuple[Task, int]] | None, list[str]]:
    """The run that chooses the extra epochs, on whose result the rest waits; None when there is none to wait
    for. And what is to be said about it.
    """
    inventory = inventory_of(grid, instance, store)
    task = inventory.task("choose")
    if task is None:
        return None, []
    waits = still_training(inventory, instance)
    if waits:
        return None, [f"the extra checkpoints are chosen after the training of {', '.join(waits)}"]
    verdict = judge(grid, instance, [task])
    if verdict.task is None:
        return None, verdict.notes
    if find_busy(grid, instance).comparison:
        return [], ["the extra checkpoints are chosen when what covers all variants is done"]
    return [(task, verdict.attempt)], []


def _changed(seen: Seen, now: Seen) -> list[str]:
    """Variants to look at: whose files changed, and on any news those that had something left."""
    news = now.event != seen.event
    return [
        variant
        for variant, mark in now.marks.items()
        if variant in seen.queue
        or mark != seen.marks.get(variant)
        or (news and (variant in seen.left or not mark))
    ]


def _take(verdict: Verdict, into: Tick) -> bool:
    """Add a verdict to a tick; whether there is anything left to do."""
    into.notes += verdict.notes
    if verdict.task is not None:
        into.tasks.append((verdict.task, verdict.attempt))
    return verdict.task is not None or bool(verdict.notes)


def _look(
    grid: Grid, inventory: Inventory, instance: dg.DagsterInstance, variants: list[str]
) -> Iterator[tuple[str, Verdict]]:
    """The next task of each variant, if it has one and it has not failed too often."""
    for variant, gaps in (inventory.gaps(variants) if variants else {}).items():
        verdict = judge(grid, instance, [inventory.task("train", gaps), inventory.task("analyze", gaps)])
        if verdict.task is None:
            last = judge(grid, instance, [inventory.task("summarize", gaps)])
            verdict = Verdict(last.task, [*verdict.notes, *last.notes], last.attempt)
        yield variant, verdict


def _check(into: Tick) -> None:
    """Ask for the checks when all work is done and files have come or gone since they were last made."""
    now = into.seen
    mark = fingerprint_json(now.marks)[:16]
    if mark != now.checked and any(now.marks.values()):
        now.checked = mark
        reason = "all work is done, and files have come or gone since the last check"
        into.tasks.append((Task(CHECK, "", names=(), request=mark, size=0, reason=reason), now.event))


def _mark(grid: Grid, store: Store, variant: str) -> str:
    """Changes whenever a file of the variant comes or goes: the folders' times. "" where there are none."""
    if not isinstance(store.root, Path):
        return ""
    folder = store.root / grid.family.name / variant
    kinds = ("checkpoints", "summaries", "plots", *grid.analyzers)
    times: list[int] = []
    for kind in kinds:
        try:
            times.append((folder / kind).stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return "-".join(f"{when:x}" for when in times)


def _why_nothing(now: Seen, busy: Busy) -> str:
    if now.queue:
        return f"{len(now.queue)} variants are looked at next time"
    return f"being worked on: {', '.join(sorted(busy.variants))}" if busy.variants else _at_rest(now)


def _at_rest(now: Seen) -> str:
    if now.left:
        return f"something is left of {', '.join(now.left)}, and waits for a person or for news"
    return f"nothing is missing in {len(now.marks)} variants"


def reconcile_sensor(grid: Grid, jobs: Jobs) -> dg.SensorDefinition:
    """The sensor: on unless it is switched off in the UI."""

    @dg.sensor(
        name=grid.named("reconcile"),
        jobs=list(jobs.values()),
        minimum_interval_seconds=EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for what is missing or out of date: training, then analysis, then tables and "
        "plots, one run per variant and stage. Looks only at what changed. Each run says why in its tag "
        "tdw/reason; a tick says in its log what it asked for, and without a request what it waits for.",
    )
    def reconcile(context: dg.SensorEvaluationContext, store: StoreResource) -> dg.SensorResult:
        result = tick(grid, context.instance, store.open(), Seen.read(context.cursor))
        if result.tasks:  # otherwise the reason for skipping says it all, and a tick without a log costs less
            for task, attempt in result.tasks:
                again = f", attempt {attempt + 1}" if attempt and task.stage != CHECK else ""
                context.log.info(f"asks for {task.title}{again}: {task.reason}")
            for note in result.notes:
                context.log.info(note)
        return dg.SensorResult(
            run_requests=[run_request(grid, task, attempt=attempt) for task, attempt in result.tasks],
            skip_reason="; ".join(result.notes)[:1000] if not result.tasks else None,
            cursor=json.dumps(asdict(result.seen)),
        )

    return reconcile
