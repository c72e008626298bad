"""How much is left, and when that is said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tdw_workbench.fill.order import ALL, Order
from tdw_workbench.fill.remaining import Effort, Work


def test_no_time_left_is_made_up_before_anything_is_done() -> None:
    effort = Effort(started=time.monotonic() - 60)
    effort.plan("v", "train", 1000.0)
    effort.advance("v", "train", 0.005)
    assert "estimating" in effort.line()


def test_time_left_is_extrapolated_from_what_is_done() -> None:
    effort = Effort(started=time.monotonic() - 60)
    effort.plan("v", "train", 30.0)
    effort.plan("v", "analyze", 10.0)
    effort.finish("v", "analyze")
    assert effort.done_fraction == pytest.approx(0.25)
    assert "about 3 min 00 s left" in effort.line()


def test_progress_never_leaves_zero_to_one_and_finishing_a_variant_finishes_its_stages() -> None:
    effort = Effort()
    effort.plan("v", "train", 1.0)
    effort.plan("v", "analyze", 1.0)
    effort.advance("v", "train", 7.0)
    assert effort.done_fraction == 0.5
    effort.finish("v")
    assert effort.done_fraction == 1.0


def test_every_stage_counts_the_comparison_too_and_small_moduli_are_not_free(tmp_path: Path) -> None:
    import dagster as dg

    from tdw.store import Store
    from tdw.study import parse_study

    study = parse_study(
        {"variants": ["p5_s1_d598", "p113_s1_d598"], "epochs": 10, "checkpoints": ["0:10:1"], "name": "two"}
    )
    keys = study.variant_keys
    order = Order(study=study.model_dump(mode="json"), store=str(tmp_path), home=str(tmp_path), variants=keys)
    work = Work.find(order, order.grid(), dg.DagsterInstance.ephemeral(), Store(str(tmp_path)))
    assert work.variants == ("p113_s1_d598", "p5_s1_d598", ALL)
    left = work.effort.left
    assert {stage for _, stage in left} == {"train", "analyze", "summarize", "compare"}
    assert left["p5_s1_d598", "summarize"] == left["p113_s1_d598", "summarize"]
    assert left["p5_s1_d598", "train"] > 0.1 * left["p113_s1_d598", "train"]
