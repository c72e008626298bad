"""One store under several studies, and under the event log of earlier versions: nothing is computed twice."""

from pathlib import Path

import dagster as dg
from lab import V1, V2, Lab

from tdw.integrity.against_records import compare_with_records
from tdw.integrity.verify import verify
from tdw.inventory.versions import DataVersion
from tdw.making.comparison import write_comparison
from tdw.store import TableAddress
from tdw.store.fingerprints import short
from tdw_assets.cells.partitions import register_variants
from tdw_assets.cells.wanted import cell_key
from tdw_assets.recording.event_records import read_contents
from tdw_resources.data_versions import tags

ALL = (0, 2, 4, 6)


def do(lab: Lab, epochs: tuple[int, ...] = ALL) -> None:
    register_variants(lab.grid, lab.instance, lab.grid.variants)
    assert lab.fill("train", V1, {"checkpoint": epochs}).success
    assert lab.fill("analyze", V1, {"coarseness": epochs}).success


def written(lab: Lab) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path(lab.store.root).rglob("*.safetensors")}


def disagreements(lab: Lab) -> list[str]:
    checked, recorded = list(verify(lab.store)), read_contents(lab.instance)
    found = compare_with_records(checked, lab.store, recorded, families=[lab.grid.family])
    return [f"{finding.problem} {finding.detail}" for finding in found]


def test_a_cell_made_for_one_study_is_adopted_by_another(lab: Lab) -> None:
    do(lab)
    before, other = written(lab), lab.with_study(name="other", checkpoints=[0, 4, 6], early_epoch=4)
    assert not other.done("checkpoint") and not other.done("coarseness")
    do(other, (0, 4, 6))
    assert written(lab) == before, "no file was written again"
    records = lab.instance.fetch_materializations(other.grid.key("coarseness"), limit=10).records
    assert all("adopted" in record.asset_materialization.metadata for record in records) and records
    assert disagreements(lab) == []
    lab.record_checkpoint_as_changed(V1, 4)
    (problem,) = disagreements(lab)
    assert "not as recorded" in problem and "study tiny has recorded" in problem


def test_a_store_and_log_of_an_earlier_version_are_taken_over(lab: Lab) -> None:
    do(lab)
    for name in ("checkpoint", "history", "coarseness"):  # as that version recorded them: no study in the key
        for record in lab.instance.fetch_materializations(lab.grid.key(name), limit=10).records:
            told = record.asset_materialization
            event = dg.AssetMaterialization([name], partition=told.partition, tags=told.tags)
            lab.instance.report_runless_asset_event(event)
        lab.instance.wipe_assets([lab.grid.key(name)])
    before = written(lab)
    assert disagreements(lab) == [], "what the old events recorded is known"
    assert not lab.done("coarseness")
    do(lab)
    assert written(lab) == before
    assert lab.done("coarseness") == {cell_key(V1, epoch) for epoch in ALL}
    assert disagreements(lab) == []


def test_comparisons_of_two_studies_are_two_files_and_old_ones_are_where_they_were(lab: Lab) -> None:
    other = lab.with_study(name="other", variants=[V2])

    def compare(of: Lab, folder: str | None) -> None:
        configs = [of.grid.family.parse_variant(key) for key in of.grid.variants]
        written = write_comparison(lab.store, of.grid.family, configs, folder=folder)
        version = DataVersion("spec", "input", short(written.sha256))
        told = tags(version, code_version="1", inputs=[])
        lab.instance.report_runless_asset_event(
            dg.AssetMaterialization(of.grid.key("summaries/comparison"), tags=told)
        )

    compare(lab, None)
    assert disagreements(lab) == [], "an earlier version wrote it for the study"
    compare(other, None)
    (lost,) = disagreements(lab)
    assert lost == "no file it is recorded, but the store has no such file", "overwritten, for tiny"
    for each in (lab, other):
        compare(each, each.grid.study.folder)
    assert disagreements(lab) == []
    tables = {folder: len(lab.store.read_table(TableAddress(lab.grid.family.name, folder, "comparison")))
              for folder in lab.store.comparison_folders(lab.grid.family.name)}  # fmt: skip
    assert tables == {"_comparison": 1, "_comparison.other": 1, "_comparison.tiny": 2}
