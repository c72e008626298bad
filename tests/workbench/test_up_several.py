"""A real `tdw up` of three studies: two of one family, which share a variant, and one of another family."""

import signal
from collections.abc import Iterator

import pytest
import requests
from running import STUDY, V1, V2, Up, marked, until

from tdw.reports.registry import REPORTS, reports_of
from tdw.store import Store, TableAddress
from tdw.study import Study, load_study

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
V3 = "p7_s3_d598"
STUDIES = {
    "one": STUDY.replace("name: tiny", "name: one"),
    "two": STUDY.replace("name: tiny", "name: two").replace(V1, V3).replace("[0, 2, 4, 6]", "[0, 2, 3, 6]"),
    "other": "name: other\nfamily: quadratic_mlp\nvariants: [p5_s0_width8, p5_s1_width8]\nepochs: 4\n"
    "checkpoints: [0, 2, 4]\nearly_epoch: 2\ntraining: {device: cpu}\n",
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    found = Up.start(tmp_path_factory.mktemp("up"), studies=STUDIES)
    try:
        found.await_ui()
        until("the studies are complete", lambda: "The studies are complete" in found.said(), within_s=1200)
        yield found
        assert found.stop(signal.SIGINT) == 0
    finally:
        found.process.kill()
        until("nothing is left", lambda: not marked(str(found.folder)), within_s=40)


@pytest.fixture(scope="module")
def studies(up: Up) -> tuple[Study, ...]:
    return tuple(load_study(up.folder / f"{name}.yaml") for name in STUDIES)


def test_each_is_carried_out_under_its_own_names_and_no_run_fails(up: Up) -> None:
    assert {run["status"] for run in up.runs()} <= {"SUCCESS", "STARTED", "STARTING", "QUEUED"}
    assert up.materialized("one", "coarseness") == up.materialized("two", "coarseness") == 8
    assert up.materialized("other", "checkpoint") == 6
    trained = [
        run["tags"]["tdw/variant"] for run in up.runs() if run["jobName"] in ("one_train", "two_train")
    ]
    assert {V1, V2, V3} == set(trained)
    store = Store(up.folder / "store")
    assert store.epochs("modulo_addition_1layer", V2, "coarseness") == [0, 2, 3, 4, 6], "both have theirs"


def test_comparisons_and_reports_of_all_are_there_and_each_study_has_its_own(
    up: Up, studies: tuple[Study, ...]
) -> None:
    store = Store(up.folder / "store")
    for study in studies:
        compared = store.read_table(TableAddress(study.family, study.folder, "comparison"))
        assert tuple(compared["variant"]) == study.variant_keys
        for report in reports_of(study.family_declaration):
            text = store.read_document(study.family, study.folder, report.name).read("report.md").decode()
            assert text.startswith(f"# {report.title}: {study.name}\n")
            assert all(key in text for key in study.variant_keys)
    assert store.comparison_folders("modulo_addition_1layer") == ["_comparison.one", "_comparison.two"]


def test_every_page_of_each_answers(up: Up, studies: tuple[Study, ...]) -> None:
    address = f"http://127.0.0.1:{up.port}"
    first = requests.get(f"{address}/tdw/", timeout=30).text
    sections = dict(zip(STUDIES, first.split("<section ")[1:], strict=True))
    for study in studies:
        words = sections[study.name]
        assert all(f'<tr id="{key}"' in words for key in study.variant_keys)
        assert words.count('class="state complete"') == len(study.variant_keys)
        links = {part.split('"')[0] for part in words.split('href="')[1:]}
        pages = [link for link in links if "/view/" in link or "/explorer/" in link]
        own = [link for link in pages if f"/{study.folder}/" in link]
        assert len(own) >= len(reports_of(study.family_declaration)) and "/_comparison/" not in words
        for link in pages:
            answer = requests.get(address + link, timeout=30)
            assert answer.status_code == 200, link
            assert "not yet materialized" not in answer.text or "absent" in words, link
    wrong = f"{address}/tdw/view/report/quadratic_mlp/_comparison.one/{REPORTS[0].name}"
    assert requests.get(wrong, timeout=30).status_code == 404
