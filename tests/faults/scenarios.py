"""What `python -m tests.faults` does, and how much of its time each gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import crowds
from .disks import damage, disk
from .hostile import inputs as hostile
from .interleavings import schedule
from .kills import deaths, processes, up
from .outcome import Outcome, Run


@dataclass(frozen=True)
class Scenario:
    """One kind of fault.

    Attributes:
        share: of the time of one core; small numbers still do each fault at least once.
        by_runs: works with Dagster runs, for which more has to be warmed up.
        section: heading of its rows in the table.
    """

    name: str
    section: str
    run: Callable[[Run], Outcome | list[Outcome]]
    share: float
    by_runs: bool = False


DEATHS, DISK, DAMAGE, CROWDS, HOSTILE = (
    "Processes killed",
    "Disks that are full or fail",
    "Bytes that change",
    "Several at once",
    "Inputs that mean harm",
)

# The long ones first, so that no core waits for one of them at the end.
SCENARIOS = (
    Scenario("up", DEATHS, up.up_killed, 14, by_runs=True),
    Scenario("backfill", DEATHS, up.backfill_interrupted, 7, by_runs=True),
    Scenario("run steps", DEATHS, deaths.runs_at_every_step, 16, by_runs=True),
    Scenario("schedules", DEATHS, schedule.schedules, 16, by_runs=True),
    Scenario("random times", DEATHS, deaths.random_times, 8),
    Scenario("steps", DEATHS, deaths.every_step, 8),
    Scenario("fill", DEATHS, processes.fill_killed, 6, by_runs=True),
    Scenario("full disk", DISK, disk.full_disk, 2),
    Scenario("full tmpfs", DISK, disk.full_tmpfs, 1),
    Scenario("replacing", DISK, disk.replacing, 1),
    Scenario("failing calls", DISK, disk.failing_calls, 5),
    Scenario("full under dagster", DISK, disk.full_under_dagster, 2, by_runs=True),
    Scenario("truncations", DAMAGE, damage.truncations, 1),
    Scenario("flips", DAMAGE, damage.flips, 2),
    Scenario("scrambles", DAMAGE, damage.scrambles, 1),
    Scenario("slices", DAMAGE, damage.slices, 1),
    Scenario("healing", DAMAGE, damage.healing, 2, by_runs=True),
    Scenario("2 writers, one cell", CROWDS, partial(crowds.same_cell, writers=2), 0.6),
    Scenario("8 writers, one cell", CROWDS, partial(crowds.same_cell, writers=8), 0.6),
    Scenario("2 writers, cells", CROWDS, partial(crowds.different_cells, writers=2), 0.6),
    Scenario("8 writers, cells", CROWDS, partial(crowds.different_cells, writers=8), 0.6),
    Scenario("2 on a variant", CROWDS, partial(crowds.one_variant, workers=2), 0.6),
    Scenario("8 on a variant", CROWDS, partial(crowds.one_variant, workers=8), 0.6),
    Scenario("2 fills", CROWDS, partial(crowds.fills, workers=2), 0.6, by_runs=True),
    Scenario("8 fills", CROWDS, partial(crowds.fills, workers=8), 0.6, by_runs=True),
    Scenario("hostile", HOSTILE, hostile.hostile_inputs, 3),
)
