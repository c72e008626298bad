"""`tdw verify`: the store against itself and against the event log, both ways; repair leads to a fill."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from tdw.integrity.verify import verify
from tdw.store import Address, Store, TableAddress
from tdw.study import parse_study
from tdw_assets.build import build_defs
from tdw_assets.cells.partitions import register_variants
from tdw_resources.instance import open_instance
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets
from tdw_workbench.cli import main
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.fill.worker_process import run_variant

FAMILY, VARIANT = "modulo_addition_1layer", "p5_s1_d598"
EPOCHS = (0, 2, 4)


def fill(root: Path) -> list[str]:
    """What `tdw fill` does in its worker; errors, if any."""
    study = parse_study(
        {
            "name": "verify",
            "variants": [VARIANT],
            "epochs": 4,
            "checkpoints": list(EPOCHS),
            "analyzers": ["dominant_frequencies", "coarseness", "coarseness_stats"],
            "training": {"state_every": 2, "test_every": 2, "device": "cpu"},
        }
    )
    wanted = WantedAssets.of(study)
    home = root / ".dagster"
    request = FillRequest(study.model_dump(mode="json"), str(root), str(home), wanted.variants)
    defs = build_defs(wanted, resource_overrides={"store": StoreResource(root=str(root))})
    with open_instance(home) as instance:
        register_variants(wanted, instance, wanted.variants)
        return [
            done.error
            for variant in (VARIANT, ALL)
            for done in run_variant(request, variant, wanted=wanted, defs=defs, instance=instance)
            if done.error
        ]


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("filled") / "store"
    assert fill(root) == []
    return root


@pytest.fixture
def filled(_filled: Path, tmp_path: Path) -> Store:
    import shutil

    shutil.copytree(_filled, tmp_path / "store")
    return Store(tmp_path / "store")


def look(store: Store, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[tuple, str]]:
    """Exit code, and (kind, epoch) -> problem."""
    code = main(["verify", "--store", str(store.root), "--json", *options])
    said = json.loads(capsys.readouterr().out)
    return code, {(f["kind"], f["epoch"]): f["problem"] for f in said["findings"]}


def test_a_filled_store_agrees_with_its_event_log(filled: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert look(filled, capsys) == (0, {})
    assert main(["verify", "--store", str(filled.root)]) == 0
    assert "all sound" in capsys.readouterr().out


def test_files_gone_behind_dagsters_back_are_named_and_refilled(
    filled: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in filled.root.rglob("*.safetensors")}
    filled.delete(Address(FAMILY, VARIANT, "checkpoints", 2))
    filled.delete(Address(FAMILY, VARIANT, "coarseness", 4))
    filled.delete(TableAddress(FAMILY, VARIANT, "history"))
    assert look(filled, capsys) == (
        1,
        {
            ("checkpoints", 2): "no file",
            ("coarseness", 4): "no file",
            ("summaries/history", None): "no file",
            ("coarseness", 2): "orphan",
            ("coarseness_stats", 2): "orphan",
            ("dominant_frequencies", 2): "orphan",
        },
    )
    assert fill(filled.root) == []
    assert look(filled, capsys) == (0, {})
    assert {path: path.read_bytes() for path in filled.root.rglob("*.safetensors")} == before


def test_files_that_no_event_tells_of_are_named_and_recorded_by_a_fill(
    filled: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    shutil.rmtree(filled.root / ".dagster")
    assert look(filled, capsys) == (0, {})  # nothing to compare with: the files alone are sound
    with open_instance(filled.root / ".dagster"):
        pass
    code, found = look(filled, capsys)
    assert code == 1 and set(found.values()) == {"no event"}
    assert {("checkpoints", epoch) for epoch in EPOCHS} <= found.keys()
    assert fill(filled.root) == []
    assert look(filled, capsys) == (0, {})


def test_a_sound_file_with_other_content_than_recorded_is_found(
    filled: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    address = Address(FAMILY, VARIANT, "coarseness", 2)
    old = filled.read(address)
    old.arrays["neuron_gradient"][:] += 1
    filled.write(address, old.arrays, provenance=old.provenance)
    assert [c for c in verify(filled) if c.finding] == []
    assert look(filled, capsys) == (1, {("coarseness", 2): "not as recorded"})


@pytest.mark.parametrize(
    "relative",
    [
        "checkpoints/00002.safetensors",
        "coarseness/00004.safetensors",
        "summaries/history.parquet",
        "summaries/coarseness.parquet",
        "plots/mean_coarseness/manifest.json",
        "plots/mean_coarseness/*/figure.json",
    ],
)
def test_repair_moves_damage_aside_and_a_fill_restores_it(
    filled: Store, capsys: pytest.CaptureFixture[str], relative: str
) -> None:
    (path,) = (filled.root / FAMILY / VARIANT).glob(relative)
    good = path.read_bytes()
    path.write_bytes(good[:-20] + bytes(byte ^ 1 for byte in good[-20:]))
    leftover = path.with_name(".x.json.999999999.tmp")
    leftover.write_bytes(b"half")
    code, found = look(filled, capsys)
    assert code == 1 and sorted(found.values()) == ["corrupt", "temporary"]
    assert main(["verify", "--store", str(filled.root), "--repair"]) == 0
    assert "tdw fill" in capsys.readouterr().out
    assert not leftover.exists() and list((filled.root / ".damaged").rglob("*"))
    assert fill(filled.root) == []
    assert look(filled, capsys) == (0, {})
    assert path.read_bytes() == good


def test_repair_leaves_what_is_not_ours_and_says_so(
    filled: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    note = filled.root / FAMILY / VARIANT / "coarseness" / "notes.txt"
    note.write_text("mine")
    assert main(["verify", "--store", str(filled.root)]) == 0
    assert f"not ours: {note}" in capsys.readouterr().out
    assert main(["verify", "--store", str(filled.root), "--repair"]) == 0
    assert "left alone" in capsys.readouterr().out
    assert note.read_text() == "mine"


def test_what_was_half_written_at_the_first_look_is_not_repaired(
    filled: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (manifest,) = (filled.root / FAMILY / VARIANT).glob("plots/mean_coarseness/manifest.json")
    files = {path: path.read_bytes() for path in manifest.parent.rglob("*") if path.is_file()}
    manifest.unlink()

    def complete_it(*_: object) -> AbstractContextManager[None]:
        manifest.write_bytes(files[manifest])
        return nullcontext()

    assert "orphan" in look(filled, capsys)[1].values()
    monkeypatch.setattr("tdw_workbench.commands.verify.nobody_writes", complete_it)
    assert main(["verify", "--store", str(filled.root), "--repair"]) == 0
    assert {path: path.read_bytes() for path in files} == files


def test_nothing_is_repaired_while_somebody_writes(filled: Store, capsys: pytest.CaptureFixture[str]) -> None:
    path = filled.path(Address(FAMILY, VARIANT, "coarseness", 2))
    path.write_bytes(b"")
    with filled.lock(FAMILY, VARIANT, "analyze_cells"):
        assert main(["verify", "--store", str(filled.root), "--repair"]) == 1
        assert "is being worked on" in capsys.readouterr().err
    assert path.exists()


def test_a_store_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--store", str(tmp_path / "none")]) == 1
    assert "there is no store" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
