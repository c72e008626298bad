"""Choosing variants on the first page and comparing them, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from looking import FAMILY, VARIANT, open_ready, serving

import tdw
from tdw.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
OTHERS = ("p7_s2_d598_f0.5", "p11_s2_d598")
SHOWN = "tr[data-place]:visible"


@pytest.fixture(scope="module")
def served(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store with three variants."""
    root = tmp_path_factory.mktemp("chosen") / "store"
    shutil.copytree(store.root, root)
    for key in OTHERS:
        tdw.open(root).make(key, [0, 10, 20], analyzers=["coarseness", "coarseness_stats"])
    with serving(Store(root)) as url:
        yield url


def keys(page: Any) -> list[str]:
    return [row.get_attribute("id") for row in page.locator(SHOWN).all()]


def open_first(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("html[data-choose=ready]", state="attached")


def test_variants_are_searched_sorted_filtered_and_grouped(page: Any, served: str) -> None:
    open_first(page, f"{served}/")
    every = keys(page)
    assert set(every) == {VARIANT, *OTHERS}
    page.fill("[name=q]", "p=7 seed>1")
    assert keys(page) == [OTHERS[0]]
    assert page.inner_text(".choose .shown") == "1 of 3 variants"
    page.fill("[name=q]", "")
    page.select_option("[name=sort]", "p")
    page.click("[data-down]")
    assert keys(page)[0] == OTHERS[1]
    page.click(".filter[data-field=seed] summary")
    page.check(".filter[data-field=seed] input[value='2']")
    page.keyboard.press("Escape")
    assert set(keys(page)) == set(OTHERS)
    page.select_option("[name=group]", "p")
    heads = page.locator(".group-head:visible").all_inner_texts()
    assert [head.removesuffix("choose").strip() for head in heads] == ["p = 7 2", "p = 11 1"]
    # The address has it all: the same page again shows the same.
    page.wait_for_url(lambda url: "group" in url)
    page.reload()
    page.wait_for_selector("html[data-choose=ready]", state="attached")
    assert set(keys(page)) == set(OTHERS) and page.input_value("[name=group]") == "p"


def test_chosen_variants_are_compared_with_every_difference_named(page: Any, served: str) -> None:
    open_first(page, f"{served}/")
    page.check(f"tr[id='{VARIANT}'] .pick")
    assert not page.locator("#chosen .go").count(), "one alone is no comparison"
    page.check(f"tr[id='{OTHERS[1]}'] .pick")
    page.click("#chosen .go")
    page.wait_for_selector("html[data-ready=true]", state="attached")
    title = "p = 7, seed = 1, train_fraction = 0.5 and p = 11, seed = 2, train_fraction = 0.3"
    assert page.inner_text(".names") == title
    page.locator("#coarseness_distribution_comparison").scroll_into_view_if_needed()
    drawn = "section[aria-labelledby=coarseness_distribution_comparison]"
    page.wait_for_selector(f"{drawn} .figure[data-done=true]", timeout=60_000)
    page.fill(f"{drawn} .slider input", "0")
    assert page.inner_text(f"{drawn} .slider output") == "epoch 0"
    page.click("text=Change the selection")
    page.wait_for_selector("html[data-choose=ready]", state="attached")
    assert page.inner_text("#chosen").startswith("2 chosen")


def test_groups_are_put_aside_and_compared(page: Any, served: str) -> None:
    open_first(page, f"{served}/")
    page.fill("[name=q]", "p=7")
    page.click("text=choose those shown")
    page.click("text=keep as a group")
    page.fill("[name=q]", "")
    page.check(f"tr[id='{OTHERS[1]}'] .pick")
    page.click("text=Compare 2 groups")
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert "seed in {1, 2}" in page.inner_text(".names")


@pytest.mark.parametrize("page", ["light", "dark"], indirect=["page"])
def test_the_page_fits_a_narrow_window(page: Any, served: str) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    open_ready(page, f"{served}/view/compare/{FAMILY.name}?v={VARIANT},{','.join(OTHERS)}&by=p")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
