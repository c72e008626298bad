"""Figures of maps at every epoch, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from looking import HERE, open_ready

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
PIXELS = """() => [...document.querySelectorAll('#grid canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value) => (31 * sum + value) % 1000003, 0);
})"""
"""A number for what each map shows."""


@pytest.mark.parametrize("page", ["light", "dark"], indirect=["page"])
def test_every_epoch_is_reached_and_stands_in_the_address(page: Any, served: str) -> None:
    open_ready(page, f"{served}/view/plot/{HERE}/attention_patterns")
    assert page.get_attribute("#epoch", "max") == "2" and page.inner_text("#epoch-said") == "epoch 20"
    last = page.evaluate(PIXELS)
    assert len(last) == 8
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#epoch-said") == "epoch 10" and page.evaluate(PIXELS) != last
    page.wait_for_url(lambda url: url.endswith("?e=10"))
    middle = page.evaluate(PIXELS)
    open_ready(page, page.url)
    assert page.evaluate(PIXELS) == middle


def test_neurons_are_chosen_and_a_wrong_one_is_explained(page: Any, served: str) -> None:
    open_ready(page, f"{served}/view/plot/{HERE}/multi_scale")
    assert page.locator("#grid figure").count() == 24
    page.fill("#listed", "3, 17")
    page.click("text=show")
    page.wait_for_selector("#grid figure >> nth=9")
    page.wait_for_url(lambda url: "n=3,17" in url)
    assert page.locator("#grid figcaption").all_inner_texts()[0].startswith("n3")
    page.hover("#grid canvas >> nth=1")
    assert "neuron 17 · a = " in page.inner_text("#said")
    page.click("text=to 25 %")
    assert page.get_attribute("text=to 25 %", "aria-pressed") == "true"
    with page.expect_download() as saved:
        page.click("#png")
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(page: Any, served: str) -> None:
    open_ready(page, f"{served}/view/plot/{HERE}/multi_scale")
    held: list[Any] = []
    page.route(lambda url: "n=3" in url, lambda route: held.append(route))
    page.fill("#listed", "3")
    page.click("text=show")
    page.fill("#listed", "17")
    page.click("text=show")
    page.wait_for_selector("#grid figcaption:has-text('n17')")
    with page.expect_response(lambda answer: "n=3" in answer.url) as late:
        held[0].continue_()
    late.value.finished()
    page.wait_for_timeout(300)
    assert page.locator("#grid figcaption").all_inner_texts()[0].startswith("n17")
    assert "n=17" in page.url


def test_the_page_fits_a_narrow_window(page: Any, served: str) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    for name in ("multi_scale", "attention_patterns"):
        open_ready(page, f"{served}/view/plot/{HERE}/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
