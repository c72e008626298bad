"""A real `tdw up`: a person types keys that name no variant, and edits the study file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from running import REPOSITORY, STUDY, V1, V2, Up, marked, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KEYS = ("p43-seed5", "p48_s1_d598", f"{V1} ", "../x", f"a|{V1}")
ADD = """mutation ($selector: RepositorySelector!, $key: String!) { addDynamicPartition(
    repositorySelector: $selector, partitionsDefName: "tiny_variants", partitionKey: $key) { __typename } }"""
LAUNCH = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } } }"""
LOCATION = """{ workspaceOrError { ... on Workspace {
    locationEntries { locationOrLoadError { __typename } } } } }"""
RELOAD = 'mutation { reloadRepositoryLocation(repositoryLocationName: "tdw") { __typename } }'


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    found = Up.start(tmp_path_factory.mktemp("up"))
    try:
        found.await_ui()
        yield found
    finally:
        found.process.kill()
        until("nothing is left", lambda: not marked(str(found.folder)), within_s=40)


def tdw(up: Up, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = ["--store", str(up.folder / "store"), "--study", str(up.folder / "study.yaml")]
    return subprocess.run(
        [sys.executable, "-m", "tdw_workbench.cli", command, *places, *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def loaded(up: Up) -> bool:
    entries = up.ask(LOCATION)["workspaceOrError"]["locationEntries"]
    return [entry["locationOrLoadError"]["__typename"] for entry in entries] == ["RepositoryLocation"]


def test_keys_that_name_no_variant_are_said_and_the_study_is_completed(up: Up) -> None:
    for key in KEYS:
        added = up.ask(ADD, {"selector": REPOSITORY, "key": key})["addDynamicPartition"]
        assert added["__typename"] == "AddDynamicPartitionSuccess", key
    until("all are named", lambda: all(repr(key) in up.said() for key in KEYS), within_s=60)
    until("the study is complete", lambda: "The study is complete" in up.said(), within_s=400)
    ended = {"SUCCESS", "FAILURE", "CANCELED"}  # the checks come last
    until("every run has ended", lambda: {run["status"] for run in up.runs()} <= ended, within_s=120)
    assert up.process.poll() is None
    assert {run["status"] for run in up.runs()} == {"SUCCESS"}


def test_a_backfill_with_such_a_key_does_the_rest_and_its_run_fails_once(up: Up) -> None:
    keys = [f"00002|{V1}", f"00002|{V2}", "00002|p43-seed5"]
    params = {"assetSelection": [{"path": ["tiny", "coarseness"]}], "partitionNames": keys}
    started = up.ask(LAUNCH, {"params": params})["launchPartitionBackfill"]
    assert started["__typename"] == "LaunchBackfillSuccess", started

    def status() -> str:
        return up.ask(STATUS, {"id": started["backfillId"]})["partitionBackfillOrError"]["status"]

    until("the backfill ends", lambda: status().startswith(("COMPLETED", "FAILED")), within_s=200)
    runs = [run for run in up.runs() if run["tags"].get("dagster/backfill") == started["backfillId"]]
    assert [run["status"] for run in runs].count("FAILURE") == 1, runs
    assert not [run for run in runs if run["tags"].get("dagster/will_retry") == "true"]
    assert up.materialized("tiny", "coarseness") == 8
    assert up.process.poll() is None


def test_status_and_fill_go_on_and_a_key_is_removed_by_the_command_that_they_name(up: Up) -> None:
    for command in ("status", "fill"):
        found = tdw(up, command)
        assert found.returncode == 0, found.stderr
        assert all(repr(key) in found.stdout for key in KEYS)
    assert "tdw remove-key -- p43-seed5" in found.stdout
    refused = tdw(up, "remove-key", V1)
    assert refused.returncode == 2 and "is a variant" in refused.stderr
    assert tdw(up, "remove-key", "--", "p43-seed5").returncode == 0
    assert tdw(up, "remove-key", "--all").stdout.startswith("4 keys removed")
    assert "is ignored" not in tdw(up, "status").stdout


def test_a_study_file_that_is_being_edited_does_not_stop_the_workbench(up: Up) -> None:
    study = up.folder / "study.yaml"
    study.write_text(STUDY.replace("epochs: 6", "epochs: six"))
    until("it is said", lambda: "goes on with the last version" in up.said(), within_s=30)
    up.ask(RELOAD)
    assert loaded(up)
    study.unlink()
    up.ask(RELOAD)
    assert loaded(up)
    study.write_text(STUDY.replace(V2, f"{V2}, p7_s3_d598"))
    until("the new variant is there", lambda: up.materialized("tiny", "coarseness") == 12, within_s=240)
    assert "has changed" in up.said() and up.process.poll() is None


def test_it_starts_with_such_a_key_in_its_database(up: Up) -> None:
    up.ask(ADD, {"selector": REPOSITORY, "key": KEYS[0]})
    assert up.stop() == 0
    again = Up.start(up.folder)
    try:
        again.await_ui()
        until("it is named", lambda: repr(KEYS[0]) in again.said().rpartition("Stopped.")[2], within_s=60)
        assert again.process.poll() is None
        assert again.stop() == 0
    finally:
        again.process.kill()
