"""A table of more variants than a page holds: its first page, and the others' rows when asked for."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tdw.store import Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings
from tdw_workbench.web.pages import sections

FAMILY, TRAINED = "modulo_addition_1layer", "p7_s1_d598_f0.5"
KEYS = [f"p7_s{seed}_d598_f0.5" for seed in (9, 8, 7, 6, 1)]  # the one that is trained is on the last page
ROWS, WORDS = f"/tdw/api/rows/{FAMILY}?table=many&last=30", f"/tdw/api/words/{FAMILY}?table=many"


@pytest.fixture
def client(tiny_store: Store, tmp_path: Path) -> TestClient:
    study = tmp_path / "many.yaml"
    study.write_text(f"variants: [{', '.join(KEYS)}]\nepochs: 30\ncheckpoints: ['0:30:10']\n")
    settings = Settings(str(tiny_store.root), studies=(study,))
    return TestClient(standalone(settings), base_url="http://127.0.0.1")


def rows_in(text: str) -> list[str]:
    return re.findall(r'<tr id="([^"]+)"', text)


def test_what_fits_one_page_has_no_pages(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "ON_A_PAGE", len(KEYS))
    page = client.get("/tdw/").text
    assert rows_in(page) == KEYS
    assert 'class="pages"' not in page and "data-rows" not in page and "choose those shown" in page


def test_a_long_table_brings_one_page_and_names_all_variants(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "ON_A_PAGE", 2)
    page = client.get("/tdw/").text
    assert rows_in(page) == KEYS[:2] and "· 5 variants" in page
    assert page.count('<nav class="pages"') == 2
    (told,) = re.findall(r'data-configs="([^"]+)"', page)
    assert [key for key, *_ in json.loads(html.unescape(told))["of"]] == KEYS
    (address,) = re.findall(r'data-rows="([^"]+)"', page)
    assert html.unescape(address) == ROWS


def test_rows_of_other_pages_are_those_that_a_page_of_all_would_have(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = client.get("/tdw/").text
    monkeypatch.setattr(sections, "ON_A_PAGE", 2)
    found = client.get(f"{ROWS}&v={KEYS[4]},{KEYS[2]}")
    assert rows_in(found.text) == [KEYS[4], KEYS[2]]
    for row in re.findall(r"<tr id=.*?</tr>", found.text, re.S):
        # The page of a small table has its list of plots, a long one's a link to them.
        assert row in whole
    assert "3 / 4" in found.text


def test_a_row_that_is_no_row_of_the_table_is_refused_and_so_are_too_many(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "ON_A_PAGE", 2)
    assert client.get(f"{ROWS}&v=p7_s5_d598_f0.5").status_code == 404
    assert client.get(f"{ROWS}&v={KEYS[0]}".replace("many", "few")).status_code == 404
    for wrong in ("", ",", ",".join(KEYS[:3])):
        answer = client.get(f"{ROWS}&v={wrong}")
        assert answer.status_code == 400 and "v=KEY,KEY" in answer.json()["remedy"]
    assert client.get(WORDS.replace("many", "few")).status_code == 404


def test_all_rows_are_searched_and_sorted_by_what_they_say(client: TestClient) -> None:
    words = client.get(WORDS).json()
    assert [*words] == KEYS
    page = client.get("/tdw/").text
    heads = re.search("<thead>.*</thead>", page)
    assert heads
    # As many as there are cells between the first and the last.
    assert {len(cells) for cells in words.values()} == {heads[0].count("<th ") - 2}
    assert words[KEYS[0]][:2] == ["not trained", "0 / 4"]
    state, trained, *_ = words[TRAINED]
    assert (state, trained) == ("has gaps", "3 / 4")
    assert f">{trained}</td>" in page
