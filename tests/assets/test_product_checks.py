"""Checks of tables, figures and reports, and the claims of a study as checks of its report."""

import json
import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from lab import V1, V2, Lab, tiny_study

from tdw.inventory.versions import DataVersion
from tdw.store import TableAddress
from tdw.store.fingerprints import short
from tdw_assets.build import build_defs
from tdw_assets.checks.asset_checks import SOUND, UP_TO_DATE
from tdw_resources.events.data_versions import tags
from tdw_resources.wanted import WantedAssets

GROKKING, COMPARISON, REPORT = "summaries/grokking", "summaries/comparison", "reports/study_report"
CLAIMS = [
    {"id": "Q1", "group": "Claims", "claim": "Both grok.", "kind": "outcomes_are"},
    {
        "id": "Q2",
        "group": "Claims",
        "claim": "Neither groks.",
        "kind": "outcomes_are",
        "excepted": [{"p": 7}],
    },
]


@pytest.fixture
def made(lab: Lab) -> Lab:
    """Two trained variants with one table each, the comparison and the reports."""
    slim = lab.with_study(analyzers=[], claims=CLAIMS)
    for variant in (V1, V2):
        assert slim.fill("train", variant, {"checkpoint": (0, 2, 4, 6)}).success
        assert slim.run("summarize", asset_selection=[slim.wanted.key(GROKKING)],
                        partition_key=variant).success  # fmt: skip
    names = (COMPARISON, REPORT)
    assert slim.run("compare", asset_selection=[slim.wanted.key(name) for name in names]).success
    return slim


def check(lab: Lab) -> list[dg.AssetCheckEvaluation]:
    result = lab.run("check")
    assert result.success, "a check that does not pass is no failed run"
    return result.get_asset_check_evaluations()


def of(found: list[dg.AssetCheckEvaluation], lab: Lab, name: str, check: str) -> dict[str | None, bool]:
    """Partition -> whether the check passed."""
    key = lab.wanted.key(name)
    return {e.partition: e.passed for e in found if (e.asset_key, e.check_name) == (key, check)}


def test_sound_tables_pass_by_partition_and_are_not_read_again(made: Lab) -> None:
    shutil.rmtree(Path(made.instance.root_directory) / "sound")  # the runs that made them checked them too
    found = check(made)
    assert of(found, made, GROKKING, SOUND) == {V1: True, V2: True}
    assert of(found, made, COMPARISON, SOUND) == of(found, made, REPORT, SOUND) == {None: True}
    assert of(found, made, GROKKING, UP_TO_DATE) == of(found, made, COMPARISON, UP_TO_DATE) == {None: True}
    assert of(check(made), made, GROKKING, SOUND) == {}, "nothing has changed since"


def test_a_damaged_a_lost_and_an_exchanged_file_fail_for_their_partition_alone(made: Lab) -> None:
    check(made)
    path = Path(made.store.path(TableAddress(made.wanted.family.name, V1, "grokking")))
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert of(check(made), made, GROKKING, SOUND) == {V1: False}
    path.unlink()
    found = check(made)
    assert of(found, made, GROKKING, SOUND) == {V1: False}
    assert of(found, made, GROKKING, UP_TO_DATE) == {None: False}
    path.write_bytes(data)
    assert of(check(made), made, GROKKING, SOUND) == {V1: True}
    other, provenance = made.store.read_table_with_provenance(
        TableAddress(made.wanted.family.name, V1, "grokking")
    )
    changed = pd.concat([other, other])
    address = TableAddress(made.wanted.family.name, V1, "grokking")
    written = made.store.write_table(address, changed, provenance=provenance)
    (evaluation,) = [e for e in check(made) if e.check_name == SOUND and e.partition == V1]
    assert not evaluation.passed and "is recorded" in str(evaluation.metadata["details"].value)
    version = DataVersion("spec", "input", short(written.sha256))
    event = dg.AssetMaterialization(
        ["another", *GROKKING.split("/")], partition=V1, tags=tags(version, code_version="1", inputs=[])
    )
    made.instance.report_runless_asset_event(event)
    Path(made.store.path(address)).touch()
    assert of(check(made), made, GROKKING, SOUND) == {V1: True}, "another study has made it anew"


def test_a_damaged_report_fails_its_check(made: Lab) -> None:
    check(made)
    folder = made.store.document_folder(made.wanted.family.name, made.wanted.study.folder, "study_report")
    (text,) = Path(folder).rglob("report.md")
    text.write_bytes(text.read_bytes() + b"!")
    (Path(folder) / "manifest.json").touch()
    assert of(check(made), made, REPORT, SOUND) == {None: False}


def test_each_claim_is_a_check_that_states_its_verdict(made: Lab) -> None:
    found = {e.check_name: e for e in check(made) if e.check_name.startswith("claim_")}
    folder = made.store.document_folder(made.wanted.family.name, made.wanted.study.folder, "study_report")
    (file,) = Path(folder).rglob("findings.json")
    stated = {claim["id"]: claim["verdict"] for claim in json.loads(file.read_text())}
    assert {name: str(e.metadata["verdict"].value) for name, e in found.items()} == {
        f"claim_{name}": verdict for name, verdict in stated.items()
    }, "the checks say what the report says"
    assert set(stated.values()) > {"supported"}
    for evaluation in found.values():
        assert evaluation.passed == (evaluation.metadata["verdict"].value == "supported")
        assert evaluation.severity == dg.AssetCheckSeverity.WARN
        assert evaluation.metadata["what was found"].value and evaluation.metadata["rule"].value


def test_claims_are_not_judged_by_tables_that_can_not_be_read(made: Lab) -> None:
    path = Path(made.store.path(TableAddress(made.wanted.family.name, V1, "grokking")))
    path.write_bytes(path.read_bytes()[:-20])
    claims = [e for e in check(made) if e.check_name.startswith("claim_")]
    assert len(claims) == 2 and not any(e.passed for e in claims)
    assert all(str(path) in str(e.metadata["why"].value) for e in claims)


def test_a_study_without_claims_has_no_such_checks() -> None:
    checks = build_defs(WantedAssets.of(tiny_study())).resolve_asset_graph().asset_check_keys
    assert not [key for key in checks if key.name.startswith("claim_")]


def test_tables_show_their_columns_and_rows(made: Lab) -> None:
    event = made.instance.get_latest_materialization_event(made.wanted.key(GROKKING))
    assert event is not None and event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    table = made.store.read_table(TableAddress(made.wanted.family.name, V2, "grokking"))
    schema = metadata["dagster/column_schema"].value
    assert [(c.name, c.type) for c in schema.columns] == [(str(n), str(t)) for n, t in table.dtypes.items()]
    assert metadata["dagster/row_count"].value == len(table) == 1
