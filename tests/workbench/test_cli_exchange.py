"""`tdw status`, `tdw export`, `tdw import`, `tdw compare` on a store that the library alone has filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_variant import TINY

from tdw.store import Store
from tdw_workbench.cli import main

STUDY = """\
name: tiny
variants: [{p: 7, seed: 1, train_fraction: 0.5}]
epochs: 20
checkpoints: [0:20:10]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(STUDY)
    return path


def status(capsys: pytest.CaptureFixture[str], store: Path, study: Path) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["status", "--json", "--store", str(store), "--study", str(study)]) == 0
    return json.loads(capsys.readouterr().out)["variants"][TINY]


@pytest.mark.slow
@pytest.mark.ci
def test_a_bundle_carries_a_variant_to_another_store_and_into_its_dagster(
    tiny_store: Store, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = status(capsys, tiny_store.root, study)
    assert {before["cells"][name]["unrecorded"] for name in ("checkpoint", "coarseness")} == {"0:20:10"}
    bundle, other = tmp_path / "b.tdw.tar", tmp_path / "other"
    places = ["--study", str(study), "--store"]
    assert main(["export", str(bundle), *places, str(tiny_store.root)]) == 0
    assert f"of {TINY}" in capsys.readouterr().out
    assert main(["import", str(bundle), *places, str(other)]) == 0
    after = status(capsys, other, study)
    assert {after["cells"][name]["there"] for name in ("checkpoint", "coarseness")} == {3}
    assert main(["status", *places, str(other)]) == 0
    assert "3/3" in capsys.readouterr().out


def test_a_damaged_bundle_is_refused_and_nothing_of_it_is_seen(
    tiny_store: Store, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, other = tmp_path / "b.tdw.tar", tmp_path / "other"
    places = ["--study", str(study), "--store"]
    assert main(["export", str(bundle), *places, str(tiny_store.root), "--include", "checkpoints"]) == 0
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert main(["import", str(bundle), *places, str(other)]) == 1
    assert str(bundle) in capsys.readouterr().err
    assert Store(other).variants("modulo_addition_1layer") == []


def test_what_can_not_be_exported_imported_or_compared_is_named(
    tiny_store: Store, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--study", str(study), "--store", str(tiny_store.root)]
    assert main(["export", str(tmp_path / "x"), "--variant", "p5_s1_d598", *places]) == 1
    assert f"there is: {TINY}" in capsys.readouterr().err
    assert main(["import", *places]) == 2
    assert "give an archive" in capsys.readouterr().err
    assert main(["import", "--checkpoint", "5", "--variant", TINY, *places]) == 2
    assert "EPOCH=FILE" in capsys.readouterr().err
    assert main(["compare", TINY, TINY, *places]) == 2


@pytest.mark.slow
@pytest.mark.ci
def test_checkpoints_trained_elsewhere_become_a_variant_and_are_recorded(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from safetensors.torch import save_file

    from tdw.families import get_family

    weights = get_family("modulo_addition_1layer").init_weights(
        get_family("modulo_addition_1layer").make_config(p=7, seed=5)
    )
    # As HookedTransformer.state_dict() of TransformerLens 2 has them.
    weights["blocks.0.attn.mask"] = torch.ones(3, 3, dtype=torch.bool).tril()
    weights["blocks.0.attn.IGNORE"] = torch.tensor(-torch.inf)
    save_file(weights, tmp_path / "a.safetensors")
    torch.save(weights, tmp_path / "b.pt")
    files = ["--checkpoint", f"0={tmp_path / 'a.safetensors'}", "--checkpoint", f"10={tmp_path / 'b.pt'}"]
    places = ["--study", str(study), "--store", str(tmp_path / "store")]
    assert main(["import", *files, "--variant", TINY, *places]) == 0
    found = status(capsys, tmp_path / "store", study)
    assert found["cells"]["checkpoint"]["there"] == 2
    assert not found["cells"]["checkpoint"].get("unrecorded")
