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
from tdw.errors import NotFound
from tdw.families import get_family
from tdw.making.comparison import write_comparison
from tdw.store import Address, Store

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
    from tdw.reports.registry import REPORTS

    tdw.open(tiny_store).make(TINY, [0, 10, 20])
    configs = [FAMILY.parse_variant(key) for key in (TINY, "p7_s2_d598_f0.5")]
    write_comparison(tiny_store, FAMILY, configs, early_epoch=10)
    for report in REPORTS:
        report.write(tiny_store, FAMILY, configs, title=report.title, early_epoch=10, last_epoch=20)
    # Ten epochs in two seconds, then a pause of an hour.
    for epoch, at in ((0, 1000), (10, 1002), (20, 4602)):
        os.utime(tiny_store.path(Address(FAMILY.name, TINY, "checkpoints", epoch)), (at, at))
    out = tmp_path / "results"
    publish(tiny_store, out, monkeypatch)
    text = (out / "README.md").read_text()
    assert text.startswith("# Study report") and "## Timing and versions" in text
    assert "tdw fill --study studies/tiny" in text
    assert (out / "groups" / "README.md").read_text().startswith("# Comparison report")
    assert {"test_loss.svg", "findings.json"} <= {path.name for path in out.iterdir()}
    timing = pd.read_csv(out / "tables" / "timing.csv").set_index("variant")
    assert timing.loc[TINY, "epochs_per_second"] == pytest.approx((5 + 10 / 3600) / 2, abs=0.06)
    assert timing.loc[TINY, "first_to_last_minutes"] == pytest.approx(60.0, abs=0.1)
    assert timing.loc[TINY, "torch"].startswith("2.")
    assert timing.loc["p7_s2_d598_f0.5", "checkpoints"] == 0
    coarse = pd.read_csv(out / "tables" / f"{TINY}_coarseness.csv")
    assert coarse["epoch"].tolist() == [0, 10, 20]
    assert not list(out.rglob("*.html"))


def test_without_a_report_the_old_results_stay(
    tiny_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "README.md").write_text("old")
    with pytest.raises(NotFound, match="study_report"):
        publish(tiny_store, out, monkeypatch)
    assert (out / "README.md").read_text() == "old"
