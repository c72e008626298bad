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
analyzers: [coarseness, coarseness_stats]
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


def verified(capsys: pytest.CaptureFixture[str], places: list[str]) -> list[dict[str, Any]]:
    """What `tdw verify` finds wrong."""
    capsys.readouterr()
    main(["verify", "--json", *places])
    return json.loads(capsys.readouterr().out)["findings"]


def imported_alone(tmp_path: Path) -> list[str]:
    """A store with epoch 10 of TINY alone, imported; the study lists 0 and 20 too."""
    import torch
    from exchange_states import hooked

    torch.save(hooked(4), tmp_path / "a.pt")
    places = ["--study", str(tmp_path / "tiny.yaml"), "--store", str(tmp_path / "store")]
    assert main(["import", "--checkpoint", f"10={tmp_path / 'a.pt'}", "--variant", TINY, *places]) == 0
    return places


@pytest.mark.slow
def test_what_was_imported_is_analyzed_although_the_rest_of_the_study_can_not_be_trained(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = imported_alone(tmp_path)
    assert verified(capsys, places) == []
    assert main(["fill", *places]) == 1
    assert "its checkpoints were imported (a.pt)" in capsys.readouterr().out
    found = status(capsys, tmp_path / "store", study)["cells"]
    assert {name: cells["there"] for name, cells in found.items()} == dict.fromkeys(found, 1)
    assert verified(capsys, places) == []
    main(["fill", *places])
    assert "summarized" not in capsys.readouterr().out, "one fill makes every table and plot"


@pytest.mark.slow
def test_after_an_import_no_event_and_no_table_is_missing(
    tiny_store: Store, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ["--study", str(study), "--store", str(tiny_store.root)]
    two = ["--study", str(study), "--store", str(tmp_path / "two")]
    assert main(["fill", *one]) == 0
    assert main(["export", str(tmp_path / "b.tar"), *one]) == 0
    assert main(["import", str(tmp_path / "b.tar"), *two]) == 0
    assert verified(capsys, two) == []
    assert main(["fill", *two]) == 0
    assert "Nothing is missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--checkpoint", "100=a", "--checkpoint", "100=b"], "epoch 100 is given twice: a and b"),
        (["--checkpoint", "123456789=a"], "123456789"),
        (["--checkpoint", f"{'1' * 23}=a"], "EPOCH=FILE"),
        (["--checkpoint", "\u00b2=a"], "EPOCH=FILE"),
        (["--checkpoint", "5=https://example.org/a.pt"], "names an address"),
        (["--checkpoint", "5=a", "--entry", "x", "--entry", "y"], "2 --entry for 1 --checkpoint"),
        (["bundle.tar", "--entry", "x"], "leave the options out"),
        (["bundle.tar", "--strip-prefix", "module."], "leave the options out"),
    ],
)
def test_arguments_of_import_that_can_not_be_meant_are_refused(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    places = ["--study", str(study), "--store", str(tmp_path / "store")]
    variant = ["--variant", TINY] if "--checkpoint" in arguments else []
    assert main(["import", *arguments, *variant, *places]) == 2
    assert words in capsys.readouterr().err
    assert Store(tmp_path / "store").variants("modulo_addition_1layer") == []
