"""Every plot in a real browser: it has data and named axes, follows the theme, and can be saved (P12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from looking import FAMILY, HERE, LOOK, VARIANT, is_drawn, open_ready

from tdw.families.modulo_addition_1layer.figures import PLOTS
from tdw.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
PLOT = f"{HERE}/training_curves"


def pages(store: Store) -> list[str]:
    return [
        f"{FAMILY.name}/{VARIANT if plot.scope == 'variant' else '_comparison'}/{plot.name}"
        for plot in PLOTS
        if is_drawn(store, plot)
    ]


def test_every_plot_has_data_and_named_axes_and_nothing_that_sends_it_away(
    page: Any, served: str, store: Store
) -> None:
    for where in pages(store):
        open_ready(page, f"{served}/view/plot/{where}?saved=1")
        seen = page.evaluate(LOOK)
        assert seen["traces"] > 0, where
        assert {"x", "y"} <= set(seen["titled"]), where
        assert not seen["cloud"], where


@pytest.mark.parametrize(("page", "color"), [("light", "#ffffff"), ("dark", "#14171a")], indirect=["page"])
def test_a_figure_follows_the_readers_theme(page: Any, served: str, color: str) -> None:
    open_ready(page, f"{served}/view/plot/{PLOT}")
    assert page.evaluate(LOOK)["paper"] == color


def test_dagsters_own_theme_wins_over_the_systems(page: Any, served: str) -> None:
    page.goto(f"{served}/")
    page.evaluate("localStorage.setItem('dagster-theme', '\"Dark\"')")
    open_ready(page, f"{served}/view/plot/{PLOT}")
    assert page.evaluate(LOOK)["paper"] == "#14171a"


@pytest.mark.parametrize(("button", "starts"), [("#png", b"\x89PNG"), ("#svg", b"<svg")])
def test_a_picture_is_made_in_the_browser(page: Any, served: str, button: str, starts: bytes) -> None:
    open_ready(page, f"{served}/view/plot/{PLOT}")
    with page.expect_download() as saved:
        page.click(button)
    assert Path(saved.value.path()).read_bytes().startswith(starts)
    assert saved.value.suggested_filename == f"training_curves_{VARIANT}.{button[1:]}"


def test_the_saved_page_works_offline(page: Any, served: str, tmp_path: Path) -> None:
    open_ready(page, f"{served}/view/plot/{PLOT}")
    with page.expect_download() as saved:
        page.click("text=HTML")
    saved.value.save_as(tmp_path / "plot.html")
    page.context.set_offline(True)
    page.goto((tmp_path / "plot.html").as_uri())
    page.wait_for_selector("#figure .main-svg")
    assert page.evaluate("document.getElementById('figure').data.length") > 0
    page.focus(".around button:text-is('without')")
    page.keyboard.press("Enter")
    page.wait_for_url("**#show=without")


def test_the_first_page_leads_to_every_plot_and_the_explorer(page: Any, served: str) -> None:
    page.goto(f"{served}/")
    targets = page.eval_on_selector_all("a[href]", "links => links.map((a) => a.getAttribute('href'))")
    for plot in PLOTS:
        if plot.scope == "variant":
            assert f"/tdw/view/plot/{HERE}/{plot.name}" in targets
    assert f"/tdw/explorer/{HERE}" in targets


def shown(page: Any) -> list[bool]:
    """Which traces of the figure are visible."""
    return page.evaluate("document.getElementById('figure').data.map((trace) => trace.visible !== false)")


def test_what_is_chosen_by_keyboard_is_in_the_address_and_a_reload_restores_it(
    page: Any, served: str
) -> None:
    open_ready(page, f"{served}/view/plot/{PLOT}")
    before = shown(page)
    page.focus(".around button:text-is('without')")
    page.keyboard.press("Enter")
    page.wait_for_url("**#show=without")
    assert sum(shown(page)) < sum(before)
    page.reload()
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert page.get_attribute(".around button:text-is('without')", "aria-pressed") == "true"
    assert sum(shown(page)) < sum(before)
    page.click(".around button:text-is('with coarseness')")
    page.wait_for_url(lambda url: "#" not in url)
    assert shown(page) == before


def test_a_slider_moves_by_keyboard_and_its_epoch_is_in_the_address(page: Any, served: str) -> None:
    map_ = "document.getElementById('figure')._fullData[0]"
    open_ready(page, f"{served}/view/plot/{HERE}/multi_scale?saved=1")
    last = page.evaluate(f"String({map_}.z)")
    page.focus(".around input[type=range]")
    page.keyboard.press("Home")
    page.wait_for_url("**#epoch=0")
    page.wait_for_function(f"(last) => String({map_}.z) !== last", arg=last)
    assert page.inner_text(".around output") == "epoch 0"
    page.reload()
    page.wait_for_selector("html[data-ready=true]", state="attached")
    assert page.inner_text(".around output") == "epoch 0"
    assert page.evaluate(f"String({map_}.z)") != last


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_a_pressed_button_is_darker_than_the_others(page: Any, served: str) -> None:
    luminance = """(each) => {
      const [r, g, b] = getComputedStyle(each).backgroundColor.match(/[0-9.]+/g).map(Number);
      return 0.2126 * r ** 2.2 + 0.7152 * g ** 2.2 + 0.0722 * b ** 2.2;
    }"""
    for where, buttons in ((f"view/plot/{PLOT}", ".around"), (f"explorer/{HERE}?h=0", "#head-picks")):
        open_ready(page, f"{served}/{where}")
        pressed, other = (
            page.eval_on_selector(f"{buttons} button[aria-pressed={state}]", luminance)
            for state in ("true", "false")
        )
        assert pressed < other, where
