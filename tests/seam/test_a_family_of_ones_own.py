"""F1: a family without p, pairs, neurons and a test set goes all the way, with no edit in the library."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import dagster as dg
import numpy as np
import pytest
from safetensors.numpy import load
from starlette.testclient import TestClient

import tdw
from tdw.errors import BadConfig
from tdw.exchange.bundle import export_bundle
from tdw.exchange.import_checkpoints import import_bundle
from tdw.integrity.verify import verify
from tdw.making.artifacts import analyze
from tdw.notebook.make import make_variant
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store, TableAddress
from tdw.study import Study, load_study
from tdw.training.loop import train
from tdw_assets.build import build_defs
from tdw_assets.cells.partitions import register_variants
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings

FOLDER = Path(__file__).parent / "tiny_bigram"
KEYS = ("v5_s0", "v5_s1")
STUDY = f"""\
family: {FOLDER}
variants: [{{vocab: 5, seed: 0}}, {{vocab: 5, seed: 1}}]
epochs: 20
checkpoints: ["0:20:5"]
early_epoch: 5
training: {{state_every: 10, test_every: 5}}
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "bigrams.yaml").write_text(STUDY)
    return load_study(tmp_path / "bigrams.yaml")


@pytest.fixture
def made(study: Study, tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    for config in study.configs:
        make_variant(store, study.family_declaration, config, study.checkpoints)
    return store


def test_a_study_names_it_by_its_folder_and_carries_it_to_other_processes(study: Study) -> None:
    assert study.family == "tiny_bigram" and study.variant_keys == KEYS
    assert list(study.analyzers) == ["entropy"]
    again = Study.model_validate(study.model_dump(mode="json"), strict=False)
    assert again.family_declaration is study.family_declaration
    assert study.fingerprint == again.fingerprint


def test_replay_from_any_state_gives_the_same_bits_though_every_step_draws_a_fresh_batch(
    study: Study, tmp_path: Path
) -> None:
    (config, _) = study.configs
    whole, parts = Store(tmp_path / "whole"), Store(tmp_path / "parts")
    list(train(config, store=whole, checkpoints=range(21), state_every=7))
    for asked in ([20], [3, 11], range(21)):
        list(train(config, store=parts, checkpoints=asked, state_every=7))
    for epoch in range(21):
        address = Address("tiny_bigram", config.key, "checkpoints", epoch)
        assert whole.path(address).read_bytes() == parts.path(address).read_bytes()
    history = whole.read_table(TableAddress("tiny_bigram", config.key, "history"))
    assert list(history.columns) == ["epoch", "train_loss"]


def test_artifacts_tables_and_notebook_api_need_no_field_of_another_family(made: Store) -> None:
    workbench = tdw.open(made)
    assert workbench.variants() == list(KEYS)
    v = workbench.variant("v5_s0")
    assert v.at(20).artifact("entropy")["entropy"].shape == (5,)
    assert v.summary("entropy")["epoch"].tolist() == [0, 5, 10, 15, 20]
    assert v.plot("training_curves").layout.title.text.startswith("Training")
    assert len(v.plot("entropy").data) == 1
    assert workbench.table()["final_entropy"].notna().all()
    assert "v5_s0" in v._repr_html_() and "entropy" in v.at(5)._repr_html_()
    with pytest.raises(BadConfig, match="no TransformerLens model"):
        v.at(20).transformer_lens()


def test_its_report_says_nothing_of_other_studies(made: Store) -> None:
    report = tdw.open(made).report(early_epoch=5, last_epoch=20)
    words = report.markdown.lower()
    assert "v5_s0" in words
    assert not [word for word in ("blob", "residue", "p=101", "w_e", "coarse", "grok") if word in words]


def test_verify_export_and_import_know_its_weights(made: Store, study: Study, tmp_path: Path) -> None:
    assert [checked.finding for checked in verify(made) if checked.finding] == []
    bundle = tmp_path / "bundle.tar"
    export_bundle(made, study.family_declaration, list(KEYS), bundle)
    other = Store(tmp_path / "other")
    import_bundle(other, bundle)
    address = Address("tiny_bigram", "v5_s1", "checkpoints", 20)
    assert other.path(address).read_bytes() == made.path(address).read_bytes()


def test_dagster_trains_analyzes_draws_and_compares_it(study: Study, tmp_path: Path) -> None:
    wanted, store = WantedAssets.of(study), Store(tmp_path / "store")
    resources = {"store": StoreResource(root=str(store.root))}
    with dg.DagsterInstance.ephemeral() as instance:
        register_variants(wanted, instance, wanted.variants)
        defs = build_defs(wanted, resource_overrides=resources)
        assert wanted.checkpoint in defs.resolve_asset_graph().get_all_asset_keys()
        for job, keys in (
            ("train", [f"{epoch:05d}|{key}" for key in KEYS for epoch in study.epoch_list]),
            ("analyze", [f"{epoch:05d}|{key}" for key in KEYS for epoch in study.epoch_list]),
            ("summarize", list(KEYS)),
            ("compare", [None]),
        ):
            for key in keys:
                done = defs.resolve_job_def(wanted.named(job)).execute_in_process(
                    instance=instance, partition_key=key
                )
                assert done.success, (job, key)
    for key in KEYS:
        assert store.exists(TableAddress("tiny_bigram", key, "entropy"))
        assert store.read_document("tiny_bigram", key, "training_curves").files
    assert list(store.read_table(TableAddress("tiny_bigram", study.folder, "comparison"))["variant"]) == list(
        KEYS
    )


def test_the_first_page_shows_its_columns_and_its_plots_only(made: Store, tmp_path: Path) -> None:
    settings = Settings(str(made.root), studies=(tmp_path / "bigrams.yaml",))
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    page = client.get("/tdw/").text
    assert "Tiny bigram" in page and "nats</td>" in page
    assert f"/tdw/view/plot/tiny_bigram/{KEYS[0]}/entropy" in page
    assert "coarseness" not in page and "Neuron explorer" not in page
    assert client.get(f"/tdw/view/plot/tiny_bigram/{KEYS[0]}/training_curves").status_code == 200
    assert f"/tdw/explorer/tiny_bigram/{KEYS[0]}" in page and "Token explorer" in page


def test_its_explorer_is_served_with_its_scripts_and_its_slices(made: Store, tmp_path: Path) -> None:
    settings = Settings(str(made.root), studies=(tmp_path / "bigrams.yaml",))
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    here = f"tiny_bigram/{KEYS[0]}"
    page = client.get(f"/tdw/explorer/{here}").text
    script = re.search(r'src="(/tdw/static/\w+/families/tiny_bigram/main.js)"', page)
    assert script and "Token explorer" in page and 'id="epoch"' in page
    answer = client.get(script[1])
    assert "immutable" in answer.headers["cache-control"] and "fetchSlice" in answer.text
    for shared in re.findall(r'from "([^"]+)"', answer.text):
        assert client.get(urljoin(script[1], shared)).status_code == 200, shared
    assert client.get(script[1].replace("main.js", "page.html")).status_code == 404
    told = client.get(f"/tdw/api/explorer/{here}").json()
    assert told["lengths"] == {"vocab": 5} and told["have"] == {"entropy": [0, 5, 10, 15, 20]}
    found = load(client.get(f"/tdw/api/tokens/{here}?tokens=4,1").content)
    stored = made.read(Address("tiny_bigram", KEYS[0], "entropy", 15)).arrays["entropy"]
    np.testing.assert_array_equal(found["entropy"][3], stored[[4, 1]].astype(np.float32))
    for wrong, status in (("tokens=5", 400), ("tokens=0,1,2,3", 400), ("tokens=0&size=3", 400)):
        assert client.get(f"/tdw/api/tokens/{here}?{wrong}").status_code == status, wrong
    assert client.get(f"/tdw/api/tokens/{here}/20?tokens=0").status_code == 404
    assert client.get(f"/tdw/api/metrics/{here}").status_code == 404


def test_an_explorer_that_reads_what_is_not_there_is_refused(study: Study) -> None:
    family = study.family_declaration
    explorer = family.explorer
    assert explorer is not None
    (recipe,) = explorer.slices.values()
    for name, needs, said in (
        ("tokens", ("attention",), "needs attention"),
        ("explorer", ("entropy",), "slice"),
    ):
        broken = replace(explorer, slices={name: replace(recipe, needs=needs)})
        with pytest.raises(BadConfig, match=said):
            catalog_of(replace(family, explorer=broken))


def test_a_cell_that_fails_stops_no_other(study: Study, made: Store) -> None:
    family, (config, _) = study.family_declaration, study.configs
    results = list(analyze(made, family, config, {"entropy": [0, 7]}))
    assert [result.error is None for result in results] == [True, False]
    assert catalog_of(family).analyzer_names == ("entropy",)


def test_a_folder_without_a_family_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "study.yaml").write_text("family: ./broken\nvariants: []\n")
    with pytest.raises(BadConfig, match="no family there"):
        load_study(tmp_path / "study.yaml")
    (tmp_path / "broken" / "__init__.py").write_text("FAMILY = 1 / 0\n")
    with pytest.raises(BadConfig, match=r"study.yaml:1: family: .*ZeroDivisionError"):
        load_study(tmp_path / "study.yaml")
    assert "tdw_family_broken" not in sys.modules
