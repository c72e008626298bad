"""What a person starts from a variant's page, in a real browser; Dagster's answer is the test's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from looking import HERE, VARIANT, open_ready, serving

from tdw.store import Store
from tdw.study import load_study
from tdw_assets.cells.partitions import register_variants
from tdw_resources.instance import open_instance
from tdw_resources.wanted import WantedAssets
from tdw_workbench.web.data.runs import Runs

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]


@pytest.fixture(scope="module")
def address(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our pages on an instance that has recorded nothing."""
    folder = tmp_path_factory.mktemp("actions")
    study, last = folder / "study.yaml", store.epochs(*HERE.split("/"))[-1]
    study.write_text(f"name: tiny\nvariants: [{VARIANT}]\nepochs: {last}\ncheckpoints: ['0:{last}:10']\n")
    with open_instance(folder / "home") as instance:
        wanted = WantedAssets.of(load_study(study))
        register_variants(wanted, instance, wanted.variants)
        with serving(store, studies=(study,), runs=Runs(instance)) as url:
            yield f"{url}/view/variant/{HERE}"


def answered(page: Any, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Have Dagster answer with `data`; what it is asked for."""
    asked: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json["variables"])
        route.fulfill(content_type="application/json", body=json.dumps({"data": data}))

    page.route("**/graphql", answer)
    return asked


def test_a_range_is_dragged_over_the_curve_and_asked_for_with_one_click(page: Any, address: str) -> None:
    asked = answered(page, {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "1"}}})
    open_ready(page, address)
    page.click("#brush")
    box = page.locator("#figure .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_selector("#cost:has-text('new checkpoint')")
    first, last = (int(page.input_value(f"[name={name}]")) for name in ("first", "last"))
    assert 0 < first < last
    page.click("#densifier")
    page.wait_for_selector("#densify :text('asked for')")
    (asked_for,) = asked
    config = asked_for["params"]["runConfigData"]["ops"]["tiny_train_checkpoints"]["config"]
    assert config["variant"] == VARIANT and config["cells"]["checkpoint"][0].startswith(str(first))


def test_a_range_is_typed_and_a_wrong_one_is_refused_with_the_reason(page: Any, address: str) -> None:
    open_ready(page, address)
    page.focus("[name=first]")
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.wait_for_selector("#cost.bad:has-text('7')")
    assert page.is_disabled("#densifier")
    page.fill("[name=last]", "9")
    page.wait_for_selector("#cost:has-text('new checkpoint')")
    assert page.is_enabled("#densifier")


def test_what_goes_is_named_before_it_is_removed(page: Any, address: str) -> None:
    asked = answered(page, {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "1"}}})
    open_ready(page, address)
    page.click("text=This variant …")
    page.wait_for_selector("dialog[open] :text('checkpoints')")
    page.keyboard.press("Enter")  # the focus is on Keep it
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert asked == []
    page.click("text=This variant …")
    page.click("dialog[open] >> text=Remove for good >> nth=-1")
    page.wait_for_selector("#removing:has-text('asked for')")
    assert asked[0]["params"]["selector"]["jobName"] == "tiny_remove_variant"
