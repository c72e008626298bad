"""Inside Dagster's own UI: the picture on a plot's asset page, and one click to the figure over that page."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from looking import FAMILY, HERE, LOOK, QUIET, VARIANT, is_drawn, webserver

from tdw.families.modulo_addition_1layer.figures import PLOTS
from tdw.reports.registry import REPORTS
from tdw.store import Store
from tdw.store.layout import COMPARISON
from tdw_resources import links

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
ASSET = f"assets/plots/training_curves?view=partitions&partition={VARIANT}"


@pytest.fixture(scope="module")
def home(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Dagster home in which every plot was materialized, with the links that its assets emit."""
    config = FAMILY.parse_variant(VARIANT)
    for report in REPORTS:
        report.write(store, FAMILY, [config], title="T", early_epoch=10, last_epoch=20, study={})
    home = tmp_path_factory.mktemp("home")
    (home / "dagster.yaml").write_text(QUIET)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for plot in PLOTS:
            variant = VARIANT if plot.scope == "variant" else None
            page = links.plot_page(FAMILY.name, variant or COMPARISON, plot.name, version="0123abc")
            report = links.report_page(FAMILY.name, COMPARISON, "study_report", version="0")
            metadata = {
                "preview": dg.MetadataValue.md(links.plot_preview(plot.title, page)),
                "interactive": dg.MetadataValue.url(page),
                "explorer": dg.MetadataValue.url(links.explorer_page(FAMILY.name, VARIANT)),
                "report": dg.MetadataValue.url(report),
            }
            event = dg.AssetMaterialization(["plots", plot.name], partition=variant, metadata=metadata)
            instance.report_runless_asset_event(event)
    return home


@pytest.fixture(scope="module")
def dagster_url(home: Path, store: Store) -> Iterator[str]:
    """Our webserver."""
    with webserver("tdw_workbench.web", home, store) as url:
        yield url


def frame_of(page: Any) -> Any:
    """Our page in the overlay, drawn."""
    frame = page.frame_locator("#tdw-overlay iframe")
    page.locator("#tdw-overlay").wait_for()  # or the link has opened a tab of its own
    frame.locator("html[data-ready=true]").wait_for(state="attached", timeout=90_000)
    return frame


def go_within(page: Any, path: str) -> None:
    """Follow a link of Dagster's own: its application stays loaded."""
    page.evaluate(
        "(to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')); }", path
    )


def test_the_asset_page_shows_the_picture_and_opens_the_figure_over_itself(
    page: Any, dagster_url: str
) -> None:
    asked: list[str] = []
    page.on("response", lambda r: asked.append(f"{r.status} {r.url}"))
    page.goto(f"{dagster_url}/{ASSET}")
    link = page.locator(".dagster-markdown a[href*='/tdw/view/plot/']").first
    link.wait_for()
    page.wait_for_timeout(300)
    picture = f"{dagster_url}/tdw/plot/{HERE}/training_curves/preview.png?v=0123abc"
    assert f"200 {picture}" in asked
    shown = link.evaluate(
        "(a) => { const s = getComputedStyle(a, '::before'); return [s.backgroundImage, s.width]; }"
    )
    assert picture in shown[0]
    assert float(shown[1].removesuffix("px")) > 200
    before = page.url
    link.click()
    frame = frame_of(page)
    assert frame.locator("#figure .trace").count() > 0
    assert page.url == before
    assert "Training curves" in page.inner_text("#tdw-overlay header")
    page.keyboard.press("Escape")
    page.locator("#tdw-overlay").wait_for(state="detached")
    assert page.url == before


def test_every_plot_opens_from_its_asset_page_with_data_and_axis_titles(
    page: Any, dagster_url: str, store: Store
) -> None:
    page.goto(f"{dagster_url}/assets")
    for plot in PLOTS:
        variant = f"&partition={VARIANT}" if plot.scope == "variant" else ""
        view = "partitions" if variant else "overview"
        go_within(page, f"/assets/plots/{plot.name}?view={view}{variant}")
        page.locator(f".dagster-markdown a[href*='/{plot.name}?']").first.click()
        title = page.frame_locator("#tdw-overlay iframe").locator("h1")
        assert title.inner_text() == plot.title
        if is_drawn(store, plot):
            frame_of(page)
            shown = page.query_selector("#tdw-overlay iframe").content_frame()
            if shown.query_selector("#grid"):  # maps at every epoch
                assert shown.locator("#grid canvas").count() > 0, plot.name
            else:
                seen = shown.evaluate(LOOK)
                assert seen["traces"] > 0 and {"x", "y"} <= set(seen["titled"]), plot.name
        page.click("#tdw-overlay button")


def test_the_explorer_opens_from_the_asset_page_too(page: Any, dagster_url: str) -> None:
    page.goto(f"{dagster_url}/{ASSET}")
    link = page.locator("a[href*='/tdw/explorer/']").first
    link.wait_for()
    page.wait_for_timeout(300)
    link.click()
    frame = frame_of(page)
    assert "512 of 512 neurons" in frame.locator("#counts").inner_text()


def test_a_report_opens_on_this_server_whatever_address_its_link_has(page: Any, dagster_url: str) -> None:
    page.goto(f"{dagster_url}/{ASSET}")
    link = page.locator("a[href*='/tdw/view/report/']").first
    assert not link.get_attribute("href").startswith(dagster_url)
    link.click()
    frame = page.locator("#tdw-overlay iframe")
    assert frame.get_attribute("src").startswith(f"/tdw/view/report/{FAMILY.name}/_comparison/study_report")
    assert page.frame_locator("#tdw-overlay iframe").locator("h1").inner_text() == "T"


def test_a_link_that_is_drawn_anew_while_it_is_pressed_opens_and_one_that_is_left_does_not(
    page: Any, dagster_url: str
) -> None:
    page.goto(f"{dagster_url}/{ASSET}")
    link = page.locator("a[href*='/tdw/view/report/']").first
    link.wait_for()
    page.wait_for_load_state("networkidle")
    link.scroll_into_view_if_needed()

    def press() -> None:
        link.hover()
        page.mouse.down()

    press()
    page.mouse.move(2, 2)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert page.locator("#tdw-overlay").count() == 0
    press()
    link.evaluate("(anchor) => anchor.replaceWith(anchor.cloneNode(true))")
    page.mouse.up()
    page.locator("#tdw-overlay iframe").wait_for(state="attached")
    assert page.locator("#tdw-overlay").count() == 1


def test_a_stock_server_shows_links_and_no_broken_picture(page: Any, home: Path, store: Store) -> None:
    with webserver("dagster_webserver", home, store) as url:
        pong = urllib.request.urlopen(f"{url}/tdw/ping").read().decode()
        with pytest.raises(json.JSONDecodeError):
            json.loads(pong)
        page.goto(f"{url}/{ASSET}")
        link = page.locator(".dagster-markdown a[href*='/tdw/view/plot/']").first
        link.wait_for()
        assert link.get_attribute("href").startswith(links.DEFAULT_BASE_URL)
        broken = "(all) => all.filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
        assert page.eval_on_selector_all("img", broken) == []
        page.goto("about:blank")  # Dagster's page would complain when its server stops


def test_the_tutorial_names_parts_of_dagsters_pages_as_they_do(page: Any, dagster_url: str) -> None:
    named = {"Catalog", "Lineage", "Automation", "Runs"}
    tutorial = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
    assert set(re.findall(r"(?<!\*)\*([A-Z]\w+)\*(?!\*)", tutorial)) - {"Coarseness"} == named
    page.goto(f"{dagster_url}/runs")
    for name in named:
        page.get_by_text(name, exact=True).first.wait_for()
