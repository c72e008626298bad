"""A minute or two of `make faults`: the same scenarios, each for a few rounds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from . import crowds
from .__main__ import warm_up
from .disks import damage, disk
from .interleavings import schedule
from .kills import deaths
from .outcome import Outcome, Run, fast_folder

Begin = Callable[[int], Run]
"""Rounds -> a run of so many, in a folder of its own."""


SHORT, OTHER, OF_RUNS = 27, 140, 32
"""Numbers of schedules with few faults; the last one is of Dagster runs."""


def hold(scenario: Callable[[Run], Outcome], run: Run, *, at_least: int) -> Outcome:
    """Run a scenario; nothing may be lost, and enough has to be injected for that to mean something."""
    outcome = scenario(run)
    assert outcome.lost == 0, outcome.losses
    assert outcome.injected >= at_least
    return outcome


@pytest.fixture(scope="module")
def _shared() -> Iterator[Path]:
    """Undisturbed work, which compiles everything once: the children are forked."""
    with tempfile.TemporaryDirectory(dir=fast_folder(), prefix="tdw-faults-") as folder:
        shared = Path(folder) / "shared"
        warm_up(Run(Path(folder) / "warm", Random(0), 0, shared), by_runs=False)
        yield shared


@pytest.fixture
def begin(_shared: Path) -> Iterator[Begin]:
    with tempfile.TemporaryDirectory(dir=fast_folder(), prefix="tdw-faults-") as folder:
        numbers = iter(range(1_000))

        def begin(rounds: int) -> Run:
            scratch = Path(folder) / str(next(numbers))
            scratch.mkdir()
            return Run(scratch, Random(0), 0, _shared, rounds)

        yield begin


def test_no_schedule_loses_anything(begin: Begin) -> None:
    outcome = hold(schedule.schedules, begin(2), at_least=10)
    assert outcome.deaths == sum(outcome.died_at.values()) >= 10


def test_a_number_decides_the_whole_schedule(begin: Begin) -> None:
    outcome = Outcome("", "")
    first, again, other = (schedule.play(number, begin(1), outcome) for number in (SHORT, SHORT, OTHER))
    assert outcome.losses == []
    assert first.lines == again.lines
    assert first.digest == again.digest != other.digest
    assert first.deaths >= 3


@pytest.mark.slow
def test_no_schedule_of_dagster_runs_loses_or_doubles_a_cell(begin: Begin) -> None:
    outcome = Outcome("", "")
    played = schedule.play(OF_RUNS, begin(1), outcome)
    assert outcome.losses == []
    assert played.deaths >= 3 and outcome.notes["runs"] > 0


def test_no_death_at_a_random_time_loses_anything(begin: Begin) -> None:
    hold(deaths.random_times, begin(20), at_least=5)


def test_a_full_disk_leaves_what_was_there_and_a_fill_goes_on(begin: Begin) -> None:
    hold(disk.full_disk, begin(2), at_least=3)


@pytest.mark.slow
@pytest.mark.ci
def test_a_failing_system_call_leaves_what_was_there_and_a_fill_goes_on(begin: Begin) -> None:
    hold(disk.failing_calls, begin(3), at_least=12)


def test_a_replacement_that_fails_leaves_the_old_version(begin: Begin) -> None:
    hold(disk.replacing, begin(60), at_least=60)


@pytest.mark.parametrize("scenario", [damage.truncations, damage.flips, damage.scrambles])
def test_damage_to_any_kind_of_file_is_detected_before_use(
    begin: Begin, scenario: Callable[[Run], Outcome]
) -> None:
    outcome = hold(scenario, begin(10), at_least=80)
    kinds = {"checkpoints", "states", "coarseness", "summaries/*.parquet", "plots/*.json"}
    assert kinds <= outcome.notes.keys()


def test_rows_of_a_damaged_file_are_right_or_refused(begin: Begin) -> None:
    hold(damage.slices, begin(100), at_least=100)


@pytest.mark.parametrize("scenario", [crowds.same_cell, crowds.different_cells])
@pytest.mark.parametrize("writers", [2, 8])
def test_readers_see_whole_versions_whoever_writes(
    begin: Begin, scenario: Callable[..., Outcome], writers: int
) -> None:
    outcome = hold(partial(scenario, writers=writers), begin(12), at_least=20)
    assert outcome.notes["reads"] > 5


def test_two_processes_on_one_variant_do_its_work_once(begin: Begin) -> None:
    hold(partial(crowds.one_variant, workers=2), begin(1), at_least=2)


@pytest.mark.slow
def test_two_fills_at_once_record_every_cell_once(begin: Begin) -> None:
    hold(partial(crowds.fills, workers=2), begin(1), at_least=2)


def test_a_broken_store_is_caught_and_its_schedule_fails_again(begin: Begin) -> None:
    """The harness itself: a commit in place is caught, and the number is enough to see it again."""
    from tdw.store import commit

    def careless(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for part in range(0, len(data), 1 << 16):
                file.write(data[part : part + (1 << 16)])
                file.flush()
                commit.on_step("written", path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tdw.store.store.write_atomic", careless)
        outcomes = [Outcome("", ""), Outcome("", "")]
        first, again = (schedule.play(SHORT, begin(1), outcome) for outcome in outcomes)
    assert first.digest == again.digest
    assert outcomes[0].losses == outcomes[1].losses
    assert "other bytes" in outcomes[0].losses[0]
    assert f"python -m tests.faults --schedule {SHORT}" in outcomes[0].losses[0]
