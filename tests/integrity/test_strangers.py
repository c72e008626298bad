"""What others have put into a store is ignored everywhere, and `verify` lists it as not ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_variant import TINY

import tdw
from tdw.exchange.bundle import export_bundle
from tdw.families import get_family
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.making.tables import summarize
from tdw.store import Store

FAMILY = get_family("modulo_addition_1layer")
FILES = ("Thumbs.db", ".DS_Store", "notes.bak")


def invite(store: Store) -> set[str]:
    """Strangers at every place of a store; their paths."""
    family = store.root / FAMILY.name
    variant = family / TINY
    made: list[Path] = []
    for name in ("locks", "plots", "summaries"):
        (variant / name).mkdir(exist_ok=True)
    (variant / "plots" / "training_curves").mkdir()
    for folder in (store.root, family, variant, *variant.iterdir(), variant / "plots" / "training_curves"):
        if folder.name != "locks" and folder.is_dir():
            for name in FILES:
                (folder / name).write_bytes(b"mine")
                made.append(folder / name)
    for folder in (store.root, family, variant, variant / "plots"):
        (folder / "lost+found").mkdir()
        made.append(folder / "lost+found")
    (variant / "plots" / "manifest.json").mkdir()
    (variant / "plots" / "manifest.json" / "x").write_bytes(b"mine")
    made.append(variant / "plots" / "manifest.json" / "x")
    (family / "p8_s1_d598").mkdir()
    (family / "p5_s1_d598").write_bytes(b"no folder")
    made += [family / "p8_s1_d598", family / "p5_s1_d598"]
    shutil.copytree(variant, family / f"{TINY} (copy)")
    shutil.copytree(variant, family / f"{TINY}.bak")
    made += [family / f"{TINY} (copy)", family / f"{TINY}.bak"]
    shutil.copytree(variant / "coarseness", variant / "coarseness (copy)")
    made.append(variant / "coarseness (copy)")
    for name in ("00010 (copy).safetensors", "000010.safetensors", "00010.safetensors.bak"):
        shutil.copy(variant / "coarseness" / "00010.safetensors", variant / "coarseness" / name)
        made.append(variant / "coarseness" / name)
    for name in ("grokking (copy).parquet", "grokking.bak.parquet"):
        (variant / "summaries" / name).write_bytes(b"a copy")
        made.append(variant / "summaries" / name)
    shutil.copytree(variant / "neuron_frequencies", variant / "neuron_frequencies.bak")
    made += list((variant / "neuron_frequencies.bak").iterdir())
    return set(map(str, made))


def test_verify_lists_every_stranger_as_not_ours_and_repair_touches_none(tiny_store: Store) -> None:
    strangers = invite(tiny_store)
    findings = [checked.finding for checked in verify(tiny_store) if checked.finding]
    assert {finding.problem for finding in findings} == {"not ours"}
    assert {finding.path for finding in findings} == strangers
    assert {one.done for one in repair(tiny_store, findings)} == {"left"}
    assert all(Path(path).exists() for path in strangers)


def test_the_notebook_opens_a_store_with_strangers(tiny_store: Store) -> None:
    summarize(tiny_store, FAMILY, FAMILY.parse_variant(TINY), "coarseness")
    before = tdw.open(tiny_store).table(), tdw.open(tiny_store).report().markdown
    invite(tiny_store)
    workbench = tdw.open(tiny_store)
    assert workbench.variants() == [TINY]
    assert TINY in workbench._repr_html_()
    assert workbench.table().equals(before[0])
    assert workbench.report().markdown == before[1]
    assert tiny_store.epochs(FAMILY.name, TINY, "coarseness") == [0, 10, 20]
    with pytest.raises(tdw.errors.BadConfig):
        workbench.variant(f"{TINY} (copy)")


def test_an_export_takes_no_stranger_along(tiny_store: Store, tmp_path: Path) -> None:
    plain = export_bundle(tiny_store, FAMILY, [TINY], tmp_path / "plain.tar")
    invite(tiny_store)
    assert export_bundle(tiny_store, FAMILY, [TINY], tmp_path / "with.tar").sha256 == plain.sha256


def test_a_new_version_of_a_plot_deletes_no_folder_of_others(tiny_store: Store) -> None:
    from tdw.store import Provenance

    provenance = Provenance(family=FAMILY.name, variant=TINY, name="mean", code_version="1")
    tiny_store.write_document(FAMILY.name, TINY, "mean", files={"a": b"1"}, provenance=provenance)
    mine = tiny_store.document_folder(FAMILY.name, TINY, "mean") / "mine"
    mine.mkdir()
    tiny_store.write_document(FAMILY.name, TINY, "mean", files={"a": b"2"}, provenance=provenance)
    assert mine.is_dir() and len([p for p in mine.parent.iterdir() if p.is_dir()]) == 2


def test_the_first_page_and_status_of_a_store_with_strangers(
    tiny_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from starlette.testclient import TestClient

    from tdw_workbench.cli import main
    from tdw_workbench.web.app import standalone
    from tdw_workbench.web.http.settings import Settings

    monkeypatch.setenv("DAGSTER_HOME", "")
    invite(tiny_store)
    study = tmp_path / "study.yaml"
    study.write_text(f"variants: [{TINY}]\nepochs: 20\ncheckpoints: [0, 10, 20]\n")
    client = TestClient(standalone(Settings(str(tiny_store.root), (study,))), base_url="http://localhost")
    page = client.get("/tdw/")
    assert page.status_code == 200 and TINY in page.text and "(copy)" not in page.text
    assert client.get(f"/tdw/explorer/{FAMILY.name}/{TINY}.bak").status_code == 404
    places = ["--study", str(study), "--store", str(tiny_store.root)]
    assert main(["status", *places]) == 0
    assert main(["export", str(tmp_path / "all.tar"), *places]) == 0
    capsys.readouterr()
