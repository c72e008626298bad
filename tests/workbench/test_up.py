"""`tdw up` as a person meets it: a real webserver, daemon and code server, asked through the UI's GraphQL."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import REPOSITORY, V1, V2, Up, free_port, marked, until

from tdw.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
KEYS = [f"0000{epoch}|{variant}" for variant in (V1, V2) for epoch in (0, 2, 4, 6)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    found = Up.start(tmp_path_factory.mktemp("up"))
    try:
        found.await_ui()
        until("the study is complete", lambda: "The study is complete" in found.said(), within_s=400)
        yield found
    finally:
        found.process.kill()
        until("nothing is left", lambda: not marked(str(found.folder)), within_s=40)


@pytest.mark.ci
def test_the_study_is_carried_out_by_itself_with_one_run_a_variant_and_stage(up: Up) -> None:
    until("all is checked", lambda: up.runs()[0]["jobName"] == "tiny_check", within_s=60)
    until("the checks are done", lambda: up.runs()[0]["status"] == "SUCCESS", within_s=60)
    runs = up.runs()
    assert {run["status"] for run in runs} == {"SUCCESS"}
    assert Counter((run["jobName"], run["tags"].get("tdw/variant", "")) for run in runs) == {
        ("tiny_compare", ""): 1,
        ("tiny_check", ""): 1,
        **{(f"tiny_{job}", variant): 1 for job in ("train", "analyze", "summarize") for variant in (V1, V2)},
    }
    assert up.materialized("tiny", "checkpoint") == up.materialized("tiny", "coarseness") == len(KEYS)
    assert up.materialized("tiny", "history") == up.materialized("tiny", "plots", "training_curves") == 2
    assert Store(up.folder / "store").epochs("modulo_addition_1layer", V1, "coarseness") == [0, 2, 4, 6]


@pytest.mark.ci
def test_a_range_that_is_materialized_in_the_ui_is_computed_again(up: Up) -> None:
    launch = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
    params = {"assetSelection": [{"path": ["tiny", "coarseness"]}], "partitionNames": KEYS[1:3]}
    started = up.ask(launch, {"params": params})["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started

    def status() -> str:
        query = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill { status } } }"""
        return up.ask(query, {"id": started["backfillId"]})["partitionBackfillOrError"]["status"]

    until("the backfill ends", lambda: status().startswith("COMPLETED"), within_s=120)
    assert status() == "COMPLETED_SUCCESS"
    runs = [run for run in up.runs() if run["tags"].get("dagster/backfill") == started["backfillId"]]
    assert len(runs) == 1, "one run for one contiguous range"
    events = """query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
        assetMaterializations(limit: 100) { partition } } } }"""
    found = up.ask(events, {"key": {"path": ["tiny", "coarseness"]}})["assetOrError"]["assetMaterializations"]
    counted = Counter(event["partition"] for event in found)
    assert counted == {key: 2 if key in KEYS[1:3] else 1 for key in KEYS}


@pytest.mark.ci
def test_automation_is_on_and_can_be_seen_in_the_ui(up: Up) -> None:
    query = """query ($selector: RepositorySelector!) { repositoryOrError(repositorySelector: $selector) {
        ... on Repository { sensors { name sensorState { status } } jobs { name }
        schedules { name scheduleState { status } } } } }"""
    found: dict[str, Any] = up.ask(query, {"selector": REPOSITORY})["repositoryOrError"]
    states = {sensor["name"]: sensor["sensorState"]["status"] for sensor in found["sensors"]}
    assert states == {"tiny_reconcile": "RUNNING"}
    assert {schedule["scheduleState"]["status"] for schedule in found["schedules"]} == {"RUNNING"}
    names = {job["name"] for job in found["jobs"]}
    jobs = ("train", "analyze", "summarize", "compare", "check", "register_variants", "remove_variant")
    assert {f"tiny_{job}" for job in jobs} <= names


def test_a_variant_that_is_added_in_the_ui_is_trained_and_analyzed(up: Up) -> None:
    add = """mutation ($selector: RepositorySelector!) { addDynamicPartition(repositorySelector: $selector,
        partitionsDefName: "tiny_variants", partitionKey: "p7_s3_d598") { __typename } }"""
    assert (
        up.ask(add, {"selector": REPOSITORY})["addDynamicPartition"]["__typename"]
        == "AddDynamicPartitionSuccess"
    )
    until("the new variant is there", lambda: up.materialized("tiny", "coarseness") == 12, within_s=240)


def test_a_second_workbench_on_the_same_store_is_refused_with_a_remedy(up: Up) -> None:
    command = [sys.executable, "-m", "tdw_workbench.cli", "up", "--study", str(up.folder / "study.yaml")]
    same = [*command, "--store", str(up.folder / "store"), "--port", str(free_port())]
    found = subprocess.run(same, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 1 and "a workbench already runs" in found.stderr and "->" in found.stderr
    port = [*command, "--store", str(up.folder / "other"), "--port", str(up.port)]
    found = subprocess.run(port, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 1 and f"port {up.port}" in found.stderr and "--port" in found.stderr


def test_stopped_and_started_ten_times_it_leaves_no_process_and_goes_on(tmp_path: Path) -> None:
    for at in range(10):
        found = Up.start(tmp_path)
        if at % 5 != 4:  # every fifth is stopped while it starts
            found.await_ui()
        how = signal.SIGKILL if at % 3 == 2 else signal.SIGINT
        code = found.stop(how)
        assert code == (-9 if how == signal.SIGKILL else 0) or at % 5 == 4, (at, code, found.said())
        until(f"nothing is left after stop {at}", lambda: not marked(str(tmp_path)), within_s=30)
    last = Up.start(tmp_path)
    last.await_ui()
    until("the study is complete", lambda: "The study is complete" in last.said(), within_s=400)
    assert last.stop() == 0
    until("nothing is left", lambda: not marked(str(tmp_path)), within_s=30)
