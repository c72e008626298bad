"""One store under several studies, and under the event log of earlier versions: nothing is computed twice."""

import json
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import pytest
import yaml
from lab import V1, V2, Lab

from tdw.errors import BadConfig
from tdw.integrity.against_records import compare_with_records
from tdw.integrity.verify import verify
from tdw.inventory.cells import series_epochs
from tdw.inventory.state import recorded_versions
from tdw.inventory.versions import DataVersion
from tdw.making.comparison import write_comparison
from tdw.store import TableAddress
from tdw.store.fingerprints import short
from tdw_assets.cells.partitions import register_variants
from tdw_resources.events.data_versions import tags
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.events.records import disputes_of, inventory_of, read_contents
from tdw_resources.reading import Reading
from tdw_resources.runs.tags import REQUEST_TAG
from tdw_workbench.adoption import require_undisputed
from tdw_workbench.cli import main

ALL = (0, 2, 4, 6)


def do(lab: Lab, epochs: tuple[int, ...] = ALL) -> None:
    register_variants(lab.wanted, lab.instance, lab.wanted.variants)
    assert lab.fill("train", V1, {"checkpoint": epochs}).success
    assert lab.fill("analyze", V1, {"coarseness": epochs}).success


def written(lab: Lab) -> dict[Path, int]:
    files = [path for path in Path(lab.store.root).rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path: path.stat().st_mtime_ns for path in files}


def disagreements(lab: Lab) -> list[str]:
    checked, recorded = list(verify(lab.store)), read_contents(lab.instance)
    found = compare_with_records(checked, lab.store, recorded, families=[lab.wanted.family])
    return [f"{finding.problem} {finding.detail}" for finding in found]


def test_a_cell_made_for_one_study_is_adopted_by_another(lab: Lab) -> None:
    do(lab)
    before, other = written(lab), lab.with_study(name="other", checkpoints=[0, 4, 6], early_epoch=4)
    assert not other.done("checkpoint") and not other.done("coarseness")
    do(other, (0, 4, 6))
    assert written(lab) == before, "no file was written again"
    records = lab.instance.fetch_materializations(other.wanted.key("coarseness"), limit=10).records
    assert all("adopted" in record.asset_materialization.metadata for record in records) and records
    assert disagreements(lab) == []
    lab.record_checkpoint_as_changed(V1, 4)
    (problem,) = disagreements(lab)
    assert "not as recorded" in problem and "study tiny has recorded" in problem


def test_a_variant_of_two_studies_has_one_set_of_tables_over_the_epochs_of_both(lab: Lab) -> None:
    do(lab)
    asked = {"partition_key": V1, "tags": {REQUEST_TAG: "all that is missing"}}
    other = lab.with_study(name="other", checkpoints=[0, 3, 6], early_epoch=3)
    do(other, (0, 3, 6))
    every = [inventory_of(each.wanted, each.instance, each.store).gaps_of(V1) for each in (lab, other)]
    assert [series_epochs(gaps, ["coarseness"]) for gaps in every] == [[0, 2, 3, 4, 6]] * 2
    assert recorded_versions(every[0]) == recorded_versions(every[1]), (
        "what is made from them is the same for both"
    )
    assert [gaps.to_analyze().get("coarseness") for gaps in every] == [None, None], "none is wanted by both"
    table = lab.store.path(TableAddress(lab.wanted.family.name, V1, "grokking"))
    made: list[int] = []
    for each in (lab, other):
        assert each.run("summarize", asset_selection=[each.wanted.key("summaries/grokking")], **asked).success
        made.append(table.stat().st_mtime_ns)
    assert made[0] == made[1], "adopted: the other study would make the same"
    assert other.done("summaries/grokking") == {V1}


def test_what_another_study_made_with_other_parameters_is_not_replaced(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    do(lab)
    before = written(lab)
    another = {"coarseness": {"radius_fraction": 0.25}, "coarseness_stats": {}}
    other = lab.with_study(name="other", analyzers=another)
    register_variants(other.wanted, lab.instance, [V1])
    assert other.fill("train", V1, {"checkpoint": ALL}).success
    (dispute,) = disputes_of(other.wanted, lab.instance, lab.store)
    words = str(dispute.error())
    assert "study other wants coarseness of p7_s1_d598 with radius_fraction = 0.25" in words
    assert "has it with 0.125, made for study tiny" in words and "Wipe materializations" in words
    assert not other.fill("analyze", V1, {"coarseness": ALL}).success
    assert written(lab) == before and not other.done("coarseness")
    assert disagreements(lab) == [] and not disputes_of(lab.wanted, lab.instance, lab.store)
    study = tmp_path / "study.yaml"
    values = {"name": "other", "variants": [V1], "epochs": 6, "checkpoints": [*ALL], "analyzers": another}
    study.write_text(yaml.safe_dump(values))
    here = Reading(lab.instance, recorded=True)
    monkeypatch.setattr("tdw_resources.reading.read_instance", lambda home, look: look(here))
    status = ["status", "--study", str(study), "--store", str(lab.store.root)]
    assert main(status) == 0
    assert f"\nCan't be made here: {dispute.error()}\n" in capsys.readouterr().out
    assert main([*status, "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["disputes"]
    assert listed == asdict(dispute), "for programs"
    with pytest.raises(BadConfig, match="made for study tiny"):
        require_undisputed(other.wanted, lab.instance, str(lab.store.root))
    lab.instance.wipe_assets([lab.wanted.key("coarseness")])
    assert not disputes_of(other.wanted, lab.instance, lab.store), "given up by a person"


def test_a_store_and_log_of_an_earlier_version_are_taken_over(lab: Lab) -> None:
    do(lab)
    tables = ("summaries/grokking", "plots/training_curves")
    asked = {"partition_key": V1, "tags": {REQUEST_TAG: "all that is missing"}}
    asked["asset_selection"] = [lab.wanted.key(name) for name in tables]
    assert lab.run("summarize", **asked).success
    for name in ("checkpoint", "history", "coarseness", *tables):  # as that version did: no study in the key
        for record in lab.instance.fetch_materializations(lab.wanted.key(name), limit=10).records:
            told = record.asset_materialization
            event = dg.AssetMaterialization(name.split("/"), partition=told.partition, tags=told.tags)
            lab.instance.report_runless_asset_event(event)
        lab.instance.wipe_assets([lab.wanted.key(name)])
    before = written(lab)
    assert len(before) > 2 * len(ALL)
    assert disagreements(lab) == [], "what the old events recorded is known"
    assert not lab.done("coarseness")
    do(lab)
    assert lab.run("summarize", **asked).success
    assert written(lab) == before
    assert lab.done("coarseness") == {cell_key(V1, epoch) for epoch in ALL}
    assert lab.done(tables[0]) == lab.done(tables[1]) == {V1}
    assert disagreements(lab) == []


def test_comparisons_of_two_studies_are_two_files_and_old_ones_are_where_they_were(lab: Lab) -> None:
    other = lab.with_study(name="other", variants=[V2])

    def compare(of: Lab, folder: str | None) -> None:
        configs = [of.wanted.family.parse_variant(key) for key in of.wanted.variants]
        written = write_comparison(lab.store, of.wanted.family, configs, folder=folder)
        version = DataVersion("spec", "input", short(written.sha256))
        told = tags(version, code_version="1", inputs=[])
        lab.instance.report_runless_asset_event(
            dg.AssetMaterialization(of.wanted.key("summaries/comparison"), tags=told)
        )

    compare(lab, None)
    assert disagreements(lab) == [], "an earlier version wrote it for the study"
    compare(other, None)
    (lost,) = disagreements(lab)
    assert lost == "no file it is recorded, but the store has no such file", "overwritten, for tiny"
    for each in (lab, other):
        compare(each, each.wanted.study.folder)
    assert disagreements(lab) == []
    tables = {folder: len(lab.store.read_table(TableAddress(lab.wanted.family.name, folder, "comparison")))
              for folder in lab.store.comparison_folders(lab.wanted.family.name)}  # fmt: skip
    assert tables == {"_comparison": 1, "_comparison.other": 1, "_comparison.tiny": 2}
