"""Dashboards over HTTP: pages, saving through the guard, what panels show, the file that works offline."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from tdw.families import get_family
from tdw.making.figures import render
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.store import DashboardAddress, Provenance, Store
from tdw_workbench.cli import main
from tdw_workbench.web.app import standalone
from tdw_workbench.web.dashboards import files
from tdw_workbench.web.dashboards.model import Dashboard, Panel
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.http.settings import Settings

FAMILY, VARIANT = get_family("modulo_addition_1layer"), "p7_s1_d598_f0.5"
PANELS: list[dict[str, Any]] = [
    {"kind": "figure", "name": "training_curves"},
    {"kind": "maps", "name": "neurons", "part": "3,17"},
    {"kind": "table", "name": "grokking", "variant": VARIANT, "epoch": 10},
    {"kind": "figure", "name": "early_coarseness"},
    {
        "kind": "note",
        "text": "**bold** <script>alert(1)</script> [x](javascript:alert(1)) ![p](http://a.example/b.png)",
    },
]
BODY = {"base": 0, "dashboard": {"family": FAMILY.name, "title": "Mine", "panels": PANELS}}


@pytest.fixture
def store(tiny_store: Store) -> Store:
    """In a folder whose name JSON could write in two ways."""
    store = Store(tiny_store.root.rename(tiny_store.root.with_name("für uns")))
    plot = catalog_of(FAMILY).plot("training_curves", scope="variant")
    render(plot, store, family=FAMILY, variants=[VARIANT]).write(store)
    summarize(store, FAMILY, FAMILY.parse_variant(VARIANT), "grokking")
    return store


@pytest.fixture
def client(store: Store) -> TestClient:
    """Beside Dagster: what it is asked is of no matter here."""
    app = standalone(Settings(str(store.root)), runs=cast("Runs", object()))
    return TestClient(app, base_url="http://127.0.0.1")


@pytest.fixture
def reader(store: Store) -> TestClient:
    """`tdw serve`."""
    return TestClient(standalone(Settings(str(store.root))), base_url="http://127.0.0.1")


def told(page: str) -> dict[str, Any]:
    match = re.search(r'data-dashboard="([^"]*)"', page)
    assert match is not None
    return json.loads(html.unescape(match[1]))


def test_a_dashboard_is_saved_shown_and_listed(client: TestClient) -> None:
    saved = client.post("/tdw/dashboards/mine", json=BODY)
    assert (saved.status_code, saved.json()["version"]) == (200, 1), saved.text
    page = client.get(saved.json()["address"]).text
    data = told(page)
    assert data["variants"] == [VARIANT] and data["epochs"] == [0, 10, 20]
    assert [panel["name"] for panel in data["dashboard"]["panels"]] == [
        each.get("name", "") for each in PANELS
    ]
    assert 'data-editable="yes"' in page
    assert "/tdw/dashboards/mine" in client.get("/tdw/dashboards/").text


def test_a_note_runs_nothing_and_loads_nothing(client: TestClient) -> None:
    text = PANELS[-1]["text"]
    made = client.post("/tdw/notes", json={"text": text}).json()["html"]
    assert "<strong>bold</strong>" in made
    assert "<script" not in made and "<img" not in made and 'href="javascript' not in made
    client.post("/tdw/dashboards/mine", json=BODY)
    assert told(client.get("/tdw/dashboards/mine").text)["notes"][-1] == made


def test_a_second_save_from_the_same_version_conflicts(client: TestClient) -> None:
    assert client.post("/tdw/dashboards/mine", json=BODY).status_code == 200
    answer = client.post("/tdw/dashboards/mine", json=BODY)
    assert answer.status_code == 409 and "already" in answer.json()["error"]


def test_saving_goes_through_the_guard(client: TestClient, store: Store) -> None:
    text = json.dumps(BODY)
    url = "/tdw/dashboards/mine"
    evil = {"origin": "http://evil.example", "content-type": "application/json"}
    assert client.post(url, content=text, headers=evil).status_code == 403
    assert client.post(url, content=text, headers={"content-type": "text/plain"}).status_code == 415
    assert (
        client.post(url, content=b" " * (2 << 20), headers={"content-type": "application/json"}).status_code
        == 413
    )
    for wrong in (
        {},
        {"base": "1", "dashboard": {}},
        {**BODY, "more": 1},
        {"base": 0, "dashboard": {"panels": 3}},
    ):
        assert client.post(url, json=wrong).status_code == 400
    assert client.post("/tdw/", json=BODY).status_code == 405
    assert client.put(url, json=BODY).status_code == 405
    assert not (store.root / "_dashboards").exists()


def test_a_server_that_only_shows_saves_nothing(reader: TestClient, client: TestClient, store: Store) -> None:
    answer = reader.post("/tdw/dashboards/mine", json=BODY)
    assert answer.status_code == 400 and "only shows results" in answer.json()["error"]
    assert reader.get(f"/tdw/compose/{FAMILY.name}").status_code == 400
    client.post("/tdw/dashboards/mine", json=BODY)
    page = reader.get("/tdw/dashboards/mine").text
    assert "data-editable" not in page and 'id="save"' not in page


def test_a_changed_file_has_an_error_and_hides_no_other_dashboard(client: TestClient, store: Store) -> None:
    for name in ("mine", "other"):
        client.post(f"/tdw/dashboards/{name}", json=BODY)
    path = store.path(DashboardAddress("mine", 1))
    path.write_text(path.read_text().replace("Mine", "Mein"))
    answer = client.get("/tdw/dashboards/mine", headers={"accept": "text/html"})
    assert answer.status_code == 500 and "mine/00001.json" in answer.text
    listing = client.get("/tdw/dashboards/")
    assert listing.status_code == 200 and "mine/00001.json" in listing.text
    assert client.get("/tdw/dashboards/other").status_code == 200
    assert client.get("/tdw/").status_code == 200


def test_a_dashboard_of_a_family_that_is_not_installed_hides_no_other(
    client: TestClient, store: Store
) -> None:
    values = {"format": 1, "dashboard": {**BODY["dashboard"], "family": "gone"}}
    note = Provenance(family="gone", variant="", name="old")
    store.write_record(DashboardAddress("old", 1), values, provenance=note)
    client.post("/tdw/dashboards/mine", json=BODY)
    listing = client.get("/tdw/dashboards/").text
    assert "/dashboards/old" in listing and "/dashboards/mine" in listing and "gone" in listing
    answer = client.get("/tdw/dashboards/old")
    assert answer.status_code == 404 and "there is no family 'gone'" in answer.json()["error"]


def test_what_is_not_made_yet_is_no_error_for_the_browser(client: TestClient) -> None:
    answer = client.get(f"/tdw/panel/plot/{FAMILY.name}/_comparison/early_coarseness/figure.json")
    assert (answer.status_code, answer.headers["x-tdw-refused"]) == (200, "404")
    assert "no such plot" in answer.json()["error"]
    made = client.get(f"/tdw/panel/plot/{FAMILY.name}/{VARIANT}/training_curves/figure.json")
    assert "x-tdw-refused" not in made.headers and made.json()["data"]
    again = client.get(str(made.url), headers={"if-none-match": made.headers["etag"]})
    assert again.status_code == 304


def test_a_table_is_told_in_columns(client: TestClient) -> None:
    table = client.get(f"/tdw/panel/table/{FAMILY.name}/{VARIANT}/grokking").json()
    columns = {each["name"]: each["values"] for each in table["columns"]}
    assert columns["grokked"] == [False] and columns["grokking_epoch"] == [None]


def test_a_section_of_a_report_has_its_heading_its_text_and_no_more(client: TestClient, store: Store) -> None:
    from tdw.reports.document import as_files

    text = ["# All", "## One", "first", "### Below", "still", "## Two", "second ![x](x.svg)"]
    found = as_files(text, title="All", pictures={"x.svg": b"<svg/>"}, numbers={})
    note = Provenance(family=FAMILY.name, variant="", name="study_report")
    store.write_document(FAMILY.name, None, "study_report", files=found, provenance=note)
    at = f"/tdw/panel/section/{FAMILY.name}/_comparison/study_report"
    one, two = client.get(f"{at}/one").json()["html"], client.get(f"{at}/two").json()["html"]
    assert "first" in one and "still" in one and "second" not in one
    assert "data:image/svg+xml;base64" in two
    assert "still" in client.get(f"{at}/below").json()["html"]
    assert "no section" in client.get(f"{at}/three").json()["error"]
    sections = client.get(f"/tdw/choices/{FAMILY.name}").json()["sections"]
    assert [each["part"] for each in sections] == ["one", "below", "two"]


def test_the_exported_file_holds_what_every_panel_asks_for(client: TestClient, store: Store) -> None:
    client.post("/tdw/dashboards/mine", json=BODY)
    page = client.get("/tdw/dashboards/mine/export.html").text
    held = dict(re.findall(r'<script type="text/plain" data-address="([^"]*)"[^>]*>([^<]*)</script>', page))
    place = f"{FAMILY.name}/{VARIANT}"
    maps = f"panel/api/maps/{place}?neurons=3,17&amp;size=48"
    assert list(held) == [
        f"panel/plot/{place}/training_curves/figure.json",
        maps,
        f"panel/table/{place}/grokking",
        f"panel/plot/{FAMILY.name}/_comparison/early_coarseness/figure.json",
    ]
    asked = client.get(f"/tdw/{html.unescape(maps)}").content
    assert base64.b64decode(held[maps]) == asked
    assert 'early_coarseness/figure.json" data-refused="yes"' in page
    assert str(store.root) not in page and "the store" in held[list(held)[-1]]
    assert not re.search(r'(?:src|href)="(?!#)[^"]', page.split("<script>")[0])
    assert client.get("/tdw/dashboards/mine/export.html?variant=p9_s1_d598").status_code == 404


def test_the_command_line_lists_and_exports(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = Dashboard(
        family=FAMILY.name, title="Mine", panels=(Panel(kind="figure", name="training_curves"),)
    )
    files.save(store, "mine", board, base=0)
    where = ["--store", str(store.root)]
    assert main(["dashboard", "list", *where]) == 0
    assert f"mine: {FAMILY.name}, 1 panel, version 1" in capsys.readouterr().out
    target = tmp_path / "mine.html"
    # A process of its own: in this one a browser's test may have left an event loop running.
    export = ["dashboard", "export", "mine", str(target), "--variant", VARIANT, *where]
    subprocess.run([sys.executable, "-m", "tdw_workbench.cli", *export], check=True)
    assert f"panel/plot/{FAMILY.name}/{VARIANT}/training_curves" in target.read_text()
    assert main(["dashboard", "export", "none", str(target), *where]) == 1
    assert main(["dashboard", "export", "mine", str(tmp_path / "no" / "x.html"), *where]) == 2


def test_a_dashboard_is_deleted_by_who_has_seen_its_last_version(
    client: TestClient, reader: TestClient, store: Store
) -> None:
    url = "/tdw/dashboards/mine"
    for base in (0, 1):
        assert client.post(url, json=BODY | {"base": base}).status_code == 200
    evil = {"origin": "http://evil.example"}
    assert client.delete(f"{url}?version=2", headers=evil).status_code == 403
    assert reader.delete(f"{url}?version=2").status_code == 400
    assert client.delete(url).status_code == 400
    assert client.delete(f"{url}?version=1").status_code == 409
    assert 'id="delete"' in client.get(url).text and 'id="delete"' not in client.get(f"{url}?version=1").text
    assert client.delete(f"{url}?version=2").status_code == 204
    assert client.get(url).status_code == 404 and files.saved_dashboards(store) == []
    assert client.delete(f"{url}?version=2").status_code == 404
    assert client.delete(f"/tdw/dashboards/{FAMILY.name}?version=1").status_code == 404
    assert client.post(url, json=BODY).json()["version"] == 1
