"""A worker process of `tdw fill`: takes variants, runs their stages as Dagster runs in itself.

One process does many runs, so that Dagster and torch are imported once per core and not once per run.
"""

from __future__ import annotations

import contextlib
import importlib
import signal
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from tdw.compute import ask_for_one_thread, without_collecting
from tdw.errors import Busy
from tdw_resources.runs.liveness import die_with_supervisor
from tdw_resources.runs.warm_start import NEEDED
from tdw_workbench.fill.answers import STOPPED, Answer, StageDone
from tdw_workbench.fill.request import ALL, FillRequest

if TYPE_CHECKING:
    import dagster as dg

    from tdw.inventory.plan import Task
    from tdw_resources.wanted import WantedAssets

_PATIENCE_S = 1.0
_INTERRUPTED = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


@contextlib.contextmanager
def claim(request: FillRequest, variant: str, *, wanted: WantedAssets) -> Generator[None]:
    """Hold a variant against other fills: each does what is free, and none waits where there is other work.

    Args:
        variant: its key, or `ALL`, which is waited for: nothing else is left to do then.

    Raises:
        Busy: another fill works on the variant.
    """
    from tdw.store import Store

    everything = variant == ALL
    where = wanted.study.folder if everything else variant
    with Store(request.store).lock(
        wanted.family.name, where, "fill", wait_s=None if everything else _PATIENCE_S
    ):
        yield


def run_variant(
    request: FillRequest,
    variant: str,
    *,
    wanted: WantedAssets,
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
) -> Iterator[StageDone]:
    """Do what is missing of one variant, stage by stage; each sees what the one before it has made.

    A stage that fails stops no other: checkpoints that are there are analyzed, whatever became of the
    training of further ones, which may be impossible (an imported variant has nothing to replay from).

    Args:
        variant: its key, or `ALL` for what is drawn over all variants.
    """
    failed: set[str] = set()
    for plan in _tasks(request, "" if variant == ALL else variant, wanted, instance):
        task = plan()
        if task is None or task.stage in failed:
            continue
        done = execute(wanted, task, defs=defs, instance=instance)
        if done.error:
            failed.add(task.stage)
        yield done


def _tasks(
    request: FillRequest, variant: str, wanted: WantedAssets, instance: dg.DagsterInstance
) -> Iterator[Callable[[], Task | None]]:
    """Tasks to be planned one after another, each when the one before it is carried out."""
    from tdw.inventory.plan import STAGES
    from tdw.inventory.products import EXTRA_EPOCHS
    from tdw.store import Store
    from tdw_assets.cells.partitions import with_registered
    from tdw_resources.events.records import inventory_of

    whole = wanted if variant else with_registered(wanted, instance)
    inventory = inventory_of(whole, instance, Store(request.store))
    for stage in STAGES:
        if stage.of_study == bool(variant) or (stage.name == "choose" and EXTRA_EPOCHS not in request.assets):
            continue

        def plan(name: str = stage.name) -> Task | None:
            gaps = inventory.gaps_of(variant) if variant else None
            return inventory.task(name, gaps, out_of_date=request.out_of_date, names=request.assets or None)

        yield plan
        if not stage.of_cells:
            yield plan  # plots that were there before the tables they can also show are out of date by now


def execute(
    wanted: WantedAssets, task: Task, *, defs: dg.Definitions, instance: dg.DagsterInstance
) -> StageDone:
    """Carry out one task, as a run in this process."""
    from tdw_assets.automation.planned_runs import plan_run
    from tdw_resources.runs.liveness import WORKER_TAG, identity

    planned = plan_run(wanted, task)
    # Left open, a selection of assets brings their checks along.
    job = defs.resolve_job_def(planned.job).get_subset(
        asset_selection=set(planned.assets), asset_check_selection=set()
    )
    result = job.execute_in_process(
        instance=instance,
        run_config=dict(planned.run_config),
        partition_key=planned.partition_key,
        tags={**planned.tags, "tdw/door": "fill", WORKER_TAG: identity()},
        raise_on_error=False,
    )
    error = "" if result.success else _why(result)
    return StageDone(task.variant, task.stage, result.run_id, task.size, error)


def _why(result: dg.ExecuteInProcessResult) -> str:
    """The first step failure's own words.

    Raises:
        KeyboardInterrupt: the run was stopped by a person.
    """
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return data.user_failure_data.description
            if data.error:
                cause = data.error.cause or data.error
                if cause.cls_name in _INTERRUPTED:
                    raise KeyboardInterrupt
                return cause.message.strip()
    return f"run {result.run_id} did not succeed; its log in the UI says why"


def serve(line: Connection) -> int:
    """Take requests and variants from the line, and answer, until `tdw fill` ends this process or has ended.

    Returns the exit code of one that was interrupted, or that has lost its parent.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ask_for_one_thread()
    try:
        _get_ready()
        with contextlib.suppress(EOFError):
            _serve(line, line.recv())
    except KeyboardInterrupt:
        return STOPPED
    return 0


def _get_ready() -> None:
    """Import what every run needs, before there is one."""
    die_with_supervisor()
    with without_collecting():
        for name in NEEDED:
            importlib.import_module(name)


def _serve(line: Connection, request: FillRequest) -> None:
    from tdw_assets.build import build_defs
    from tdw_resources.instance import open_instance
    from tdw_resources.resources import StoreResource

    with open_instance(Path(request.home)) as instance:
        while True:
            wanted = request.wanted()
            defs = build_defs(wanted, resource_overrides={"store": StoreResource(root=request.store)})
            while isinstance(order := line.recv(), str):
                try:
                    with claim(request, order, wanted=wanted):
                        for done in run_variant(request, order, wanted=wanted, defs=defs, instance=instance):
                            line.send(Answer(order, done=done))
                    line.send(Answer(order))
                except Busy:
                    line.send(Answer(order, busy=True))
            request = order
