"""Whatever stands in Dagster's database is ignored, said, and holds up no variant."""

import json
from pathlib import Path

import dagster as dg
import pytest
from lab import V1, V2, Lab

from tdw.integrity.against_records import compare_with_records
from tdw.reconcile.seen import Seen
from tdw.reconcile.tick import find_tasks
from tdw_assets.assets.requested_cells import cells_config
from tdw_assets.automation.sensor import look
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import describe_foreign, foreign_keys, variants_name, with_registered
from tdw_assets.checks.asset_checks import check_cells
from tdw_assets.status import read_status
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.events.records import read_contents
from tdw_resources.runs.liveness import WORKER_TAG
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import FillRequest

KEYS = ("p43-seed5", "p48_s1_d598", f"{V1} ", " ", "../x", f"a|{V1}", "p7_s1_d598|", "²", "x" * 3000, "-x")
"""As a person types them into the dialog; `p48_s1_d598` looks like a variant, but 48 is no prime."""


def is_retried(lab: Lab, result: dg.ExecuteInProcessResult) -> bool:
    """Whether Dagster would start the run once more by itself."""
    run = lab.instance.get_run_by_id(result.run_id)
    return run is None or run.tags.get("dagster/will_retry") == "true"


@pytest.fixture
def odd(lab: Lab) -> Lab:
    """A lab with all of these keys."""
    found = lab.with_study(analyzers=["coarseness", "coarseness_stats"])
    found.instance.add_dynamic_partitions(variants_name(lab.wanted), list(KEYS))
    return found


def test_every_door_goes_on_with_the_variants_and_names_the_keys(odd: Lab) -> None:
    wanted, instance, store = odd.wanted, odd.instance, odd.store
    assert with_registered(wanted, instance).variants == (V1, V2)
    assert foreign_keys(wanted, instance) == KEYS
    status = read_status(wanted, instance, store)
    assert list(status.gaps) == [V1, V2] and status.to_dict()["foreign_keys"] == list(KEYS)
    result = look(wanted, instance, store, Seen())
    assert {task.variant for task, _ in result.tasks} == {V1, V2}
    found = as_it_is(wanted, instance, store)
    assert {task.variant for task in find_tasks("train", *found)} == {V1, V2}
    assert not find_tasks("compare", *found)
    checked = list(check_cells(with_registered(wanted, instance), instance, store, set()))
    assert checked == []
    request = FillRequest(wanted.study.model_dump(mode="json"), str(store.root), "", (V1, V2))
    assert set(RemainingWork.find(request, wanted, instance, store).variants) == {V1, V2, "*"}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_named_with_what_is_wrong_and_a_command_that_removes_it(lab: Lab, key: str) -> None:
    said = describe_foreign(lab.wanted, key)
    assert repr(key[:80]) in said and "tdw remove-key" in said and "remove_variant" in said
    assert len(said) < 700


def test_the_sensor_says_which_keys_it_leaves_aside(odd: Lab) -> None:
    seen = look(odd.wanted, odd.instance, odd.store, Seen()).seen
    seen.queue, seen.left, seen.compared = [], [], True
    assert any("'p43-seed5'" in note for note in look(odd.wanted, odd.instance, odd.store, seen).notes)


@pytest.mark.parametrize("key", KEYS)
def test_a_run_on_such_a_key_fails_with_the_reason_and_is_not_tried_again(odd: Lab, key: str) -> None:
    config = {"ops": {"tiny_train_checkpoints": {"config": cells_config(key, {"checkpoint": (0,)})}}}
    result = odd.run("train", asset_selection=[odd.wanted.checkpoint], run_config=config)
    assert not result.success
    failure = result.failure_data_for_node("tiny_train_checkpoints")
    assert failure and failure.user_failure_data
    assert not is_retried(odd, result)
    said = failure.user_failure_data.description or ""
    assert "is not the key of a variant" in said or "is not an odd prime" in said
    assert not list(Path(odd.store.root).rglob("*.safetensors"))


@pytest.mark.parametrize("key", ["p43-seed5", "p48_s1_d598", f"{V1} ", "../x"])
@pytest.mark.parametrize("asset", ["checkpoint", "history", "coarseness", "summaries/coarseness"])
def test_a_partition_that_is_chosen_in_the_ui_fails_with_the_reason(odd: Lab, key: str, asset: str) -> None:
    key_of = odd.wanted.key(*asset.split("/"))
    partition = cell_key(key, 0) if asset in ("checkpoint", "coarseness") else key
    result = odd.defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=odd.instance, asset_selection=[key_of], partition_key=partition, raise_on_error=False
    )
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data.user_failure_data
    assert failure and not is_retried(odd, result)
    assert "is not the key of a variant" in failure.description or "odd prime" in failure.description


def test_a_range_that_holds_such_a_key_does_the_variants_and_then_fails(odd: Lab) -> None:
    tags = {
        "dagster/asset_partition_range_start": cell_key(V1, 0),
        "dagster/asset_partition_range_end": cell_key("p43-seed5", 0),
    }
    result = odd.run("train", asset_selection=[odd.wanted.checkpoint], tags=tags)
    assert not result.success
    assert {cell_key(V1, 0), cell_key(V2, 0)} <= odd.done("checkpoint")
    data = result.failure_data_for_node("tiny_train_checkpoints")
    assert data and data.user_failure_data
    assert "1 of 3 failed; the others are done" in (data.user_failure_data.description or "")


@pytest.mark.parametrize(
    "cursor",
    [
        *("[]", "null", "3", '"x"', "{", "[" * 5000, '{"marks": 3}', '{"queue": [{}]}', '{"event": "x"}'),
        *('{"left": {"a": 1}}', '{"extra": null}', '{"nobody": 1}'),
    ],
)
def test_any_cursor_is_survived(lab: Lab, cursor: str) -> None:
    result = look(lab.wanted, lab.instance, lab.store, Seen.read(cursor))
    assert {task.variant for task, _ in result.tasks} == {V1, V2}
    json.dumps(result.seen.__dict__)


def test_events_of_any_partition_and_version_are_survived(lab: Lab) -> None:
    wanted, instance = lab.wanted, lab.instance
    for asset in (
        wanted.checkpoint,
        wanted.key("coarseness"),
        wanted.key("history"),
        wanted.key("summaries", "comparison"),
    ):
        for partition in (
            "x",
            "²²²²²|" + V1,
            "00000|../x",
            f"{'9' * 5000}|{V1}",
            f"00000|{V1}",
            f"0|{V1}",
            V1,
        ):
            for version in ("a:b:c", "a", "::", "../:../:../"):
                tags = {"dagster/data_version": version}
                event = dg.AssetMaterialization(asset, partition=partition, tags=tags)
                instance.report_runless_asset_event(event)
    assert {run.variant for run, _ in look(wanted, instance, lab.store, Seen()).tasks} == {V1, V2}
    assert set(read_status(wanted, instance, lab.store).gaps) == {V1, V2}
    found = list(compare_with_records([], lab.store, read_contents(instance), families=[wanted.family]))
    assert {finding.variant for finding in found} <= {V1, ""}


def test_runs_with_any_tags_are_survived(lab: Lab) -> None:
    job = lab.defs.resolve_job_def("tiny_train")
    odd = ("", "x", "²", f"{'9' * 400}|", "a|b|c", "host/²/1", f"{__import__('socket').gethostname()}/²/1")
    plain = ("tdw/variant", "tdw/stage", "tdw/request", WORKER_TAG, "dagster/will_retry")
    partition = ("dagster/partition",)
    of_range = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    started = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.FAILURE)
    for value in odd:
        for names in (partition, of_range):
            for status in started:
                tags = dict.fromkeys((*plain, *names), value)
                run = lab.instance.create_run_for_job(job, status=status)
                lab.instance.add_run_tags(run.run_id, tags)
    assert {run.variant for run, _ in look(lab.wanted, lab.instance, lab.store, Seen()).tasks} == {V1, V2}
    read_status(lab.wanted, lab.instance, lab.store)


def test_a_key_with_a_bar_makes_no_variant_busy(odd: Lab) -> None:
    from tdw_resources.runs.work_in_progress import find_work_in_progress

    odd.instance.create_run_for_job(
        odd.defs.resolve_job_def("tiny_train"),
        tags={"dagster/partition": cell_key(f"a|{V1}", 0)},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert find_work_in_progress(odd.wanted, odd.instance).variants == set()


def test_the_job_that_removes_variants_removes_such_keys_too(odd: Lab) -> None:
    for key in KEYS:
        config = {"ops": {"tiny_remove_variant_op": {"config": {"variant": key}}}}
        assert odd.run("remove_variant", run_config=config).success
    assert foreign_keys(odd.wanted, odd.instance) == ()
