"""Training and analysis through Dagster on a tiny variant: what is done, recorded, skipped and reported."""

from pathlib import Path

import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from lab import V1, V2, Lab

from tdw.making.artifacts import analyze
from tdw.store import Address
from tdw.store.on_demand import find_arrays
from tdw.training.loop import train
from tdw_resources import links
from tdw_resources.dagster_internals import RANGE_END, RANGE_START
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.events.records import inventory_of

ALL = (0, 2, 4, 6)

EXPLORED = (
    "neuron_activations",
    "downsampled_activations",
    "attention_patterns",
    "coarseness",
    "neuron_frequencies",
    "scale_profiles",
)


def gaps(lab: Lab, variant: str = V1):
    return inventory_of(lab.wanted, lab.instance, lab.store).gaps_of(variant)


def keys(*epochs: int, variant: str = V1) -> list[str]:
    return [cell_key(variant, epoch) for epoch in epochs]


def train_and_analyze(lab: Lab) -> None:
    assert lab.fill("train", V1, {"checkpoint": ALL}).success
    assert lab.fill("analyze", V1, dict.fromkeys(lab.wanted.analyzers, ALL)).success


def test_a_variant_is_trained_and_analyzed_cell_by_cell(lab: Lab) -> None:
    train_and_analyze(lab)
    assert lab.events("checkpoint") == keys(*ALL)
    assert lab.events("history") == [V1]
    for name in lab.wanted.analyzers:
        assert lab.events(name) == keys(*ALL)
        assert lab.store.epochs(lab.wanted.family.name, V1, name) == list(ALL)
    found = gaps(lab)
    assert not found.to_train() and not found.to_analyze()
    record = lab.instance.fetch_materializations(lab.wanted.key("coarseness_stats"), limit=1).records[0]
    metadata = record.asset_materialization.metadata
    assert {"mean_coarseness", "num_blob_neurons_0.7", "nbytes", "seconds", "checkpoint_fingerprint"} <= set(
        metadata
    )


def test_what_the_explorer_shows_leads_to_it(lab: Lab) -> None:
    train_and_analyze(lab)
    page = links.explorer_page(lab.wanted.family.name, V1)
    for name in lab.wanted.analyzers:
        (record, *_) = lab.instance.fetch_materializations(lab.wanted.key(name), limit=1).records
        link = record.asset_materialization.metadata.get("explorer")
        assert (link.value if link else None) == (page if name in EXPLORED else None), name
    assert set(lab.wanted.analyzers) >= set(EXPLORED)


def test_a_second_run_over_the_same_cells_does_and_records_nothing(lab: Lab) -> None:
    train_and_analyze(lab)
    train_and_analyze(lab)
    assert lab.events("checkpoint") == keys(*ALL)
    assert lab.events("history") == [V1]
    assert lab.events("coarseness") == keys(*ALL)


def test_only_the_gaps_of_a_scattered_pattern_are_computed(lab: Lab) -> None:
    assert lab.fill("train", V1, {"checkpoint": (0, 4)}).success
    found = gaps(lab)
    assert found.to_train() == (2, 6)
    assert set(found.to_analyze()) == set(lab.wanted.analyzers)
    assert found.to_analyze()["coarseness"] == (0, 4), "only what has a checkpoint can be analyzed"
    assert lab.fill("analyze", V1, {"coarseness": (4,), "neuron_activations": (0, 4)}).success
    assert lab.events("coarseness") == keys(4)
    assert lab.events("neuron_activations") == keys(0, 4)


def test_a_range_from_the_ui_computes_green_cells_again(lab: Lab) -> None:
    train_and_analyze(lab)
    chosen = {RANGE_START: cell_key(V1, 2), RANGE_END: cell_key(V1, 4)}
    assert lab.run("train", tags=chosen).success
    assert lab.events("checkpoint") == keys(*ALL, 2, 4)
    coarseness = lab.wanted.key("coarseness")
    assert lab.run("analyze", asset_selection=[coarseness], tags=chosen).success
    assert lab.events("coarseness") == keys(*ALL, 2, 4)
    assert not gaps(lab).to_analyze(), "the same bits are the same version: nothing below is out of date"


def test_one_partition_from_the_ui_works(lab: Lab) -> None:
    assert lab.run("train", partition_key=cell_key(V1, 2)).success
    assert lab.events("checkpoint") == keys(2)


def test_a_range_spans_a_rectangle_of_variants_and_epochs(lab: Lab) -> None:
    assert lab.run("train", tags={RANGE_START: cell_key(V1, 2), RANGE_END: cell_key(V2, 4)}).success
    assert lab.done("checkpoint") == {*keys(2, 4), *keys(2, 4, variant=V2)}


def test_a_reversed_range_is_refused_and_records_nothing(lab: Lab) -> None:
    result = lab.run("train", tags={RANGE_START: cell_key(V1, 4), RANGE_END: cell_key(V1, 0)})
    assert not result.success
    assert "its end comes before its start" in str(result.failure_data_for_node("tiny_train_checkpoints"))
    assert lab.instance.get_latest_materialization_event(lab.wanted.checkpoint) is None


def test_a_retry_leaves_alone_what_the_run_before_it_has_done(lab: Lab) -> None:
    train_and_analyze(lab)
    chosen = {RANGE_START: cell_key(V1, 0), RANGE_END: cell_key(V1, 6)}
    coarseness = lab.wanted.key("coarseness")
    address = Address(lab.wanted.family.name, V1, "checkpoints", 6)
    saved = Path(lab.store.path(address)).read_bytes()
    lab.store.delete(address)
    failed = lab.run("analyze", asset_selection=[coarseness], tags=chosen)
    assert not failed.success, "epoch 6 has no checkpoint now"
    assert lab.events("coarseness") == keys(*ALL, 0, 2, 4)
    Path(lab.store.path(address)).write_bytes(saved)
    root = failed.dagster_run.run_id
    retry = lab.run(
        "analyze",
        asset_selection=[coarseness],
        tags={**chosen, "dagster/root_run_id": root, "dagster/parent_run_id": root},
    )
    assert retry.success
    assert lab.events("coarseness") == keys(*ALL, 0, 2, 4, 6)


def test_failed_cells_are_named_and_the_others_are_done(lab: Lab) -> None:
    assert lab.fill("train", V1, {"checkpoint": ALL}).success
    path = Path(lab.store.path(Address(lab.wanted.family.name, V1, "checkpoints", 4)))
    path.write_bytes(path.read_bytes()[:-1])
    result = lab.fill("analyze", V1, {"coarseness": ALL, "dominant_frequencies": ALL})
    assert not result.success
    message = str(result.failure_data_for_node("tiny_analyze_checkpoints"))
    assert "2 of 8 failed" in message and str(path) in message
    assert lab.done("coarseness") == set(keys(0, 2, 6))
    assert lab.failed("coarseness") == set(keys(4)), "untouched green cells stay green"


def test_what_the_library_made_alone_is_checked_and_recorded_not_computed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lab.wanted.family.parse_variant(V1)
    for _ in train(config, store=lab.store, checkpoints=ALL, device="cpu", state_every=3, test_every=2):
        pass
    assert gaps(lab).checkpoint.unrecorded == ALL
    for cell in analyze(
        lab.store, lab.wanted.family, config, {"coarseness": ALL[:2], "coarseness_stats": ALL[:1]}
    ):
        assert cell.error is None
    assert lab.fill("train", V1, {"checkpoint": ALL}).success
    assert lab.events("checkpoint") == keys(*ALL)
    files = {path: path.stat().st_mtime_ns for path in Path(lab.store.root).rglob("*.safetensors")}
    assert lab.fill("analyze", V1, {"coarseness": ALL, "coarseness_stats": ALL}).success
    assert lab.done("coarseness") == set(keys(*ALL))
    assert all(path.stat().st_mtime_ns == then for path, then in files.items()), "no file was written again"
    records = lab.instance.fetch_materializations(lab.wanted.key("coarseness"), limit=10).records
    adopted = {r.partition_key for r in records if "adopted" in r.asset_materialization.metadata}
    assert adopted == set(keys(0, 2))


def test_a_damaged_file_without_event_is_computed_again(lab: Lab) -> None:
    assert lab.fill("train", V1, {"checkpoint": ALL}).success
    config = lab.wanted.family.parse_variant(V1)
    for _ in analyze(lab.store, lab.wanted.family, config, {"coarseness": (2,)}):
        pass
    path = Path(lab.store.path(Address(lab.wanted.family.name, V1, "coarseness", 2)))
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    assert lab.fill("analyze", V1, {"coarseness": (2,)}).success
    lab.store.read(Address(lab.wanted.family.name, V1, "coarseness", 2))


def test_a_deleted_file_is_a_gap_although_its_event_remains(lab: Lab) -> None:
    train_and_analyze(lab)
    lab.store.delete(Address(lab.wanted.family.name, V1, "coarseness", 2))
    lab.store.delete(Address(lab.wanted.family.name, V1, "checkpoints", 4))
    assert gaps(lab).to_train() == (4,)
    assert gaps(lab).to_analyze() == {"coarseness": (2,)}
    assert lab.fill("train", V1, {"checkpoint": (4,)}).success
    assert lab.fill("analyze", V1, {"coarseness": (2,)}).success
    assert not gaps(lab).to_train() and not gaps(lab).to_analyze()


def test_a_changed_parameter_makes_cells_out_of_date_down_the_line(lab: Lab) -> None:
    train_and_analyze(lab)
    changed = lab.with_study(
        analyzers={name: {} for name in lab.wanted.analyzers} | {"coarseness": {"radius_fraction": 0.25}}
    )
    found = gaps(changed)
    assert found.analyzers["coarseness"].out_of_date == ALL
    assert found.analyzers["coarseness_stats"].out_of_date == ALL
    assert not found.analyzers["neuron_frequencies"].out_of_date
    assert not found.to_analyze(out_of_date=False)
    assert changed.fill("analyze", V1, found.to_analyze()).success
    assert not gaps(changed).to_analyze()


def test_a_checkpoint_with_other_weights_makes_its_cells_out_of_date(lab: Lab) -> None:
    train_and_analyze(lab)
    lab.record_checkpoint_as_changed(V1, 4)
    found = gaps(lab)
    assert {name: asset.out_of_date for name, asset in found.analyzers.items()} == dict.fromkeys(
        lab.wanted.analyzers, (4,)
    )


def test_dagsters_own_staleness_is_exact(lab: Lab) -> None:
    train_and_analyze(lab)

    def stale(names: tuple[str, ...] = lab.wanted.analyzers) -> set[tuple[str, int]]:
        graph = lab.defs.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(lab.instance, graph, LoadingContextForTest(lab.instance))
        return {
            (name, epoch)
            for name in names
            for epoch in ALL
            if resolver.get_status(lab.wanted.key(name), cell_key(V1, epoch)) is not StaleStatus.FRESH
        }

    assert stale() == set()
    lab.record_checkpoint_as_changed(V1, 4)
    assert stale() == {(name, 4) for name in lab.wanted.analyzers}


def test_a_variant_that_the_family_does_not_know_is_refused(lab: Lab) -> None:
    result = lab.fill("train", "p8_s1_d598", {"checkpoint": (0,)})
    assert not result.success
    assert "odd prime" in str(result.failure_data_for_node("tiny_train_checkpoints"))


def test_a_study_that_keeps_few_maps_records_the_same_and_brings_back_what_a_person_asks_for(
    lab: Lab,
) -> None:
    maps, family = "neuron_activations", lab.wanted.family.name
    train_and_analyze(lab)
    before = gaps(lab).cells[maps].recorded
    few = lab.with_study(keep={maps: "on_demand"})
    for epoch in ALL:
        lab.store.delete(Address(family, V1, maps, epoch))
    assert few.fill("analyze", V1, {maps: ALL}).success
    assert find_arrays(lab.store, family, V1, maps).kept == {}
    found = gaps(few)
    assert found.cells[maps].recorded == before  # content and all
    assert not found.to_analyze() and not found.cells[maps].lost
    chosen = {RANGE_START: cell_key(V1, 2), RANGE_END: cell_key(V1, 4)}
    assert few.run("analyze", asset_selection=[lab.wanted.key(maps)], tags=chosen).success
    assert set(find_arrays(lab.store, family, V1, maps).kept) == {2, 4}
    assert gaps(few).cells[maps].recorded == before
