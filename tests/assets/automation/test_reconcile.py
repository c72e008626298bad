"""The automation asks for exactly what is missing, once, and knows when to stop."""

import dagster as dg
import pytest
from lab import V1, V2, Automation, Lab

from tdw.reconcile.seen import Seen
from tdw.reconcile.tick import find_tasks
from tdw.store import Address
from tdw_assets.automation.planned_runs import plan_next, plan_run
from tdw_assets.automation.run_requests import run_request
from tdw_assets.automation.sensor import look
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import variants_name
from tdw_assets.status import read_status
from tdw_resources.runs.stopped import find_stopped
from tdw_resources.runs.tags import STAGE_TAG, purpose


@pytest.fixture
def automation(lab: Lab) -> Automation:
    """With few analyzers, so that there are few plots to draw."""
    return Automation(lab.with_study(analyzers=["coarseness", "coarseness_stats"]))


EVERY_STAGE = {(job, variant): 1 for job in ("train", "analyze", "summarize") for variant in (V1, V2)} | {
    ("compare", ""): 1
}  # and checks, when all of it is done


@pytest.mark.slow
@pytest.mark.ci
def test_a_study_is_carried_out_with_one_run_per_variant_and_stage(automation: Automation) -> None:
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
