"""Dashboards in a real browser: composed, arranged, saved, opened again and taken along as one file (P13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from looking import FAMILY, open_ready, serving

from tdw.store import Store
from tdw_resources.instance import open_instance
from tdw_workbench.web.data.runs import Runs

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
ORDER = "[...document.querySelectorAll('.box')].map((box) => box.getAttribute('aria-label').split(' of ')[0])"
"""The panels as they stand."""


@pytest.fixture
def composed(store: Store, tmp_path: Path) -> Iterator[str]:
    """Address of a server beside Dagster, where dashboards are saved."""
    with open_instance(tmp_path / "home") as instance, serving(store, runs=Runs(instance)) as url:
        yield url


def test_a_default_dashboard_follows_one_slider(page: Any, served: str) -> None:
    open_ready(page, f"{served}/dashboards/{FAMILY.name}?e=10")
    assert page.text_content("#epoch-said") == "epoch 10"
    assert len(page.evaluate(ORDER)) == len(FAMILY.dashboard)
    assert page.locator("#edit").count() == 0, "a server that only shows results has nothing to edit"
    for box in page.locator(".cards.small").all():
        assert box.evaluate("(area) => area.scrollHeight <= area.clientHeight"), (
            "all maps fit into their panel"
        )
    cursor = ".box[aria-label^='Training curves'] .cursors i"
    before = page.locator(cursor).bounding_box()["x"]
    page.locator("#forward").click()
    assert page.locator(cursor).bounding_box()["x"] > before
    assert page.text_content("#epoch-said") == "epoch 20"
    page.wait_for_url(f"{served}/dashboards/{FAMILY.name}")  # the last epoch is the default


def test_what_was_composed_is_saved_shared_and_taken_along(composed: str, page: Any, tmp_path: Path) -> None:
    open_ready(page, f"{composed}/compose/{FAMILY.name}")
    page.click("#add")
    for title in ("Training curves", "Coarseness distribution", "Neurons", "Grokking epoch"):
        page.locator(".lists").get_by_label(title, exact=True).first.check()
    page.click("text=Add 4 panels")
    page.wait_for_selector(".box canvas")
    page.click("#note")
    page.fill("textarea", "**Look here**\n\n<img src=x onerror=alert(1)>")
    page.click("h1")
    page.wait_for_selector(".box strong:text('Look here')")
    assert page.locator(".box img").count() == 0, "raw HTML stays text"

    maps = page.locator(".box[aria-label^='Neurons'] .grip")
    maps.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(ORDER)[0:2] == ["Training curves", "Neurons"]
    drag(page, ".box[aria-label^='Grokking'] .grip", to=".box[aria-label^='Training']")
    assert page.evaluate(ORDER)[0] == "Grokking epoch"
    size = page.locator(".box[aria-label^='Grokking']").bounding_box()
    drag(page, ".box[aria-label^='Grokking'] .corner", by=(230, 96))
    grown = page.locator(".box[aria-label^='Grokking']").bounding_box()
    assert grown["width"] > size["width"] + 150 and grown["height"] == size["height"] + 96
    page.evaluate("document.querySelector('#epoch').value = 0")
    page.locator("#epoch").dispatch_event("input")
    page.locator(".box[aria-label^='Neurons']").get_by_label("Keep this panel at the slider's epoch").click()

    page.fill("#name", "my-first")
    page.click("#save")
    page.wait_for_url(f"{composed}/dashboards/my-first*")
    page.wait_for_selector("html[data-ready=true]", state="attached")
    order = ["Grokking epoch", "Training curves", "Neurons", "Coarseness distribution", "Note"]
    assert page.evaluate(ORDER) == order
    assert "pinned to epoch 0" in page.text_content(".box[aria-label^='Neurons'] .aside")

    with page.expect_download() as saved:
        page.click("text=Export")
    saved.value.save_as(tmp_path / "board.html")
    page.context.set_offline(True)
    page.goto((tmp_path / "board.html").as_uri())
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert page.evaluate(ORDER) == order
    assert page.locator(".box .place > .note").count() == 0, "every panel shows something"
    assert page.locator(".box .main-svg").count() >= 2 and page.locator(".box canvas").count() == 4
    page.locator("#back").click()
    assert page.text_content("#epoch-said") == "epoch 10"


def test_who_saves_second_is_told_and_overwrites_nothing(browser: Any, composed: str) -> None:
    # A page of its own: the browser writes the refusal (409) into the console.
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    open_ready(page, f"{composed}/dashboards/{FAMILY.name}")
    page.click("#edit")
    page.fill("#name", "shared")
    page.click("#save")
    page.wait_for_url(f"{composed}/dashboards/shared*")
    page.wait_for_selector("html[data-ready=true]", state="attached")
    sent = page.evaluate("document.getElementById('dashboard').dataset.dashboard")
    other = json.loads(sent)["dashboard"] | {"title": "theirs"}
    answer = page.request.post(f"{composed}/dashboards/shared", data={"base": 1, "dashboard": other})
    assert answer.status == 200
    page.click("#edit")
    page.locator(".box .grip").first.focus()
    page.keyboard.press("ArrowRight")
    page.click("#save")
    page.wait_for_selector("#said.bad")
    assert "saved by somebody else meanwhile: version 2" in page.text_content("#said")
    page.context.close()


def test_a_dashboard_is_deleted_after_a_question(composed: str, page: Any) -> None:
    open_ready(page, f"{composed}/compose/{FAMILY.name}")
    page.fill("#name", "gone-soon")
    page.click("#save")
    page.wait_for_url(f"{composed}/dashboards/gone-soon*")
    page.wait_for_selector("#delete:visible")  # an empty one opens for editing
    page.click("#delete")
    page.click("text=Keep it")
    page.click("#delete")
    page.click("text=Delete for good")
    page.wait_for_url(f"{composed}/dashboards/")
    assert page.locator("text=gone-soon").count() == 0


def test_figures_of_maps_have_every_epoch_in_a_panel(page: Any, served: str) -> None:
    open_ready(page, f"{served}/dashboards/{FAMILY.name}?e=10")
    maps = page.locator(".box[aria-label^='Neurons and heads'] canvas")
    maps.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('.maps .sheet canvas').length === 24")
    look = "[...document.querySelectorAll('.maps canvas')].map((canvas) => canvas.toDataURL())"
    before = page.evaluate(look)
    page.locator("#back").click()
    assert page.evaluate(look) != before
    area = page.locator(".maps")
    assert area.evaluate("(area) => area.scrollHeight <= area.clientHeight"), "all maps fit into their panel"
    page.locator(".box[aria-label^='Neurons and heads'] .choices select").select_option("to 25 %")
    assert "25 %" in page.inner_text(".maps .scales")


SLOW = """async () => {
  const { makePanel } = await import(document.querySelector('link[href$="dashboards/panel.js"]').href);
  const answer = {};
  window.fetch = (url) => new Promise((done) => { answer[url.split("/").at(-2)] = done; });
  const model = { kind: "table", name: "t", variant: null, epoch: null, width: 4, height: 4 };
  const known = { table: { t: { title: "T", over: false } } };
  const told = { family: "f", known, root: "", state: { e: 0 } };
  const panel = makePanel(model, told);
  const drawn = ["slow", "fast"].map((variant) => { told.state.variant = variant; return panel.draw(); });
  answer.fast(new Response('{"columns": [{"name": "of fast", "values": [1]}]}'));
  await drawn[1];
  answer.slow(new Response('{"error": "too late"}', { headers: { "x-tdw-refused": "404" } }));
  await drawn[0];
  const unknown = makePanel({ ...model, name: "gone" }, told);
  await unknown.draw();
  return [panel.element.textContent, unknown.element.textContent, unknown.drawn()];
}"""
"""A panel whose variant changes before it is drawn: the first answer comes last. And one of another
version."""


def test_a_late_answer_replaces_nothing_and_an_unknown_panel_holds_up_no_other(
    page: Any, served: str
) -> None:
    open_ready(page, f"{served}/dashboards/{FAMILY.name}")
    text, unknown, drawn = page.evaluate(SLOW)
    assert "of fast" in text and "too late" not in text
    assert "There is no table “gone” in this version" in unknown and drawn


def drag(page: Any, what: str, *, to: str = "", by: tuple[int, int] = (0, 0)) -> None:
    """Drag with the pointer: to the left part of another element, or by so many pixels."""
    page.locator(what).scroll_into_view_if_needed()
    box = page.locator(what).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    if to:
        target = page.locator(to).bounding_box()
        by = (round(target["x"] + 20 - x), round(target["y"] + 60 - y))
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(x + by[0] * part, y + by[1] * part)
    page.mouse.up()
