"""`tdw remove`: what it says, when it asks, and what it refuses. What goes: tests/assets/test_removing.py."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tdw.families import get_family
from tdw.store import Store
from tdw.training.loop import train
from tdw_workbench.cli import main

FAMILY, V1 = "modulo_addition_1layer", "p7_s1_d598"
STUDY = f"name: tiny\nvariants: [{V1}]\nepochs: 6\ncheckpoints: [0, 2, 4, 6]\nearly_epoch: 2\n"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A store with a variant, of an extra epoch too, and nothing recorded."""
    monkeypatch.setenv("DAGSTER_HOME", "")  # the command sets it; this puts it back
    (tmp_path / "study.yaml").write_text(STUDY)
    config = get_family(FAMILY).parse_variant(V1)
    for _ in train(config, store=Store(tmp_path / "store"), checkpoints=[0, 2, 3, 4, 6], device="cpu"):
        pass
    return ["--study", str(tmp_path / "study.yaml"), "--store", str(tmp_path / "store")]


def test_a_dry_run_lists_what_would_go_and_removes_nothing(
    places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted((tmp_path / "store" / FAMILY).rglob("*"))
    assert main(["remove", *places, "--variant", V1, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "5 checkpoints" in said and "saved states" in said and "MB" in said
    assert f"lists {V1}: it comes back as missing" in said and "this was a dry run" in said
    assert main(["remove", *places, "--extra-epochs", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "1 checkpoint," in said and "Epochs 3: checkpoints." in said
    assert sorted((tmp_path / "store" / FAMILY).rglob("*")) == files
    assert not (tmp_path / "store" / ".dagster").exists()


def test_a_person_is_asked_and_a_script_has_to_say_yes(
    places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked = Store(tmp_path / "store"), ["remove", *places, "--variant", V1, "--epochs", "3,4"]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(asked) == 2 and "--yes" in capsys.readouterr().err
    for typed in ("n\n", ""):
        stdin = io.StringIO(typed)
        monkeypatch.setattr(stdin, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", stdin)
        assert main(asked) == 1 and "Nothing was removed" in capsys.readouterr().out
    assert store.epochs(FAMILY, V1) == [0, 2, 3, 4, 6]
    assert main([*asked, "--yes"]) == 0
    assert "wants some of these epochs" in capsys.readouterr().out
    assert store.epochs(FAMILY, V1) == [0, 2, 6]
    assert main([*asked, "--yes"]) == 0
    assert "Nothing of it is there" in capsys.readouterr().out
    assert main(["remove", *places, "--whole-study", "--yes"]) == 0
    assert not (store.root / FAMILY / V1).exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], ["nothing says what to remove", "--whole-study"]),
        (["--variant", V1, "--results"], ["--variant", "--results"]),
        (["--variant", "p8_s1_d598"], ["p is 8"]),
        (["--variant", V1, "--epochs", "many"], ["'many'"]),
        (["--epochs", "3"], ["nothing says what to remove"]),
    ],
)
def test_what_makes_no_sense_is_refused(
    places: list[str], arguments: list[str], named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["remove", *places, *arguments, "--yes"]) == 2
    said = capsys.readouterr().err
    for words in named:
        assert words in said
