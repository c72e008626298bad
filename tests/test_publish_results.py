"""scripts/publish-results: what the results' folder holds, and that nothing is lost when there is nothing."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest
from tiny_variant import TINY

import tdw
from tdw.families import get_family
from tdw.store import Address, Provenance, Store

FAMILY = get_family("modulo_addition_1layer")
SCRIPT = Path(__file__).parents[1] / "scripts" / "publish-results"
STUDY = """\
name: tiny
variants: [{p: 7, seed: 1, train_fraction: 0.5}, {p: 7, seed: 2, train_fraction: 0.5}]
epochs: 20
checkpoints: ["0:20:10"]
early_epoch: 10
"""


def publish(store: Store, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = out.parent / "tiny.yaml"
    study.write_text(STUDY)
    arguments = ["--store", str(store.root), "--study", str(study), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_reports_tables_timing_and_versions_are_there(
    tiny_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tdw.open(tiny_store).make(TINY, [0, 10, 20])
    # Ten epochs in two seconds, then a pause of an hour.
    for epoch, at in ((0, 1000), (10, 1002), (20, 4602)):
        os.utime(tiny_store.path(Address(FAMILY.name, TINY, "checkpoints", epoch)), (at, at))
    picture = Provenance(FAMILY.name, "", "survival")
    tiny_store.write_document(
        FAMILY.name, None, "survival", files={"preview.png": b"picture"}, provenance=picture
    )
    out = tmp_path / "results"
    publish(tiny_store, out, monkeypatch)
    text = (out / "README.md").read_text()
    assert text.startswith("# Study report") and "## Processor, form and versions" in text
    assert f"tdw fill --study {tmp_path / 'tiny.yaml'}" in text
    assert (out / "groups" / "README.md").read_text().startswith("# Comparison of groups")
    assert {"test_loss.svg", "findings.json"} <= {path.name for path in out.iterdir()}
    timing = pd.read_csv(out / "tables" / "timing.csv").set_index("variant")
    assert timing.loc[TINY, "epochs_per_second"] == pytest.approx((5 + 10 / 3600) / 2, abs=0.06)
    assert timing.loc[TINY, "first_to_last_minutes"] == pytest.approx(60.0, abs=0.1)
    assert timing.loc[TINY, "torch"].startswith("2.")
    assert timing.loc["p7_s2_d598_f0.5", "checkpoints"] == 0
    coarse = pd.read_csv(out / "tables" / "coarseness.csv")
    assert coarse["epoch"].tolist() == [0, 10, 20] and set(coarse["variant"]) == {TINY}
    assert pd.read_csv(out / "tables" / "history.csv")["epoch"].tolist() == [0, 10, 20]
    assert (out / "figures" / "survival.png").read_bytes() == b"picture" and "(figures/survival.png)" in text
    assert not list(out.rglob("*.html"))


def test_without_a_checkpoint_the_old_results_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "README.md").write_text("old")
    with pytest.raises(SystemExit, match="no checkpoint of tiny"):
        publish(Store(tmp_path / "empty"), out, monkeypatch)
    assert (out / "README.md").read_text() == "old" and not list(tmp_path.glob(".results-*"))
