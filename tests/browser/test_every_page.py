"""Every page, wide and narrow, light and dark: for everybody, nothing cut off, a silent console.

A new page is a line in `PAGES`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import synthetic_sequences as made
from axe_playwright_python.base import AXE_SCRIPT
from looking import FAMILY, HERE, VARIANT, serving

from tdw.reports.registry import REPORTS
from tdw.store import Store
from tdw.study import load_study
from tdw_assets.cells.partitions import register_variants
from tdw_resources.instance import open_instance
from tdw_resources.wanted import WantedAssets
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.pages import sections

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
SEQUENCES = "symbolic_ioi/layers3_heads2_std0.1_s0"
UNTRAINED = "p7_s2_d598_f0.5"
STUDY = f"""
name: tiny
variants: [{VARIANT}, {UNTRAINED}]
epochs: 20
checkpoints: ['0:20:10']
early_epoch: 10
"""
NO_SUCH = "/view/plot/no_family/no_variant/no_plot"
PAGES = {
    "/": "",
    f"/view/variant/{HERE}": "[data-ready]",
    f"/view/variant/{FAMILY.name}/{UNTRAINED}": "",  # not trained
    f"/view/plot/{HERE}/training_curves": "[data-ready]",
    f"/view/plot/{HERE}/multi_scale": "[data-ready]",  # every epoch
    f"/view/plot/{HERE}/multi_scale?saved=1": "[data-ready]",  # with a slider
    f"/view/compare/{FAMILY.name}?v={VARIANT},{UNTRAINED}": "[data-ready]",
    f"/view/plot/{FAMILY.name}/_comparison.tiny/blob_count_comparison": "",  # not made
    f"/view/report/{FAMILY.name}/_comparison/study_report": "",
    f"/explorer/{HERE}?n=3,17&h=0": "[data-ready]",
    f"/explorer/{SEQUENCES}": "[data-ready]",
    f"/new/{FAMILY.name}?study=tiny": "#outcome:not(:empty)",
    "/dashboards/": "",
    f"/dashboards/{FAMILY.name}": "[data-ready=true]",
    f"/compose/{FAMILY.name}": "[data-ready=true]",
    NO_SUCH: "",
}
"""Address -> what is there when the page is."""
LOOK = """async () => {
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  const faults = violations.filter((each) => ["serious", "critical"].includes(each.impact));
  const text = (each) => each.textContent.trim().slice(0, 40);
  const box = (each) => each.getBoundingClientRect();
  const shown = document.querySelectorAll("header *, nav a, main h1, main h2, .scroll a, .around *");
  const overlap = (a, b) => a.right > b.left + 1 && a.bottom > b.top + 1;
  return {
    faults: faults.map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(", ")}`),
    wider: document.documentElement.scrollWidth > innerWidth,
    cut: [...shown].filter((each) => box(each).left < 0 || box(each).right > innerWidth + 0.5).map(text),
    over: [...document.querySelectorAll("header.bar > * + *")]
      .filter((each) => overlap(box(each.previousElementSibling), box(each))).map(text),
  };
}"""
"""Faults by axe-core, and whether something is cut off, or lies over what is before it."""


@pytest.fixture(scope="module")
def url(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All pages: of a variant that is complete, one that is not trained, sequences, a report, the form."""
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(store.root, root / "store")
    whole, study = Store(root / "store"), root / "study.yaml"
    for report in REPORTS:
        config = FAMILY.parse_variant(VARIANT)
        report.write(whole, FAMILY, [config], title="A report", early_epoch=10, last_epoch=20, study={})
    family, key = SEQUENCES.split("/")
    for name in ("attention_patterns", "head_scores"):
        made.write(whole, family, key, made.transformer_arrays, only=name)
    study.write_text(STUDY)
    wanted = WantedAssets.of(load_study(study))
    with open_instance(root / "home") as instance:
        register_variants(wanted, instance, wanted.variants)
        with serving(whole, studies=(study,), runs=Runs(instance)) as url:
            yield url


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_everybody(browser: Any, url: str, width: int, scheme: str) -> None:
    wrong = faults(browser, url, width, scheme, PAGES)
    # The browser itself says so of a page that answers 404, as it should.
    assert [each for each in wrong if "status of 404" not in each] == []
    assert sum("status of 404" in each for each in wrong) == 1


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_in_pages_can_be_read_by_everybody(
    browser: Any, url: str, width: int, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "ON_A_PAGE", 1)
    assert faults(browser, url, width, scheme, {"/": "nav.pages"}) == []


def faults(browser: Any, url: str, width: int, scheme: str, pages: dict[str, str]) -> list[str]:
    """What is wrong with some pages at a width, in a color scheme."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(f"{page.url} says {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"{page.url} fails: {error}"))
    for address, there in pages.items():
        page.goto(url + address, wait_until="load")
        if there:
            page.wait_for_selector(there, state="attached")
        page.evaluate(AXE_SCRIPT)
        seen = page.evaluate(LOOK)
        wrong += [f"{address} {kind}: {what}" for kind, what in seen.items() if what]
    context.close()
    return wrong


def test_axe_finds_a_fault_where_there_is_one(browser: Any, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/")
    pale = '<main><a href=x><b></b></a><p style="color: #ddd">pale</p></main>'
    page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", pale)
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(LOOK)["faults"]
    context.close()
    assert any(each.startswith("link-name") for each in found)
    assert any(each.startswith("color-contrast") for each in found)
