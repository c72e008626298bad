"""Comparing what a person chose: the first page's fields, the page of a selection, its figures and tables."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import tdw
from tdw.families import get_family
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.store import Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings
from tdw_workbench.web.pages.fields import varied_fields

FAMILY = get_family("modulo_addition_1layer")
KEYS = ("p7_s1_d598_f0.5", "p7_s2_d598_f0.5", "p11_s2_d598")
PAGE, FILES = f"/tdw/view/compare/{FAMILY.name}", f"/tdw/compare/{FAMILY.name}"
BOTH = f"v={KEYS[0]},{KEYS[2]}"


@pytest.fixture(scope="module")
def trained(_trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three variants with what a comparison reads."""
    root = tmp_path_factory.mktemp("chosen") / "store"
    shutil.copytree(_trained, root)
    store = Store(root)
    for key in KEYS[1:]:
        tdw.open(store).make(key, [0, 10, 20], analyzers=["coarseness", "coarseness_stats"])
    for name in ("coarseness", "grokking", "neuron_coarseness"):
        summarize(store, FAMILY, FAMILY.parse_variant(KEYS[0]), name)
    return root


@pytest.fixture
def client(trained: Path, tmp_path: Path) -> TestClient:
    study = tmp_path / "mine.yaml"
    variants = ", ".join((*KEYS, "p7_s9_d598"))
    study.write_text(f"variants: [{variants}]\nepochs: 20\ncheckpoints: [0, 10, 20]\nearly_epoch: 10\n")
    return TestClient(standalone(Settings(str(trained), studies=(study,))), base_url="http://127.0.0.1")


def test_the_first_page_brings_the_fields_in_which_its_variants_differ(client: TestClient) -> None:
    page = client.get("/tdw/").text
    (told,) = re.findall(r'data-configs="([^"]+)"', page)
    configs = json.loads(html.unescape(told))
    assert configs["fields"] == ["p", "seed", "train_fraction"]
    assert [KEYS[2], 11, 2, 0.3] in configs["of"]
    assert [key for key, *_ in configs["of"]] == [*KEYS, "p7_s9_d598"]
    assert re.findall(r'class="filter" data-field="(\w+)"', page) == ["p", "seed", "train_fraction"]
    assert page.count('class="pick"') == 4


def test_many_numbers_are_chosen_by_a_range_and_few_one_by_one() -> None:
    configs = [FAMILY.parse_variant(f"p7_s{seed}_d598") for seed in range(30)]
    (seed,) = varied_fields(FAMILY, configs)
    assert (seed.name, seed.listed) == ("seed", False)
    assert varied_fields(FAMILY, configs[:24])[0].listed
    assert varied_fields(FAMILY, []) == [] == varied_fields(FAMILY, configs[:1])


def test_the_page_of_two_variants_names_every_difference(client: TestClient) -> None:
    page = client.get(f"{PAGE}?{BOTH}").text
    title = "p = 7, seed = 1, train_fraction = 0.5 and p = 11, seed = 2, train_fraction = 0.3"
    assert f"<title>{title} ·" in page
    rows = re.findall(
        r'<tr><th scope="row"><code>(\w+)</code></th><td>([^<]+)</td><td>([^<]+)</td></tr>', page
    )
    assert rows == [("p", "7", "11"), ("seed", "1", "2"), ("train_fraction", "0.5", "0.3")]
    assert "p = 7 and p = 11" not in page
    plots = [plot.name for plot in catalog_of(FAMILY).plots if plot.scope == "comparison"]
    assert re.findall(r'<section class="drawn" aria-labelledby="(\w+)"', page) == plots


def test_groups_by_a_field_and_groups_one_by_one_have_addresses(client: TestClient) -> None:
    everything = f"v={','.join(KEYS)}"
    page = client.get(f"{PAGE}?{everything}&by=p").text
    assert "p = 7, seed in {1, 2}, train_fraction = 0.5 and p = 11, seed = 2" in page
    assert f'href="?{everything}&amp;by=p,seed"' in page and f'href="?{everything}">each variant' in page
    page = client.get(f"{PAGE}?v={KEYS[0]},{KEYS[1]}&v={KEYS[2]}").text
    assert "Groups that were chosen one by one" in page and "seed in {1, 2}" in page
    parts = client.get(f"{FILES}/parts.html?{everything}&by=seed").text
    assert "mean (lowest to highest)" in parts and "Early is epoch 10." in parts


def test_figures_and_tables_are_of_the_selection_alone(client: TestClient) -> None:
    for name in ("mean_coarseness_comparison", "coarseness_distribution_comparison", "outcomes"):
        data = client.get(f"{FILES}/{name}/data.csv?{BOTH}")
        assert data.status_code == 200, data.text
        assert {line.split(",")[0] for line in data.text.splitlines()[1:]} == {KEYS[0], KEYS[2]}
        assert client.get(f"{FILES}/{name}/figure.json?{BOTH}").json()["data"]
    assert "Plotly" in client.get(f"{FILES}/outcomes/figure.html?{BOTH}").text
    table = client.get(f"{FILES}/comparison.csv?{BOTH}").text
    assert [line.split(",")[0] for line in table.splitlines()] == ["variant", KEYS[0], KEYS[2]]
    for name in ("numbers.csv", "associations.csv", "report.html"):
        assert client.get(f"{FILES}/{name}?{BOTH}").status_code == 200


def test_the_same_variants_grouped_in_another_way_are_not_read_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tdw.reports import chosen

    read: list[int] = []
    reading = chosen.read_evidence
    monkeypatch.setattr(chosen, "read_evidence", lambda *a, **k: read.append(len(a[2])) or reading(*a, **k))
    for more in ("", "&by=p", "&by=seed"):
        parts = client.get(f"{FILES}/parts.html?v={KEYS[1]},{','.join((KEYS[0], KEYS[2]))}{more}")
        assert parts.status_code == 200
    assert read == [3]


def test_a_browser_asks_again_and_gets_a_figure_anew_only_when_a_table_changed(
    client: TestClient, trained: Path
) -> None:
    url = f"{FILES}/mean_coarseness_comparison/figure.json?{BOTH}"
    tag = client.get(url).headers["etag"]
    assert client.get(url, headers={"if-none-match": tag}).status_code == 304
    summarize(Store(trained), FAMILY, FAMILY.parse_variant(KEYS[0]), "grokking")
    assert client.get(url, headers={"if-none-match": tag}).status_code == 200


def test_a_figure_that_these_variants_do_not_have_says_why(client: TestClient) -> None:
    answer = client.get(f"{FILES}/mean_coarseness_comparison/figure.json?v=p7_s9_d598")
    assert answer.status_code == 200 and "p7_s9_d598" in answer.json()["absent"]


def test_nothing_is_written(client: TestClient, trained: Path) -> None:
    before = set(trained.rglob("*"))
    client.get(f"{PAGE}?{BOTH}")
    client.get(f"{FILES}/comparison/figure.json?{BOTH}")
    client.get(f"{FILES}/parts.html?{BOTH}")
    assert set(trained.rglob("*")) == before


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        (f"{PAGE}", 400, "0 variants are named"),
        (f"{PAGE}?v=", 400, "variant"),
        (f"{PAGE}?v=p7_s99_d598", 404, "there is no variant 'p7_s99_d598'"),
        (f"{PAGE}?v=../../etc", 400, "variant"),
        (f"{PAGE}?{BOTH}&by=flavor", 400, "no field 'flavor'"),
        (f"{PAGE}?v={KEYS[0]}&v={KEYS[0]}", 400, "named twice"),
        (f"{PAGE}?{BOTH}&sort=p", 400, "unknown parameter 'sort'"),
        (f"{FILES}/parts.html", 400, "0 variants"),
        (f"{FILES}/secret.csv?{BOTH}", 404, "no file of a comparison"),
        (f"{FILES}/nothing/data.csv?{BOTH}", 404, "no figure 'nothing'"),
        (f"{FILES}/outcomes/secret?{BOTH}", 404, "no file of a figure"),
        (f"{FILES}/report.html?v={KEYS[0]}", 400, "of two sides"),
        (f"{FILES}/mean_coarseness_comparison/data.csv?v=p7_s9_d598", 404, "p7_s9_d598"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    client: TestClient, url: str, status: int, said: str
) -> None:
    answer = client.get(url)
    assert answer.status_code == status and said in answer.json()["error"]
