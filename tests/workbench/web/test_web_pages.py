"""Pages and plots: what the first page tells, which files a plot hands out, and when a browser asks again."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tdw.families import get_family
from tdw.making.figures import render
from tdw.recipes.catalog import catalog_of
from tdw.reports.document import PAGE
from tdw.reports.registry import REPORTS
from tdw.store import Store
from tdw.store.layout import Address
from tdw.study import Study, load_study
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings
from tdw_workbench.web.pages import sections

FAMILY, VARIANT = get_family("modulo_addition_1layer"), "p7_s1_d598_f0.5"
HERE = f"{FAMILY.name}/{VARIANT}"
PLOT = f"/tdw/plot/{HERE}/training_curves"
STUDY = """\
family: modulo_addition_1layer
variants: [p7_s1_d598_f0.5, p7_s2_d598_f0.5]
epochs: 30
checkpoints: ["0:30:10"]
"""


@pytest.fixture
def store(tiny_store: Store) -> Store:
    plot = catalog_of(FAMILY).plot("training_curves", scope="variant")
    render(plot, tiny_store, family=FAMILY, variants=[VARIANT]).write(tiny_store)
    return tiny_store


@pytest.fixture
def client(store: Store) -> TestClient:
    study = store.root / "study.yaml"
    study.write_text(STUDY)
    return TestClient(standalone(Settings(str(store.root), studies=(study,))), base_url="http://127.0.0.1")


def test_the_first_page_tells_the_state_of_every_variant(client: TestClient) -> None:
    page = client.get("/tdw/").text
    rows = {match[1]: match[0] for match in re.finditer(r'<tr id="([^"]+)".*?</tr>', page, re.S)}
    assert list(rows) == [VARIANT, "p7_s2_d598_f0.5"]
    assert "has gaps" in rows[VARIANT] and "3 / 4" in rows[VARIANT]
    assert "checkpoints: 1 of 4 epochs missing: 30" in rows[VARIANT]
    assert f"/tdw/explorer/{HERE}" in rows[VARIANT]
    assert f"/tdw/view/plot/{HERE}/training_curves" in rows[VARIANT]
    assert "test loss over epochs 0 to 20" in rows[VARIANT]
    assert "not trained" in rows["p7_s2_d598_f0.5"]


def test_the_first_page_sees_a_new_checkpoint(client: TestClient, store: Store) -> None:
    assert "3 / 4" in client.get("/tdw/").text
    at = Address(FAMILY.name, VARIANT, "checkpoints", 20)
    artifact = store.read(at)
    store.write(
        Address(FAMILY.name, VARIANT, "checkpoints", 30), artifact.arrays, provenance=artifact.provenance
    )
    assert "4 / 4" in client.get("/tdw/").text


def test_a_variant_of_another_study_is_measured_by_its_own_checkpoints(store: Store) -> None:
    study = store.root / "study.yaml"
    study.write_text(STUDY.replace("p7_s1_d598_f0.5, ", "").replace("0:30:10", "0:30:15"))
    client = TestClient(standalone(Settings(str(store.root), studies=(study,))), base_url="http://127.0.0.1")
    assert "3 / 3" in client.get("/tdw/").text


def test_a_study_that_can_not_be_read_is_named(client: TestClient, store: Store) -> None:
    (store.root / "study.yaml").write_text("epochs: many\n")
    page = client.get("/tdw/")
    assert page.status_code == 200
    assert "study.yaml" in page.text and "Gaps are counted against the checkpoints" in page.text


def test_an_empty_store_has_a_first_page(tmp_path: object) -> None:
    client = TestClient(standalone(Settings(str(tmp_path))), base_url="http://127.0.0.1")
    page = client.get("/tdw/")
    assert page.status_code == 200
    assert "There is no variant yet" in page.text


def test_results_of_changed_parameters_are_counted_as_out_of_date(client: TestClient, store: Store) -> None:
    url = f"/tdw/api/outdated/{HERE}"
    assert client.get(url).json() == {"out_of_date": {}}
    (store.root / "study.yaml").write_text(
        STUDY + "analyzers: {coarseness: {bottleneck: 5}, coarseness_stats: {}}\n"
    )
    # Coarseness itself, and what is made from it.
    assert client.get(url).json() == {"out_of_date": {"coarseness": 3, "coarseness_stats": 3}}


def test_a_plot_is_handed_out_as_committed(client: TestClient, store: Store) -> None:
    bundle = store.read_document(FAMILY.name, VARIANT, "training_curves")
    for name in ("figure.json", "data.csv", "preview.png"):
        assert client.get(f"{PLOT}/{name}").content == bundle.read(name)
    assert "attachment" in client.get(f"{PLOT}/data.csv").headers["content-disposition"]


def test_a_browser_that_has_the_latest_gets_no_second_copy_and_sees_a_new_one(
    client: TestClient, store: Store
) -> None:
    first = client.get(f"{PLOT}/preview.png")
    tag = first.headers["etag"]
    again = client.get(f"{PLOT}/preview.png", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    bundle = store.read_document(FAMILY.name, VARIANT, "training_curves")
    files = {name: bundle.read(name) for name in bundle.files} | {"preview.png": b"\x89PNG new"}
    store.write_document(FAMILY.name, VARIANT, "training_curves", files=files, provenance=bundle.provenance)
    assert client.get(f"{PLOT}/preview.png", headers={"if-none-match": tag}).content == b"\x89PNG new"


def test_a_plot_of_an_analyzer_that_is_off_says_what_it_costs_and_how_it_is_turned_on(
    client: TestClient, store: Store
) -> None:
    address = f"/tdw/view/plot/{HERE}/curvature"
    assert "<code>analyzers: [default, curvature]</code>" in client.get(address).text
    refused = client.get(f"/tdw/plot/{HERE}/curvature/figure.json")
    assert refused.status_code == 404 and "[default, curvature]" in refused.text
    assert address not in client.get(f"/tdw/view/variant/{HERE}").text
    (store.root / "study.yaml").write_text(STUDY + "analyzers: [default, curvature]\n")
    study = store.root / "study.yaml"
    on = TestClient(standalone(Settings(str(store.root), studies=(study,))), base_url="http://127.0.0.1")
    assert "[default, curvature]" not in on.get(address).text
    assert address in on.get(f"/tdw/view/variant/{HERE}").text


def test_a_plot_that_is_not_made_yet_has_a_page_and_a_placeholder(client: TestClient, store: Store) -> None:
    name = next(p.name for p in _variant_plots() if p.name != "training_curves")
    picture = client.get(f"/tdw/plot/{HERE}/{name}/preview.png")
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "not yet materialized" in picture.text
    page = client.get(f"/tdw/view/plot/{HERE}/{name}")
    assert page.status_code == 200
    # One reason, the first there is.
    assert page.text.count('class="note') == 1
    assert "What it is made from is not complete: checkpoints: 1 of" in page.text
    assert client.get(f"/tdw/plot/{HERE}/{name}/figure.json").status_code == 404


def test_every_registered_plot_has_a_page(client: TestClient) -> None:
    for plot in _variant_plots():
        assert client.get(f"/tdw/view/plot/{HERE}/{plot.name}").status_code == 200
    for plot in _variant_plots("comparison"):
        where = f"{FAMILY.name}/_comparison/{plot.name}"
        assert client.get(f"/tdw/view/plot/{where}").status_code == 200


def test_a_long_table_names_no_plots_and_its_renewed_rows_don_t_either(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, plots = f"/tdw/api/row/{HERE}?study=&last=20", f"/tdw/view/plot/{HERE}/"
    assert plots in client.get("/tdw/").text and plots in client.get(row).text
    monkeypatch.setattr(sections, "MANY", 0)
    page, brief = client.get("/tdw/").text, client.get(f"{row}&brief=1").text
    for text in (page, brief):
        assert plots not in text and re.search(
            rf'<a href="/tdw/view/variant/{HERE}">\d+ of \d+ plots</a>', text
        )
    assert f"{HERE}?study=" in page and "&amp;brief=1" in page and "&amp;brief=1" in brief


def test_a_report_is_downloaded_as_pdf_and_without_a_browser_the_page_says_what_to_do(
    client: TestClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, report = load_study(store.root / "study.yaml"), REPORTS[0]
    configs = [FAMILY.parse_variant(VARIANT)]
    report.write(store, FAMILY, configs, title="T", early_epoch=10, last_epoch=20, study=study)
    where = f"{FAMILY.name}/{study.folder}/{report.name}"
    assert f'<a href="/tdw/report/{where}.pdf">PDF</a>' in client.get(f"/tdw/view/report/{where}").text
    # A stand-in that prints the page's first line, as the real one is tested with reports.
    browser = tmp_path / "chromium"
    browser.write_text(
        '#!/bin/sh\nfor each; do case "$each" in --print-to-pdf=*) out="${each#*=}";; esac; done\n'
        'for last; do :; done\nhead -n 1 "${last#file://}" > "$out"\n'
    )
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(browser))
    found = client.get(f"/tdw/report/{where}.pdf")
    assert found.headers["content-type"] == "application/pdf" and found.text.startswith("<!doctype html>")
    assert found.headers["content-disposition"] == f'attachment; filename="{report.name}.pdf"'
    assert client.get(f"/tdw/report/{where}x.pdf").status_code == 404
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    missing = client.get(f"/tdw/report/{where}.pdf")
    assert missing.status_code == 500 and "install Chromium" in missing.json()["remedy"]


def test_every_report_that_was_written_is_linked_and_shown_as_it_is(client: TestClient, store: Store) -> None:
    configs, study = [FAMILY.parse_variant(VARIANT)], load_study(store.root / "study.yaml")
    for report in REPORTS:
        address = f"/tdw/view/report/{FAMILY.name}/{study.folder}/{report.name}"
        assert address not in client.get("/tdw/").text
        assert client.get(address).status_code == 404
        report.write(store, FAMILY, configs, title="T", early_epoch=10, last_epoch=20, study=study)
        assert f'href="{address}">{report.title}</a>' in client.get("/tdw/").text
        page = client.get(address)
        written = store.read_document(FAMILY.name, study.folder, report.name).read(PAGE)
        before, bar, after = re.split(rb'(<nav class="way-back">.*?</nav>)\s', page.content)
        assert before + after == written
        assert b'<a href="/tdw/">All variants</a>' in bar and f"/reports/{report.name}".encode() in bar
        assert "default-src 'none'" in page.headers["content-security-policy"]
        again = client.get(address, headers={"if-none-match": page.headers["etag"]})
        assert again.status_code == 304
    assert client.get(f"/tdw/view/report/{FAMILY.name}/history").status_code == 404
    assert client.get(f"/tdw/view/report/{FAMILY.name}/_comparison.another/study_report").status_code == 404


def test_two_studies_of_one_family_have_pages_of_their_own_and_old_ones_are_shown_till_then(
    store: Store,
) -> None:
    paths = [store.root / "one.yaml", store.root / "two.yaml"]
    for path in paths:
        path.write_text(STUDY)
    one, two = map(load_study, paths)
    settings = Settings(str(store.root), studies=tuple(paths))
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    config, report, old = FAMILY.parse_variant(VARIANT), REPORTS[0], f"/tdw/view/report/{FAMILY.name}/"

    def write(title: str, study: Study | None) -> None:
        report.write(store, FAMILY, [config], title=title, early_epoch=10, last_epoch=20, study=study)

    write("of an earlier version", None)
    assert client.get("/tdw/").text.count(f'href="{old}_comparison/{report.name}"') == 2
    write("of one", one)
    write("of two", two)
    first = client.get("/tdw/").text
    assert "/_comparison/" not in first and 'href="/locations/tdw/sensors/two_reconcile"' in first
    for where, title in ((one.folder, "of one"), (two.folder, "of two"), ("_comparison", "earlier version")):
        assert title in client.get(f"{old}{where}/{report.name}").text
    assert "earlier version" in client.get(old + report.name).text, "a link in an event of that version"
    page = client.get(f"/tdw/view/plot/{FAMILY.name}/{two.folder}/mean_coarseness_comparison")
    assert page.status_code == 200 and 'href="/tdw/#two">two</a>' in page.text


def test_the_offline_page_holds_figure_and_library_and_loads_nothing(client: TestClient) -> None:
    page = client.get(f"{PLOT}/figure.html")
    assert len(page.content) > 3_000_000
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.text[:2000])
    figure = client.get(f"{PLOT}/figure.json").json()
    assert json.dumps(figure["data"][0]["name"])[1:-1] in page.text


def test_the_page_says_what_is_missing(client: TestClient) -> None:
    assert (
        "checkpoints: 1 of 4 epochs missing: 30" in client.get(f"/tdw/view/plot/{HERE}/training_curves").text
    )


def test_static_files_are_kept_by_their_version_and_checked_without(client: TestClient) -> None:
    page = client.get("/tdw/").text
    address = re.search(r'href="(/tdw/static/\w+/page.css)"', page)
    assert address
    assert "immutable" in client.get(address[1]).headers["cache-control"]
    assert client.get("/tdw/static/page.css").headers["cache-control"] == "no-cache"
    old = client.get("/tdw/static/0123456789abcdef/page.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


def test_the_server_needs_no_torch(store: Store) -> None:
    code = f"""
import sys
from starlette.testclient import TestClient
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings
client = TestClient(standalone(Settings({str(store.root)!r})), base_url="http://127.0.0.1")
for path in ("", "explorer/{HERE}", "api/explorer/{HERE}", "api/metrics/{HERE}", "api/mosaic/{HERE}/20",
             "api/maps/{HERE}?neurons=1,2,3,4,5", "api/heads/{HERE}?heads=0,1", "api/outdated/{HERE}",
             "view/plot/{HERE}/training_curves", "plot/{HERE}/training_curves/figure.json"):
    assert client.get("/tdw/" + path).status_code == 200, path
heavy = {{"torch", "numba", "transformer_lens", "dagster"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def _variant_plots(scope: str = "variant") -> list:
    from tdw.families.modulo_addition_1layer.figures import PLOTS

    return [plot for plot in PLOTS if plot.scope == scope]
