"""What is started and stopped from the pages: the pages tell what Dagster has to be asked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from starlette.testclient import TestClient

from tdw.store import Address, Store
from tdw.study import load_study
from tdw_assets.cells.partitions import register_variants
from tdw_assets.status import read_status
from tdw_resources.instance import open_instance
from tdw_resources.runs.liveness import WORKER_TAG
from tdw_resources.runs.tags import purpose
from tdw_resources.wanted import WantedAssets
from tdw_workbench.web.app import standalone
from tdw_workbench.web.data import recorded as data
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.http.settings import Settings

FAMILY, V1, NEW = "modulo_addition_1layer", "p7_s1_d598", "p7_s2_d598"
STUDY = f"name: tiny\nvariants: [{V1}]\nepochs: 6\ncheckpoints: [0, 2, 4, 6]\nearly_epoch: 2\n"
FORM = f"/tdw/api/configure/{FAMILY}?study=tiny"


@pytest.fixture
def wanted(tmp_path: Path) -> WantedAssets:
    (tmp_path / "study.yaml").write_text(STUDY)
    return WantedAssets.of(load_study(tmp_path / "study.yaml"))


@pytest.fixture
def instance(tmp_path: Path, wanted: WantedAssets) -> Iterator[dg.DagsterInstance]:
    with open_instance(tmp_path / "home") as instance:
        register_variants(wanted, instance, wanted.variants)
        yield instance


@pytest.fixture
def client(tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(data, "EVERY_S", 0.0)
    store = Store(tmp_path / "store")
    settings = Settings(str(store.root), studies=(tmp_path / "study.yaml",), home=tmp_path / "home")
    return TestClient(standalone(settings, runs=Runs(instance)), base_url="http://127.0.0.1")


def add_training(
    instance: dg.DagsterInstance, wanted: WantedAssets, status: dg.DagsterRunStatus
) -> dg.DagsterRun:
    """A run of the first variant's training, as far as this."""
    tags = purpose(wanted, stage="train", variant=V1)
    return instance.run_storage.add_run(dg.DagsterRun(job_name="tiny_train", tags=tags, status=status))


def test_a_form_is_made_from_the_familys_fields_and_checked_by_it(client: TestClient) -> None:
    page = client.get(f"/tdw/new/{FAMILY}?study=tiny").text
    assert 'name="weight_decay" value="1.0"' in page and 'name="p"' in page
    found = client.get(f"{FORM}&p=7&seed=2&data_seed=598").json()
    assert (found["key"], found["there"]) == (NEW, False)
    assert found["time"].endswith("s") and found["disk"].endswith("MB")
    assert client.get(f"{FORM}&p=7&seed=1&data_seed=598").json()["there"] is True
    assert 'name="barred_k" value="0"' in page and 'name="freeze" value="none"' in page
    more = client.get(f"{FORM}&p=7&seed=2&data_seed=598&barred_k=1&names=2&freeze=WE").json()
    assert more["key"] == f"{NEW}_barred1_names2_freeze-WE"
    for wrong, said in {
        "p=seven": "p is 'seven'",
        "p=8": "p is 8",
        "p=7&weight_decay=-1": "weight_decay",
        "p=": "p is missing",
        "p=7&names=2": "nothing is planted or barred",
        "p=7&ablate=head9": "no component",
        "q=7": "unknown parameter 'q'",
    }.items():
        answer = client.get(f"{FORM}&seed=2&data_seed=598&{wrong}")
        assert answer.status_code == 400 and said in answer.json()["error"], answer.json()
        assert answer.json()["remedy"]


def test_a_variant_that_was_added_in_dagster_has_a_row_and_a_page(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    register_variants(wanted, instance, [NEW])
    page = client.get("/tdw/").text
    assert f'<tr id="{NEW}"' in page and f"/api/plan/{FAMILY}/{NEW}?study=tiny" in page
    assert "not trained" in client.get(f"/tdw/view/variant/{FAMILY}/{NEW}").text


def test_the_page_of_a_variant_that_was_added_this_moment_is_there(
    client: TestClient,
    wanted: WantedAssets,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(data, "EVERY_S", 60.0)
    place = f"/tdw/view/variant/{FAMILY}/{NEW}"
    assert client.get(place).status_code == 404
    register_variants(wanted, instance, [NEW])
    assert client.get(place).status_code == 200


def test_a_new_variant_can_begin_as_another_one(client: TestClient) -> None:
    like = f"/tdw/new/{FAMILY}?study=tiny&like={V1}"
    assert like.replace("&", "&amp;") in client.get(f"/tdw/view/variant/{FAMILY}/{V1}").text
    page = client.get(like).text
    assert 'name="p" value="7"' in page and 'name="seed" value="1"' in page and f"<code>{V1}</code>" in page
    assert client.get(f"/tdw/new/{FAMILY}?study=tiny&like=p8").status_code == 400


def test_dagster_is_asked_for_exactly_what_is_missing(client: TestClient) -> None:
    asked = client.get(f"/tdw/api/plan/{FAMILY}/{V1}?study=tiny").json()
    assert asked["selector"]["jobName"] == "tiny_train"
    config = asked["runConfigData"]["ops"]["tiny_train_checkpoints"]["config"]
    assert config == {"variant": V1, "cells": {"checkpoint": ["0:6:2"]}}
    tags = {tag["key"]: tag["value"] for tag in asked["executionMetadata"]["tags"]}
    assert (tags["tdw/stage"], tags["tdw/variant"]) == ("train", V1)
    assert client.get(f"/tdw/api/plan/{FAMILY}/p9_s1_d598?study=tiny").status_code == 404
    assert client.get(f"/tdw/api/plan/{FAMILY}/{V1}?study=other").status_code == 404


def test_more_checkpoints_are_told_before_dagster_is_asked_for_exactly_them(client: TestClient) -> None:
    of_variant = f"{FAMILY}/{V1}?study=tiny&epochs"
    found = client.get(f"/tdw/api/densify/{of_variant}=1:5:1").json()
    assert (found["checkpoints"], found["steps"]) == (5, 5) and found["analyses"] % 5 == 0
    assert found["time"].endswith("s") and found["disk"].endswith("B")
    asked = client.get(f"/tdw/api/plan/{of_variant}=1:5:2").json()
    assert asked["selector"]["jobName"] == "__ASSET_JOB"
    assert ["tiny", "coarseness"] in [each["path"] for each in asked["selector"]["assetSelection"]]
    ops = asked["runConfigData"]["ops"]
    train, analyze = (ops[f"tiny_{op}"]["config"] for op in ("train_checkpoints", "analyze_checkpoints"))
    assert train == {"variant": V1, "cells": {"checkpoint": ["1:5:2"]}}
    assert analyze["cells"]["coarseness"] == ["1:5:2"]
    tags = {tag["key"]: tag["value"] for tag in asked["executionMetadata"]["tags"]}
    assert tags["tdw/stage"] == "densify" and tags["dagster/asset_partition_range_end"] == f"00006|{V1}"
    for wrong, said in {
        "1:9:1": "beyond epoch 6",
        "5:1:1": "ends before",
        "1:5:0": "step of 0",
        "": "not an",
    }.items():
        answer = client.get(f"/tdw/api/densify/{of_variant}={wrong}")
        assert answer.status_code == 400 and said in answer.json()["error"], answer.json()


def test_stopped_more_checkpoints_are_taken_up_again(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    asked = client.get(f"/tdw/api/plan/{FAMILY}/{V1}?study=tiny&epochs=1:5:2").json()
    tags = {tag["key"]: tag["value"] for tag in asked["executionMetadata"]["tags"]}
    run = dg.DagsterRun(
        job_name="__ASSET_JOB",
        tags=tags,
        run_config=asked["runConfigData"],
        status=dg.DagsterRunStatus.STARTED,
    )
    instance.run_storage.add_run(run)
    instance.report_run_canceled(run)
    assert "more checkpoints, by a person; it stays stopped" in client.get("/tdw/").text
    waits = read_status(wanted, instance, Store(tmp_path / "store")).waits
    assert any(f"densify of {V1} was stopped by a person" in words for words in waits)
    again = client.get(f"/tdw/api/plan/{FAMILY}/{V1}?study=tiny").json()
    assert again["runConfigData"] == asked["runConfigData"]


def test_what_would_be_removed_is_told_and_dagsters_job_is_asked_for_it(
    client: TestClient, tmp_path: Path
) -> None:
    where = f"/tdw/api/remove/{FAMILY}/{V1}?study=tiny"
    assert client.get(where).json()["lines"] == []
    file = Store(tmp_path / "store").path(Address(FAMILY, V1, "checkpoints", 3))
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(2_000))
    whole, extra = client.get(where).json(), client.get(f"{where}&extra").json()
    assert "1 checkpoint" in whole["lines"][0] and "2.0 kB" in whole["lines"][0]
    assert whole["ask"]["selector"]["jobName"] == "tiny_remove_variant"
    config = whole["ask"]["runConfigData"]["ops"]["tiny_remove_variant_op"]["config"]
    assert config == {"variant": V1, "files": True, "extra_epochs": False}
    assert "Epochs 3: checkpoints." in extra["lines"]
    assert extra["ask"]["runConfigData"]["ops"]["tiny_remove_variant_op"]["config"]["extra_epochs"] is True


def test_what_a_person_stopped_says_so_on_every_page(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    run = dg.DagsterRun(
        job_name="tiny_train",
        tags=purpose(wanted, stage="train", variant=V1),
        status=dg.DagsterRunStatus.STARTED,
    )
    instance.run_storage.add_run(run)
    instance.report_run_canceled(run)
    assert client.get("/tdw/api/now").json() == {f"{FAMILY}/{V1}": f"stopped {run.run_id}"}
    for page in ("", f"view/variant/{FAMILY}/{V1}", f"api/row/{FAMILY}/{V1}?study=tiny&last=6"):
        text = client.get(f"/tdw/{page}").text
        assert "it stays stopped" in text and ">Continue</button>" in text


def test_a_run_in_the_queue_is_said_to_wait_and_can_be_stopped(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    run = add_training(instance, wanted, dg.DagsterRunStatus.NOT_STARTED)
    assert client.get("/tdw/api/now").json() == {f"{FAMILY}/{V1}": f"waiting {run.run_id}"}
    text = client.get("/tdw/").text
    assert "when a run before it is through" in text and f'data-stop="{V1}"' in text


def test_a_run_that_has_begun_is_said_to_start_unless_its_worker_is_dead(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    run = add_training(instance, wanted, dg.DagsterRunStatus.STARTED)
    assert client.get("/tdw/api/now").json() == {f"{FAMILY}/{V1}": f"starting {run.run_id}"}
    assert "training, a run has begun" in client.get("/tdw/").text
    instance.add_run_tags(run.run_id, {WORKER_TAG: f"{socket.gethostname()}/4194304/1.00"})
    assert client.get("/tdw/api/now").json() == {}


def test_a_run_that_is_being_stopped_says_so_and_offers_nothing(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    run = add_training(instance, wanted, dg.DagsterRunStatus.CANCELING)
    assert client.get("/tdw/api/now").json() == {f"{FAMILY}/{V1}": f"stopping {run.run_id}"}
    text = client.get(f"/tdw/api/row/{FAMILY}/{V1}?study=tiny&last=6").text
    assert "training, what is finished is kept" in text and "<button" not in text


def test_a_stopped_training_says_so_and_goes_on_by_a_click_while_its_checkpoints_are_analyzed(
    client: TestClient, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    run = add_training(instance, wanted, dg.DagsterRunStatus.STARTED)
    instance.report_run_canceled(run)
    tags = purpose(wanted, stage="analyze", variant=V1)
    instance.run_storage.add_run(
        dg.DagsterRun(job_name="tiny_analyze", tags=tags, status=dg.DagsterRunStatus.NOT_STARTED)
    )
    text = client.get("/tdw/").text
    assert "analyzing, when a run before it is through" in text
    assert "stopped: training, by a person; it stays stopped" in text
    assert f'data-stop="{V1}"' in text and ">Continue</button>" in text


def test_a_server_beside_dagster_says_what_a_person_stopped_and_offers_no_button(
    tmp_path: Path, wanted: WantedAssets, instance: dg.DagsterInstance
) -> None:
    register_variants(wanted, instance, [NEW])
    tags = purpose(wanted, stage="train", variant=NEW)
    run = dg.DagsterRun(job_name="tiny_train", tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.run_storage.add_run(run)
    instance.report_run_canceled(run)
    settings = Settings(str(tmp_path / "store"), studies=(tmp_path / "study.yaml",), home=tmp_path / "home")
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    page = client.get("/tdw/").text
    assert f'<tr id="{NEW}"' in page and "it stays stopped" in page
    assert "data-stop" not in page and ">Continue</button>" not in page


def test_a_server_without_dagster_offers_no_buttons(tmp_path: Path, wanted: WantedAssets) -> None:
    settings = Settings(str(tmp_path / "store"), studies=(tmp_path / "study.yaml",))
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    assert "<button" not in client.get("/tdw/").text and "New variant" not in client.get("/tdw/").text
    answer = client.get(f"{FORM}&p=7")
    assert answer.status_code == 400 and "tdw up" in answer.json()["remedy"]
