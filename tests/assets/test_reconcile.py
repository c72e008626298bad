"""The automation asks for exactly what is missing, once, and knows when to stop."""

from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData
from lab import V1, V2, Lab

from tdw.inventory.plan import Task
from tdw.reconcile.seen import Seen
from tdw.reconcile.tick import Tick, find_tasks
from tdw.store import Address
from tdw_assets.automation.planned_runs import plan_next, plan_run
from tdw_assets.automation.run_requests import run_request
from tdw_assets.automation.sensor import look
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import variants_name
from tdw_assets.status import read_status
from tdw_resources.runs.stopped import find_stopped
from tdw_resources.runs.tags import STAGE_TAG, purpose


class Automation:
    """Ticks, and carries out what they ask for, as the daemon would."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.seen, self.done = lab, Seen(), Counter[tuple[str, str]]()
        self.checks = 0

    def tick(self) -> Tick:
        result = look(self.lab.wanted, self.lab.instance, self.lab.store, self.seen)
        self.seen = result.seen
        return result

    def carry_out(self, task: Task) -> dg.ExecuteInProcessResult:
        if task.stage == "check":
            self.checks += 1
        else:
            self.done[task.stage, task.variant] += 1
        planned = plan_run(self.lab.wanted, task)
        return self.lab.run(
            task.stage,
            asset_selection=list(planned.assets) or None,
            run_config=dict(planned.run_config),
            partition_key=planned.partition_key,
            tags=planned.tags,
        )

    def until_rest(self, most: int = 20) -> list[str]:
        """Tick until nothing is asked for; the notes of the last tick."""
        for _ in range(most):
            result = self.tick()
            if not result.tasks and not result.seen.queue:
                return result.notes
            for task, _attempt in result.tasks:
                self.carry_out(task)
        raise AssertionError(f"no rest after {most} ticks: {self.done}")


@pytest.fixture
def automation(lab: Lab) -> Automation:
    """With few analyzers, so that there are few plots to draw."""
    return Automation(lab.with_study(analyzers=["coarseness", "coarseness_stats"]))


EVERY_STAGE = {(job, variant): 1 for job in ("train", "analyze", "summarize") for variant in (V1, V2)} | {
    ("compare", ""): 1
}  # and checks, when all of it is done


@pytest.mark.slow
@pytest.mark.ci
def test_a_study_is_carried_out_with_one_run_a_variant_and_stage(automation: Automation) -> None:
    notes = automation.until_rest()
    assert automation.done == EVERY_STAGE and automation.checks == 1
    assert notes == ["nothing is missing in 2 variants"]
    lab = automation.lab
    assert lab.instance.get_materialized_partitions(lab.wanted.key("summaries", "coarseness")) == {V1, V2}
    assert lab.instance.get_materialized_partitions(lab.wanted.key("plots", "training_curves")) == {V1, V2}
    assert lab.instance.get_latest_materialization_event(lab.wanted.key("summaries", "comparison"))
    assert times_written(lab) == {"study_report": 1, "comparison_report": 1}  # for all 8 cells of each asset

    # A lost cursor, repeated ticks and a restart change nothing.
    automation.seen = Seen()
    automation.until_rest()
    automation.until_rest()
    assert automation.done == EVERY_STAGE

    # A deleted file is noticed and restored, and what was made from it stays: it is the same file again.
    lab.store.delete(Address(lab.wanted.family.name, V1, "coarseness", 2))
    automation.until_rest()
    assert automation.done["analyze", V1] == 2
    assert lab.store.exists(Address(lab.wanted.family.name, V1, "coarseness", 2))
    assert automation.done["analyze", V2] == 1

    # A changed parameter: what depends on it, down to the comparison, and nothing of training.
    automation.lab = lab.with_study(
        analyzers={"coarseness": {"radius_fraction": 0.25}, "coarseness_stats": {}}
    )
    before = automation.done.copy()
    automation.until_rest()
    assert automation.done - before == {
        (job, variant): number for (job, variant), number in EVERY_STAGE.items() if job != "train"
    }
    assert times_written(lab) == {"study_report": 2, "comparison_report": 2}


def times_written(lab: Lab) -> dict[str, int]:
    """How often each report was written."""
    names = ("study_report", "comparison_report")
    return {name: len(lab.events_of(lab.wanted.key("reports", name))) for name in names}


def test_a_tick_looks_at_no_cell_when_nothing_changed(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert automation.tick().tasks
    looked: list[object] = []
    monkeypatch.setattr("tdw.reconcile.tick._look", lambda *args: looked.append(args) or iter(()))
    automation.seen.left, automation.seen.compared = [V1], True
    assert automation.tick().notes == [f"something is left of {V1}, and waits for a person or for news"]
    assert not looked


def test_after_an_upgrade_of_what_draws_every_variant_is_looked_at_again(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert automation.tick().tasks
    looked: list[str] = []
    monkeypatch.setattr("tdw.reconcile.tick._look", lambda *args: looked.extend(args[2]) or iter(()))
    automation.seen.left = []
    automation.seen.made_by = "an earlier version"
    automation.tick()
    assert looked == [V1, V2]
    looked.clear()
    automation.seen.left = []
    automation.tick()
    assert not looked


def test_variants_that_are_worked_on_are_left_alone(automation: Automation) -> None:
    first = automation.tick()
    assert {(task.stage, task.variant) for task, _ in first.tasks} == {("train", V1), ("train", V2)}
    run = plan_run(automation.lab.wanted, first.tasks[0][0])
    automation.lab.instance.create_run_for_job(
        automation.lab.defs.resolve_job_def("tiny_train"), tags=run.tags, status=dg.DagsterRunStatus.STARTED
    )
    automation.seen = Seen()
    assert {(task.stage, task.variant) for task, _ in automation.tick().tasks} == {("train", V2)}


def test_work_that_fails_without_progress_is_tried_three_times_and_then_reported(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("tdw.training.loop.train", broken)
    notes = automation.until_rest()
    assert automation.done == {("train", V1): 3, ("train", V2): 3}
    assert any(f"train of {V1} was tried 3 times without progress" in note for note in notes)


@pytest.mark.slow
def test_what_is_trained_is_analyzed_although_the_rest_fails(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = automation.lab
    assert lab.fill("train", V1, {"checkpoint": (0, 2)}).success

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("tdw.training.loop.train", broken)
    automation.until_rest()
    assert lab.done("coarseness") == {f"00000|{V1}", f"00002|{V1}"}
    assert automation.done["summarize", V1] == 1


def test_analysis_does_not_wait_until_a_training_that_fails_is_given_up(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = automation.lab
    assert lab.fill("train", V1, {"checkpoint": (0,)}).success

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("nothing to replay from")

    monkeypatch.setattr("tdw.training.loop.train", broken)
    asked: list[str] = []
    for _ in range(3):
        for task, _attempt in automation.tick().tasks:
            automation.carry_out(task)
            asked += [task.stage] if task.variant == V1 else []
    assert asked == ["train", "analyze", "train"]


def test_a_run_that_a_person_canceled_is_not_started_again(automation: Automation) -> None:
    planned = run_request(automation.lab.wanted, automation.tick().tasks[0][0], attempt=0)
    instance = automation.lab.instance
    run = instance.create_run_for_job(
        automation.lab.defs.resolve_job_def("tiny_train"),
        tags=planned.tags,
        status=dg.DagsterRunStatus.STARTED,
    )
    instance.report_run_canceled(run)
    automation.seen = Seen()
    result = automation.tick()
    assert {run.variant for run, _ in result.tasks} == {V2}
    assert any("was stopped" in note for note in result.notes)
    # Neither by night, nor after a restart, which forgets the cursor.
    found = as_it_is(automation.lab.wanted, instance, automation.lab.store)
    assert {task.variant for task in find_tasks("train", *found)} == {V2}
    assert [(each.stage, each.variant) for each in find_stopped(instance, "tiny")] == [("train", V1)]
    status = read_status(automation.lab.wanted, instance, automation.lab.store)
    assert status.asked.startswith(f"tiny_train of {V1}, 20")
    assert status.asked.endswith(" UTC, canceled: checkpoint: missing at epochs 0:6:2")
    assert status.waits == tuple(note for note in result.notes if "was stopped" in note)


def test_what_a_person_stopped_goes_on_when_they_ask_for_it(automation: Automation) -> None:
    lab = automation.lab
    tags = purpose(lab.wanted, stage="train", variant=V1)
    job = lab.defs.resolve_job_def("tiny_train")
    run = lab.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    lab.instance.report_run_canceled(run)
    planned = plan_next(lab.wanted, lab.instance, lab.store, V1)
    assert planned is not None and (planned.job, planned.tags[STAGE_TAG]) == ("tiny_train", "train")
    lab.instance.create_run_for_job(job, tags=dict(planned.tags), status=dg.DagsterRunStatus.STARTED)
    assert find_stopped(lab.instance, "tiny") == []


def test_a_new_variant_is_found_and_a_removed_one_left_alone(automation: Automation) -> None:
    lab = automation.lab
    automation.tick()
    new = "p7_s3_d598"
    lab.instance.add_dynamic_partitions(variants_name(lab.wanted), [new])
    lab.instance.delete_dynamic_partition(variants_name(lab.wanted), V2)
    result = automation.tick()
    assert new in {run.variant for run, _ in result.tasks}
    assert V2 not in result.seen.marks


def test_a_tick_stops_when_its_time_is_up_and_the_next_goes_on(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_a_variant = len(lab.wanted.epochs) * (1 + len(lab.wanted.analyzers))
    monkeypatch.setattr("tdw.reconcile.tick.CELLS", 4 * of_a_variant + 1)  # four variants together
    more = [f"p7_s{seed}_d598" for seed in range(10, 22)]
    lab.instance.add_dynamic_partitions(variants_name(lab.wanted), more)
    seen, asked, ticks = Seen(), [], 0
    while not asked or seen.queue:
        result = look(lab.wanted, lab.instance, lab.store, seen, budget_s=1e-9)
        seen, ticks = result.seen, ticks + 1
        asked += [run.variant for run, _ in result.tasks]
        assert ticks < 10
    assert sorted(asked) == sorted([V1, V2, *more]) and ticks == 4


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
