"""The study report (R1): what it says is what was found, it needs nothing else, and it works unfinished."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tdw.errors import FingerprintMismatch
from tdw.families import get_family
from tdw.making.tables import summarize
from tdw.markdown import table
from tdw.recipes.common.outcome_figures import outcome_pictures
from tdw.reports.page import to_html
from tdw.reports.study_report import study_report, write_study_report
from tdw.store import Store

FAMILY = get_family("modulo_addition_1layer")
TINY = "p7_s1_d598_f0.5"


@pytest.fixture
def configs(outcomes):
    return [FAMILY.make_config(p=p, seed=seed) for p, seed in outcomes]


def test_every_claim_has_its_verdict_its_numbers_and_its_figure(
    study_store: Store, configs, eight_models
) -> None:
    report = study_report(study_store, FAMILY, configs, title="A study", study=eight_models)
    assert [judged.id for judged in report.claims] == [
        "E1", "E2", "E3", "E4", "E5a", "E5b",
        *(f"{group}{i}" for group in "HQ" for i in range(1, 6)),
    ]  # fmt: skip
    stored = {row["id"]: row for row in json.loads(report.files["findings.json"])}
    for judged in report.claims:
        section = report.markdown.split(f"### {judged.id}. ")[1].split("\n### ")[0]
        assert f"**{judged.verdict.capitalize()}.**" in section
        assert judged.answer in section
        assert judged.control in section
        assert stored[judged.id]["verdict"] == judged.verdict
        assert re.search(r"[Ff]igure \d", section)
    assert "**Relabelling control.**" in report.markdown.split("### H1.")[1].split("### H2.")[0]
    headings = [line for line in report.markdown.splitlines() if line.startswith("## ")]
    assert headings[1:5] == [
        "## Expected outcomes", "## Hypotheses", "## Questions", "## Sensitivity to thresholds and epochs",
    ]  # fmt: skip


def test_a_study_without_claims_has_a_report_without_verdicts(study_store: Store, configs) -> None:
    report = study_report(study_store, FAMILY, configs)
    assert report.claims == ()
    assert json.loads(report.files["findings.json"]) == []
    assert not re.search("supported|contradicted|undecided|claim or question", report.markdown)
    assert "Figure 1. Share that has not yet grokked" in report.markdown
    assert "Figure 3. Test loss" in report.markdown
    assert "| p97_s485_d598 | 2 at epoch 25,000 | 9,000 |" in report.markdown


def test_without_claims_a_figure_that_would_be_empty_is_left_out(
    tmp_path: Path, configs, study_store: Store
) -> None:
    empty = study_report(Store(tmp_path), FAMILY, configs)
    assert {name for name in empty.files if name.endswith(".svg")} == {
        f"{name}.svg" for name in outcome_pictures(FAMILY)
    }
    assert "coarseness.svg" in study_report(study_store, FAMILY, configs).files


def test_the_page_needs_nothing_from_elsewhere(study_store: Store, configs, eight_models) -> None:
    report = study_report(study_store, FAMILY, configs, study=eight_models)
    sources = re.findall(r'<img src="([^"]*)"', report.html)
    figures = [name for name in report.files if name.endswith(".svg")]
    assert len(sources) == len(figures) == 10
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not re.search(r"<script|<link|<iframe|url\(|@import", report.html)
    assert not re.search(r'(?:href|src)="(?!data:|#|https://arxiv)', report.html)


def test_the_same_tables_give_the_same_bytes(study_store: Store, configs, eight_models) -> None:
    first, second = (study_report(study_store, FAMILY, configs, study=eight_models).files for _ in range(2))
    assert first == second


def test_a_study_that_was_not_begun_is_undecided_throughout(tmp_path: Path, configs, eight_models) -> None:
    report = study_report(Store(tmp_path / "empty"), FAMILY, configs, study=eight_models)
    assert {judged.verdict for judged in report.claims} == {"undecided"}
    assert "0 of 8 variants are trained" in report.markdown
    assert "p113_s999_d598 (not begun)" in report.markdown


def test_a_real_unfinished_variant_is_reported_as_such(tiny_store: Store, eight_models) -> None:
    config = FAMILY.parse_variant(TINY)
    for name in ("grokking", "coarseness", "frequencies", "neurons", "relabelling", "progress_measures"):
        summarize(tiny_store, FAMILY, config, name)
    # Its sentence names outcomes of variants that are not here.
    claims = tuple(claim for claim in eight_models.claims if claim.id != "E4")
    study = eight_models.model_copy(update={"claims": claims})
    report = study_report(tiny_store, FAMILY, [config], early_epoch=10, last_epoch=100, study=study)
    assert f"Unfinished: {TINY} (at epoch 20)" in report.markdown
    assert {judged.verdict for judged in report.claims} == {"undecided"}
    finished = study_report(tiny_store, FAMILY, [config], early_epoch=10, last_epoch=20)
    assert "1 of 1 variants are trained to epoch 20" in finished.markdown


def test_configuration_fingerprints_and_versions_are_in_it(study_store: Store, configs, eight_models) -> None:
    report = study_report(study_store, FAMILY, configs, study=eight_models)
    for config in configs:
        assert config.fingerprint in report.markdown
    assert "| epochs | `25000` |" in report.markdown
    for package in ("torch", "numpy", "training-dynamics-workbench"):
        assert f"| {package} | " in report.markdown


def test_the_report_is_committed_with_what_it_was_made_from(
    study_store: Store, configs, eight_models
) -> None:
    write_study_report(study_store, FAMILY, configs, early_epoch=1000, study=eight_models)
    bundle = study_store.read_document(FAMILY.name, eight_models.folder, "study_report")
    assert bundle.read("report.html").startswith(b"<!doctype html>")
    assert "p97_s485_d598/coarseness" in bundle.provenance.inputs
    assert bundle.provenance.parameters["early_epoch"] == 1000
    assert bundle.provenance.parameters["made_by"]["never_without"] == "1"
    assert bundle.provenance.parameters["study"]["claims"][0]["id"] == "E1"


def test_variants_of_another_configuration_are_refused(study_store: Store, configs) -> None:
    import dataclasses

    from tdw.store import TableAddress

    address = TableAddress(FAMILY.name, configs[0].key, "coarseness")
    found, provenance = study_store.read_table_with_provenance(address)
    foreign = dataclasses.replace(provenance, variant_fingerprint="0" * 64)
    study_store.write_table(address, found, provenance=foreign)
    with pytest.raises(FingerprintMismatch, match=configs[0].key):
        study_report(study_store, FAMILY, configs)


def test_raw_html_in_a_text_is_shown_and_not_run() -> None:
    page = to_html("# <script>alert(1)</script>\n\n<b>x</b>", title="<i>t</i>", pictures={})
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<title>&lt;i&gt;t&lt;/i&gt;</title>" in page


def test_the_contents_lead_to_every_section_within_the_file() -> None:
    text = "# T\n\n## Claims\n\n### E1. `p` <b>\n\n### E1. `p` <b>\n\n## Limits\n\n#### Deeper"
    page = to_html(text, title="t", pictures={})
    contents, _, body = page.partition("</nav>")
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', contents)
    assert [title for _, title in links] == ["Claims", "E1. p &lt;b&gt;", "E1. p &lt;b&gt;", "Limits"]
    places = re.findall(r'<h([23]) id="([^"]+)">', body)
    assert [f"#{anchor}" for _, anchor in places] == [to for to, _ in links] and len(set(links)) == 4
    assert "<nav" not in to_html("# T", title="t", pictures={})


def test_bars_in_cells_do_not_break_a_table() -> None:
    page = to_html(table(["a", "b"], [["x|y", "z"]]), title="t", pictures={})
    assert "<td>x|y</td>" in page
