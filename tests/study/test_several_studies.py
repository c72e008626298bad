"""Several studies together: what is refused before anything starts, and what each has of its own."""

import os
from pathlib import Path

import dagster as dg
import pytest

from tdw.errors import BadConfig
from tdw.study import Study, load_studies, parse_study
from tdw_assets.build import build_defs
from tdw_assets.cells.partitions import register_variants, registered_variants
from tdw_resources.places import find_places
from tdw_resources.wanted import WantedAssets

BASE = {
    "variants": ["p7_s1_d598", "p7_s2_d598"],
    "epochs": 6,
    "checkpoints": [0, 6],
    "analyzers": ["coarseness"],
}
OTHER = {"analyzers": {"coarseness": {"radius_fraction": 0.25}}}


def study(name: str, **changes: object) -> Study:
    return parse_study({**BASE, "name": name, **changes})


def test_each_study_has_keys_jobs_ops_groups_sensor_and_schedules_of_its_own() -> None:
    first, second = (
        WantedAssets.of(study("one")),
        WantedAssets.of(study("the-other", variants=["p7_s2_d598"], checkpoints=[0, 2])),
    )
    defs = build_defs(first, second)
    keys = {key.path[0] for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert keys == {"one", "the_other"}
    assert {spec.group_name.split("/")[0] for spec in defs.resolve_all_asset_specs()} == keys
    repository = defs.get_repository_def()
    jobs = [job.name for job in repository.get_all_jobs() if not job.name.startswith("__")]
    names = [*jobs, *(each.name for each in (*repository.sensor_defs, *repository.schedule_defs))]
    assert len(names) == len(set(names)) and all(name.startswith(("one_", "the_other_")) for name in names)
    assert {"one_train", "the_other_train", "one_reconcile", "the_other_nightly_compare"} <= set(names)
    checks = repository.get_job("the_other_check").asset_layer.asset_graph.asset_check_keys
    assert {key.asset_key.path[0] for key in checks} == {"the_other"}
    assert repository.get_job("one_train").tags["tdw/study"] == "one"


def test_the_partitions_of_a_study_are_its_own() -> None:
    first, second = (
        WantedAssets.of(study("one")),
        WantedAssets.of(study("two", variants=["p7_s3_d598"], checkpoints=[0, 2])),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        register_variants(first, instance, first.variants)
        register_variants(second, instance, second.variants)
        register_variants(first, instance, ["p7_s9_d598"])
        assert registered_variants(first, instance) == (*first.variants, "p7_s9_d598")
        assert registered_variants(second, instance) == second.variants
    epochs = {
        name: build_defs(first, second).resolve_assets_def(dg.AssetKey([name, "checkpoint"])).partitions_def
        for name in ("one", "two")
    }
    assert epochs["one"] != epochs["two"]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (study("one"), "two studies are called one"),
        (
            study("other", analyzers={"coarseness": {"radius_fraction": 0.25}}),
            r"both have p7_s1_d598, and differ in radius_fraction of analyzer coarseness \(0.125 and 0.25\)",
        ),
        (study("other", training={"test_every": 5}), r"test_every of training \(10 and 5\)"),
    ],
)
def test_studies_that_do_not_go_together_are_refused(second: Study, words: str) -> None:
    with pytest.raises(BadConfig, match=words) as refused:
        build_defs(study("one"), second)
    assert refused.value.remedy


def test_names_that_are_one_name_in_dagster_are_refused() -> None:
    with pytest.raises(BadConfig, match=r"a-b and a\.b, which are one name in Dagster"):
        build_defs(study("a-b"), study("a.b"))


def test_other_parameters_are_fine_where_no_variant_is_shared() -> None:
    build_defs(study("one"), study("other", variants=["p7_s3_d598"], **OTHER))


def test_the_environment_names_several_study_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / "a:b" / "study.yaml", tmp_path / "c.yaml"]
    paths[0].parent.mkdir()
    text = "name: s{0}\nvariants: [p7_s{0}_d598]\nepochs: 6\ncheckpoints: [0, 6]\n"
    for at, path in enumerate(paths):
        path.write_text(text.format(at))
    places = find_places(str(tmp_path), study=[str(path) for path in paths])
    assert [each.name for each in load_studies(places.studies)] == ["s0", "s1"]
    monkeypatch.setenv("TDW_STUDY", str(paths[0]))
    assert find_places().studies == (paths[0],), "a colon may be part of a name"
    monkeypatch.setenv("TDW_STUDY", os.pathsep.join(["x.yaml", str(paths[1])]))
    assert find_places().studies == (Path("x.yaml").absolute(), paths[1])
    with pytest.raises(BadConfig, match="several studies are named"):
        _ = find_places().study
