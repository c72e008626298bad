"""All definitions of a study at a glance: what is there, how it hangs together, how it is described."""

import difflib
from pathlib import Path

import dagster as dg
import pytest
import snapshot
from lab import V1, tiny_study
from tiny_variant import TINY

from tdw.making.comparison import write_comparison
from tdw.store import Store, TableAddress
from tdw.store.layout import COMPARISON
from tdw_assets.build import build_defs
from tdw_resources.wanted import WantedAssets


@pytest.fixture(scope="module")
def wanted() -> WantedAssets:
    return WantedAssets.of(tiny_study())


@pytest.fixture(scope="module")
def specs(wanted: WantedAssets) -> dict[str, dg.AssetSpec]:
    return {"/".join(spec.key.path[1:]): spec for spec in build_defs(wanted).resolve_all_asset_specs()}


def test_the_assets_are_those_of_the_requirements(
    specs: dict[str, dg.AssetSpec], wanted: WantedAssets
) -> None:
    assert {"checkpoint", "history", *wanted.analyzers} <= set(specs)
    assert {
        "neuron_activations", "attention_patterns", "dominant_frequencies", "neuron_frequencies",
        "downsampled_activations", "coarseness", "coarseness_stats",
    } <= set(specs)  # fmt: skip
    assert {"summaries/coarseness", "summaries/grokking", "plots/training_curves"} <= set(specs)
    assert "plots/mean_coarseness" in specs and "summaries/comparison" in specs
    assert {"reports/study_report", "reports/comparison_report"} <= set(specs)


def test_each_is_described_owned_grouped_and_versioned(specs: dict[str, dg.AssetSpec]) -> None:
    for name, spec in specs.items():
        assert spec.description and len(spec.description) > 60, name
        assert spec.owners == ["team:training-dynamics"], name
        assert spec.kinds and spec.code_version and spec.group_name, name
        assert spec.group_name.startswith("tiny/"), name


def test_cells_are_partitioned_by_variant_and_epoch_and_tables_by_variant(
    specs: dict[str, dg.AssetSpec], wanted: WantedAssets
) -> None:
    cells = specs["checkpoint"].partitions_def
    assert isinstance(cells, dg.MultiPartitionsDefinition)
    assert all(specs[name].partitions_def == cells for name in wanted.analyzers)
    epochs = next(of.partitions_def for of in cells.partitions_defs if of.name == "epoch")
    assert epochs.get_partition_keys() == ["00000", "00002", "00004", "00006"]
    for name in ("history", "summaries/coarseness", "plots/training_curves"):
        by_variant = specs[name].partitions_def
        assert isinstance(by_variant, dg.DynamicPartitionsDefinition) and by_variant.name == "tiny_variants"
    assert specs["summaries/comparison"].partitions_def is None
    assert specs["reports/comparison_report"].partitions_def is None


def test_work_flows_from_checkpoints_down(specs: dict[str, dg.AssetSpec]) -> None:
    def needs(name: str) -> set[str]:
        return {"/".join(dep.asset_key.path[1:]) for dep in specs[name].deps}

    assert not needs("checkpoint")
    assert needs("coarseness") == {"checkpoint"}
    assert needs("coarseness_stats") == {"checkpoint", "coarseness"}
    assert needs("summaries/coarseness") == {"coarseness_stats"}
    assert needs("summaries/grokking") == {"history"}
    assert "summaries/coarseness" in needs("plots/mean_coarseness")


def test_a_study_with_few_analyzers_has_no_table_that_it_can_not_make() -> None:
    few = WantedAssets.of(tiny_study(analyzers=["dominant_frequencies"]))
    names = {"/".join(spec.key.path[1:]) for spec in build_defs(few).resolve_all_asset_specs()}
    assert "summaries/grokking" in names and "summaries/coarseness" not in names
    assert "plots/mean_coarseness" not in names


def test_every_asset_is_checked(wanted: WantedAssets, specs: dict[str, dg.AssetSpec]) -> None:
    by_asset: dict[str, set[str]] = {}
    for key in build_defs(wanted).resolve_asset_graph().asset_check_keys:
        by_asset.setdefault("/".join(key.asset_key.path[1:]), set()).add(key.name)
    assert set(by_asset) == set(specs)
    assert by_asset.pop("history") == {"files_sound"}
    for name, checks in by_asset.items():
        of_cells = {"files_present", "schedule_covered", "files_sound"}
        assert checks == ({"up_to_date", "files_sound"} if "/" in name else of_cells), name


def test_every_asset_links_to_the_code_that_makes_it(specs: dict[str, dg.AssetSpec]) -> None:
    for name, spec in specs.items():
        (place,) = spec.metadata["dagster/code_references"].code_references
        function = place.label.rpartition(".")[2]
        lines = Path(place.file_path).read_text().splitlines()[place.line_number - 1 :]
        assert any(f"def {function}(" in line for line in lines[:3]), name


def test_a_narrowed_grid_holds_what_was_asked_for_alone(wanted: WantedAssets) -> None:
    some = wanted.narrow(variants=[V1], epochs=[1, 3])
    assert (some.variants, some.epochs) == ((V1,), (1, 3))


def test_the_comparison_is_two_tables_and_there_only_with_both(
    wanted: WantedAssets, tiny_store: Store
) -> None:
    write_comparison(tiny_store, wanted.family, [wanted.family.parse_variant(TINY)], early_epoch=10)
    comparison = wanted.product("summaries/comparison")
    assert comparison.exists(wanted.family.name, tiny_store, COMPARISON)
    assert not comparison.exists(wanted.family.name, tiny_store, wanted.study.folder)
    Path(tiny_store.path(TableAddress(wanted.family.name, None, "associations"))).unlink()
    assert not comparison.exists(wanted.family.name, tiny_store, COMPARISON)


def test_the_definitions_are_those_of_the_snapshot() -> None:
    found, kept = snapshot.describe().splitlines(), snapshot.FILE.read_text().splitlines()
    changes = "\n".join(difflib.unified_diff(kept, found, "definitions.txt", "the code", lineterm="", n=0))
    assert not changes, f"if this is meant, run `make snapshot` and commit the file:\n{changes}"
