"""How much is left, and when that is said."""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import OperationalError

from tdw.study import load_studies
from tdw_assets.cells.partitions import register_variants
from tdw_resources.instance import open_instance
from tdw_resources.places import Places
from tdw_resources.runs.tags import purpose
from tdw_resources.wanted import WantedAssets
from tdw_workbench.fill import time_left as module
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.fill.time_left import TimeLeft
from tdw_workbench.study_files import StudyFiles
from tdw_workbench.study_watch import StudyWatch
from tdw_workbench.terminal import Screen


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


class Clock:
    """In place of the module `time`."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_what_is_added_meanwhile_is_left_and_changes_nothing_of_the_rate(clock: Clock) -> None:
    before = TimeLeft(started=0.0)
    before.plan("v", "train", 100.0)
    clock.now = 40.0  # until Dagster has started
    before.advance("v", "train", 0.0)
    clock.now = 100.0
    before.advance("v", "train", 0.3)
    assert before.seconds_left() == pytest.approx(140)
    # A look in the middle of the run: it counts what is left from now on, and another variant.
    now = TimeLeft()
    now.plan("v", "train", 70.0)
    now.plan("w", "train", 100.0)
    now.follow(before)
    now.advance("v", "train", 0.3)
    assert now.done_fraction == pytest.approx(0.15)
    assert now.seconds_left() == pytest.approx(340)
    clock.now = 170.0
    now.advance("v", "train", 0.65)
    assert now.left["v", "train"] == pytest.approx(35)
    assert now.seconds_left() == pytest.approx(270)


def test_the_rate_is_that_of_the_last_minutes(clock: Clock) -> None:
    time_left = TimeLeft(started=0.0)
    time_left.plan("v", "train", 1000.0)
    left: float | None = None
    for minute in range(31):
        clock.now = 60.0 * minute
        # Slow at first, while something else kept the machine busy; then ten times as fast.
        time_left.advance("v", "train", 0.001 * (minute if minute < 20 else 20 + 10 * (minute - 20)))
        left = time_left.seconds_left()
    assert left == pytest.approx(880 * 6)


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


def test_what_a_person_stopped_does_not_hold_up_the_bar_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "p7_s1_d598"
    (tmp_path / "study.yaml").write_text(
        f"name: tiny\nvariants: [{key}]\nepochs: 2\ncheckpoints: [0, 2]\nearly_epoch: 2\n"
    )
    places = Places(str(tmp_path / "store"), (tmp_path / "study.yaml",), tmp_path / "home")
    studies = load_studies(places.studies)
    wanted = WantedAssets.of(studies[0])
    with open_instance(places.home) as instance:
        register_variants(wanted, instance, wanted.variants)
        watch = StudyWatch(places, StudyFiles(places, studies), instance)
        assert watch.lines(Screen(), busy=False)  # a bar: something is left
        for variant, stage in ((key, "train"), ("", "compare")):
            tags = purpose(wanted, stage=stage, variant=variant)
            run = dg.DagsterRun(job_name=wanted.named(stage), tags=tags, status=dg.DagsterRunStatus.STARTED)
            instance.run_storage.add_run(run)
            instance.report_run_canceled(run)
        watch = StudyWatch(places, StudyFiles(places, studies), instance)
        assert watch.lines(Screen(), busy=False) == []
    said = capsys.readouterr().out
    assert f"but {key}, what covers all variants of tiny, stopped by a person" in said.replace("\n", " ")


def unreadable(record: str) -> Exception:
    """What Dagster raises for such a record in its database."""
    try:
        dg.deserialize_value(record, dg.DagsterRun)
    except Exception as error:
        return error
    raise AssertionError(record)


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (OperationalError("select", {}, Exception("database is locked")), False),
        (DagsterPostgresException("too many retries for DB connection"), False),
        *((unreadable(text), False) for text in ('{"__class__": "OfALaterVersion"}', "null", "no JSON")),
        (AttributeError("a mistake of ours"), True),
    ],
)
def test_only_a_database_that_is_away_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, ends: bool
) -> None:
    def fail(*_: object) -> None:
        raise error

    (tmp_path / "study.yaml").write_text("name: tiny\nvariants: [p7_s1_d598]\nepochs: 2\nearly_epoch: 2\n")
    places = Places(str(tmp_path / "store"), (tmp_path / "study.yaml",), tmp_path / "home")
    with open_instance(places.home) as instance:
        monkeypatch.setattr("tdw_resources.runs.heartbeat.is_shared", lambda _: True)
        for owner, name in (
            (dg.DagsterInstance, "get_dynamic_partitions"),
            (type(instance.run_storage), "get_runs"),
        ):
            watch = StudyWatch(places, StudyFiles(places, load_studies(places.studies)), instance)
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, fail)
                if ends:
                    with pytest.raises(type(error), match="of ours"):
                        watch.news()
                else:
                    assert watch.news() == []
