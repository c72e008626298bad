"""A minute or two of `make faults`: the same scenarios, each for a few seconds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from . import crowds, damage, deaths, disk
from .outcome import Outcome, Run, fast_folder


def hold(scenario: Callable[[Run], Outcome], folder: Path, *, seconds: float, at_least: int) -> Outcome:
    """Run a scenario; nothing may be lost, and enough has to be injected for that to mean something."""
    outcome = scenario(Run(folder, Random(0), seconds))
    assert outcome.lost == 0, outcome.losses
    assert outcome.injected >= at_least
    return outcome


@pytest.fixture(scope="module")
def _warm() -> None:
    """Compile once; the children are forked."""
    from .work import fill_by_library

    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        fill_by_library(Path(folder))


@pytest.fixture
def scratch(_warm: None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=fast_folder(), prefix="tdw-faults-") as folder:
        yield Path(folder)


def test_no_death_at_a_step_of_a_commit_loses_anything(scratch: Path) -> None:
    outcome = hold(deaths.random_steps, scratch, seconds=8, at_least=5)
    assert outcome.deaths == outcome.injected


def test_no_death_at_a_random_time_loses_anything(scratch: Path) -> None:
    hold(deaths.random_times, scratch, seconds=6, at_least=5)


@pytest.mark.slow
@pytest.mark.ci
def test_no_death_of_a_dagster_run_loses_or_doubles_a_cell(scratch: Path) -> None:
    hold(deaths.runs_at_random, scratch, seconds=15, at_least=1)


def test_a_full_disk_leaves_what_was_there_and_a_fill_goes_on(scratch: Path) -> None:
    hold(disk.full_disk, scratch, seconds=3, at_least=3)


def test_a_failing_system_call_leaves_what_was_there_and_a_fill_goes_on(scratch: Path) -> None:
    hold(disk.failing_calls, scratch, seconds=3, at_least=1)
    (scratch / "replacing").mkdir()
    hold(disk.replacing, scratch / "replacing", seconds=2, at_least=50)


@pytest.mark.parametrize("scenario", [damage.truncations, damage.flips, damage.scrambles])
def test_damage_to_any_kind_of_file_is_detected_before_use(
    scratch: Path, scenario: Callable[[Run], Outcome]
) -> None:
    outcome = hold(scenario, scratch, seconds=2, at_least=100)
    assert {
        "checkpoints",
        "states",
        "coarseness",
        "summaries/*.parquet",
        "plots/*.json",
    } <= outcome.notes.keys()


def test_rows_of_a_damaged_file_are_right_or_refused(scratch: Path) -> None:
    hold(damage.slices, scratch, seconds=2, at_least=100)


@pytest.mark.parametrize("scenario", [crowds.same_cell, crowds.different_cells])
@pytest.mark.parametrize("writers", [2, 8])
def test_readers_see_whole_versions_whoever_writes(
    scratch: Path, scenario: Callable[..., Outcome], writers: int
) -> None:
    outcome = hold(partial(scenario, writers=writers), scratch, seconds=2, at_least=20)
    assert outcome.notes["reads"] > 5


def test_two_processes_on_one_variant_do_its_work_once(scratch: Path) -> None:
    hold(partial(crowds.one_variant, workers=2), scratch, seconds=1, at_least=2)


@pytest.mark.slow
def test_two_fills_at_once_record_every_cell_once(scratch: Path) -> None:
    hold(partial(crowds.fills, workers=2), scratch, seconds=1, at_least=2)


def test_a_check_that_fails_is_counted_and_told(scratch: Path) -> None:
    """The harness itself: a commit that is not atomic is caught."""
    from tdw.store import commit

    def careless(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for part in range(0, len(data), 4096):
                file.write(data[part : part + 4096])
                file.flush()
                commit.on_step("written", path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tdw.store.store.write_atomic", careless)
        outcome = deaths.random_steps(Run(scratch, Random(0), 4))
    assert outcome.lost and "other bytes" in " ".join(outcome.losses)
