"""A table of more variants than a page holds: its pages, with search, sort and choice over all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from looking import FAMILY, VARIANT, serving
from training_that_goes_on import training

from tdw.store import Store
from tdw_workbench.web.pages import sections

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
KEYS = [f"p7_s{seed}_d598_f0.5" for seed in (9, 8, 7, 6, 1)]  # the one that is trained is on the last page


@pytest.fixture
def alone(store: Store, tmp_path: Path) -> Store:
    """A store with the one trained variant, without those that other tests have added."""
    found = Store(tmp_path / "store")
    shutil.copytree(store.root / FAMILY.name / VARIANT, found.root / FAMILY.name / VARIANT)
    return found


@pytest.fixture
def url(alone: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Five variants, two on a page. Asked for before `page`, it ends after what the page still asks for."""
    assert KEYS[-1] == VARIANT
    monkeypatch.setattr(sections, "ON_A_PAGE", 2)
    study = tmp_path / "many.yaml"
    study.write_text(f"variants: [{', '.join(KEYS)}]\nepochs: 500\ncheckpoints: [0, 10, 20]\n")
    with serving(alone, studies=(study,)) as url:
        yield f"{url}/"


def shows(page: Any, *keys: str) -> None:
    """Waits until the rows of these variants are there, and no others, in this order."""
    page.wait_for_function(
        "keys => JSON.stringify([...document.querySelectorAll('tr[data-place]')]"
        ".filter(row => row.offsetParent).map(row => row.id)) === JSON.stringify(keys)",
        arg=list(keys),
    )


def open_first(page: Any, url: str) -> Any:
    page.goto(url)
    page.wait_for_selector("html[data-choose=ready]", state="attached")
    return page.locator("nav.pages").first


def test_pages_are_turned_and_what_is_chosen_on_them_is_kept(url: str, page: Any) -> None:
    bar = open_first(page, url)
    shows(page, *KEYS[:2])
    assert bar.locator(".count").inner_text() == "1–2 of 5" and bar.get_by_text("previous").is_disabled()
    page.check(f"tr[id='{KEYS[0]}'] .pick")
    bar.get_by_text("next").focus()
    page.keyboard.press("Enter")
    shows(page, *KEYS[2:4])
    bar.locator("select").select_option("3")
    shows(page, VARIANT)
    assert bar.get_by_text("next").is_disabled()
    assert page.locator(f"tr[id='{VARIANT}'] .spark").count(), "a row with all that it has"
    page.check(f"tr[id='{VARIANT}'] .pick")
    assert page.inner_text("#chosen").startswith("2 chosen")
    page.wait_for_url(lambda address: "page%3D3" in address and VARIANT in address)
    page.reload()
    shows(page, VARIANT)
    assert page.is_checked(f"tr[id='{VARIANT}'] .pick")
    page.locator("nav.pages").last.locator("select").select_option("1")
    shows(page, *KEYS[:2])
    assert page.is_checked(f"tr[id='{KEYS[0]}'] .pick") and not page.is_checked(f"tr[id='{KEYS[1]}'] .pick")
    page.click("#chosen .go")
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert "seed = 9" in page.inner_text(".names") and "seed = 1" in page.inner_text(".names")


def test_all_variants_are_searched_sorted_filtered_and_grouped(url: str, page: Any) -> None:
    bar = open_first(page, url)
    bar.locator("select").select_option("2")
    shows(page, *KEYS[2:4])
    page.fill("[name=q]", "seed>6")
    shows(page, *KEYS[:2])
    assert page.inner_text(".choose .shown") == "3 of 5 variants"
    page.click("text=choose all that fit")
    assert page.inner_text("#chosen").startswith("3 chosen")
    page.fill("[name=q]", "not trained")  # what a row says, wherever it is
    page.wait_for_function("() => document.querySelector('.choose .shown').textContent === '4 of 5 variants'")
    page.fill("[name=q]", "seed<7 trained")
    shows(page, KEYS[3])
    assert bar.is_hidden(), "it all fits one page"
    page.fill("[name=q]", "")
    page.select_option("[name=sort]", "seed")
    shows(page, VARIANT, KEYS[3])
    page.select_option("[name=sort]", "")
    page.click(".filter[data-field=seed] summary")
    for seed in (9, 7, 1):
        page.check(f".filter[data-field=seed] input[value='{seed}']")
    page.keyboard.press("Escape")
    shows(page, KEYS[0], KEYS[2])
    page.select_option("[name=group]", "seed")
    shows(page, VARIANT, KEYS[2])
    heads = page.locator(".group-head:visible").all_inner_texts()
    assert [head.removesuffix("choose").strip() for head in heads] == ["seed = 1 1", "seed = 7 1"]


def test_what_trains_on_another_page_is_followed_when_that_is_looked_at(
    url: str, page: Any, alone: Store
) -> None:
    bar = open_first(page, url)
    bar.locator("select").select_option("2")
    shows(page, *KEYS[2:4])
    bar.locator("select").select_option("1")
    shows(page, *KEYS[:2])
    page.evaluate("document.querySelector('tbody').id = 'before'")
    with training(alone, KEYS[2], last=500) as reach:
        reach(20)
        with page.expect_response(lambda told: told.url.endswith("/api/now") and KEYS[2] in told.text()):
            pass
        bar.locator("select").select_option("2")
        page.wait_for_selector(f"tr[id='{KEYS[2]}'] :text('epoch 20 of 500')")
        reach(300)
        page.wait_for_selector(f"tr[id='{KEYS[2]}'] :text('epoch 300 of 500')")
    assert page.locator("tbody#before").count(), "the page was not taken anew for a variant that it lists"
