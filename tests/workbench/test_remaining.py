"""How much is left, and when that is said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tdw_workbench.fill.remaining import RemainingWork, TimeLeft
from tdw_workbench.fill.request import ALL, FillRequest


def test_no_time_left_is_made_up_before_anything_is_done() -> None:
    time_left = TimeLeft(started=time.monotonic() - 60)
    time_left.plan("v", "train", 1000.0)
    time_left.advance("v", "train", 0.005)
    assert "estimating" in time_left.line()


def test_time_left_is_extrapolated_from_what_is_done() -> None:
    time_left = TimeLeft(started=time.monotonic() - 60)
    time_left.plan("v", "train", 30.0)
    time_left.plan("v", "analyze", 10.0)
    time_left.finish("v", "analyze")
    assert time_left.done_fraction == pytest.approx(0.25)
    assert "about 3 min 00 s left" in time_left.line()


def test_progress_never_leaves_zero_to_one_and_finishing_a_variant_finishes_its_stages() -> None:
    time_left = TimeLeft()
    time_left.plan("v", "train", 1.0)
    time_left.plan("v", "analyze", 1.0)
    time_left.advance("v", "train", 7.0)
    assert time_left.done_fraction == 0.5
    time_left.finish("v")
    assert time_left.done_fraction == 1.0


def test_every_stage_counts_the_comparison_too_and_small_moduli_are_not_free(tmp_path: Path) -> None:
    import dagster as dg

    from tdw.store import Store
    from tdw.study import parse_study

    study = parse_study(
        {"variants": ["p5_s1_d598", "p113_s1_d598"], "epochs": 10, "checkpoints": ["0:10:1"], "name": "two"}
    )
    keys = study.variant_keys
    request = FillRequest(
        study=study.model_dump(mode="json"), store=str(tmp_path), home=str(tmp_path), variants=keys
    )
    work = RemainingWork.find(request, request.wanted(), dg.DagsterInstance.ephemeral(), Store(str(tmp_path)))
    assert work.variants == ("p113_s1_d598", "p5_s1_d598", ALL)
    left = work.time_left.left
    assert {stage for _, stage in left} == {"train", "analyze", "summarize", "compare"}
    assert left["p5_s1_d598", "summarize"] == left["p113_s1_d598", "summarize"]
    assert left["p5_s1_d598", "train"] > 0.1 * left["p113_s1_d598", "train"]
