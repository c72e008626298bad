"""What sensor, schedule and form ask Dagster for: runs with a reason, a key, assets and a pool."""

from pathlib import Path

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from lab import V1, V2, Automation, Lab

from tdw.reconcile.seen import Seen
from tdw.reconcile.tick import find_tasks
from tdw_assets.automation.run_requests import run_request
from tdw_assets.automation.sensor import look
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import variants_name


def test_each_run_says_why_it_was_asked_for(lab: Lab) -> None:
    few = lab.with_study(analyzers=["coarseness"])
    assert few.fill("train", V1, {"checkpoint": (0, 2, 4, 6)}).success
    assert few.fill("analyze", V1, {"coarseness": (0, 2)}).success
    few.record_checkpoint_as_changed(V1, 2)
    automation = Automation(few)
    (first, second) = (run_request(few.wanted, task, attempt=0) for task, _ in automation.tick().tasks)
    assert first.tags["tdw/reason"] == "coarseness: missing at epochs 4, 6, out of date at epochs 2"
    assert second.tags["tdw/reason"] == "checkpoint: missing at epochs 0:6:2"
    assert second.tags["tdw/variant"] == V2
    while (tasks := automation.tick().tasks)[0][0].stage != "summarize":
        for task, _ in tasks:
            automation.carry_out(task)
    tables = run_request(few.wanted, tasks[0][0], attempt=0).tags["tdw/reason"]
    assert tables.startswith("missing: summaries/") and "plots/training_curves" in tables


def test_the_sensor_asks_the_daemon_with_keys_that_never_repeat_a_run(lab: Lab) -> None:
    sensor = lab.defs.resolve_sensor_def("tiny_reconcile")

    def evaluate() -> SensorExecutionData:
        with dg.build_sensor_context(
            instance=lab.instance, definitions=lab.defs, resources=lab.resources
        ) as context:
            return sensor.evaluate_tick(context)

    first, again = evaluate(), evaluate()
    keys = [request.run_key for request in first.run_requests or []]
    assert len(keys) == 2 and keys == [request.run_key for request in again.run_requests or []]
    request = (first.run_requests or [])[0]
    assert request.job_name == "tiny_train" and request.tags["dagster/defer_asset_events"] == "true"


def test_a_run_that_automation_asks_for_brings_no_checks_along_and_waits_for_its_own_pool_alone(
    lab: Lab,
) -> None:
    from dagster._core.execution.api import create_execution_plan
    from dagster._core.op_concurrency_limits_counter import compute_run_op_concurrency_info_for_snapshot
    from dagster._core.snap.execution_plan_snapshot import snapshot_from_execution_plan

    task = look(lab.wanted, lab.instance, lab.store, Seen()).tasks[0][0]
    request = run_request(lab.wanted, task, attempt=0)
    job = lab.defs.resolve_job_def(request.job_name).get_subset(
        asset_selection=set(request.asset_selection or []),
        asset_check_selection=None if request.asset_check_keys is None else set(request.asset_check_keys),
    )
    plan = create_execution_plan(job, run_config=request.run_config)
    pools = compute_run_op_concurrency_info_for_snapshot(snapshot_from_execution_plan(plan, "of a job"))
    assert pools is not None and pools.all_pools == {"train"}
    assert [step.key for step in plan.steps] == ["tiny_train_checkpoints"]


def test_the_nightly_schedule_asks_for_every_gap(lab: Lab) -> None:
    found = as_it_is(lab.wanted, lab.instance, lab.store)
    tasks = find_tasks("train", *found)
    assert {(task.stage, task.variant, task.size) for task in tasks} == {("train", V1, 4), ("train", V2, 4)}
    assert not find_tasks("analyze", *found)


def test_variants_are_registered_from_a_form_and_wrong_ones_refused(lab: Lab) -> None:
    job = lab.defs.resolve_job_def("tiny_register_variants")

    def register(**values: list[int]) -> dg.ExecuteInProcessResult:
        config = {"ops": {"tiny_register_variants_op": {"config": values}}}
        return job.execute_in_process(instance=lab.instance, run_config=config, raise_on_error=False)

    assert register(p=[11, 13], seed=[5]).success
    known = lab.instance.get_dynamic_partitions(variants_name(lab.wanted))
    assert {"p11_s5_d598", "p13_s5_d598"} <= set(known)
    wrong = register(p=[15], seed=[5])
    assert not wrong.success and "odd prime" in str(wrong.failure_data_for_node("tiny_register_variants_op"))
    assert Path(lab.store.root).parent.exists()
