"""A schedule: one number decides an interleaving of several processes and of all that befalls them.

From the number come the jobs (training, analysis, tables, plots, export, import, repair; by the library or as
Dagster runs with the sensor's ticks), whose turn it is, how many points it has, where it is killed, torn,
stopped or started again, which write fails, when the disk is full, which events are lost, where the clock
jumps. `python -m tests.faults --schedule N` plays it again.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from tdw.exchange.import_checkpoints import import_bundle
from tdw.store import Store

from ..checks import Watch
from ..dagster_work import (
    EventWatch,
    definitions,
    fill_everything,
    prepare,
    run_statuses,
    without_products,
)
from ..kills.killing import count_death, run_child
from ..outcome import Outcome, Run
from ..work import HISTORY, VARIANTS, Tree
from . import jobs, references
from .draws import Draws
from .turns import Report, Turn, Worker

_RUNS_IN = 16
"""One schedule in so many is of Dagster runs: a death there costs ten times as much."""
_START = 1.8e9
_FINAL_AT_THE_END = "/_comparison"


@dataclass
class _Actor:
    """One process at a time that does a job, until it is done."""

    name: str
    job: jobs.Job
    lives: int = 0
    worker: Worker | None = None
    excused: bool = False
    done: bool = False


@dataclass
class Played:
    """What happened: a line per turn. Two plays of one number have the same."""

    number: int
    lines: list[str] = field(default_factory=list)
    deaths: int = 0

    @property
    def digest(self) -> str:
        """Of all points of all turns."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]


def is_of_runs(number: int) -> bool:
    """Whether a schedule is of Dagster runs, or by the library alone."""
    return number % _RUNS_IN == 0


def schedules(run: Run) -> Outcome:
    """One after another, each of a number of its own, until the time is up."""
    outcome = Outcome(
        "schedules: processes that train, analyze, compare, export, import, repair, fill and tick at once, "
        "killed, torn, stopped and started again, with failing and full disks, lost events and clock jumps",
        "no file visible with bytes that undisturbed work does not give, nothing committed or recorded lost, "
        "errors of ours alone; in the end every file byte-equal to undisturbed work, every bundle sound, no "
        "cell recorded twice. A failure names its number, and `python -m tests.faults --schedule NUMBER` "
        "repeats it",
    )
    while not run.over:
        play(run.random.getrandbits(32), run, outcome)
    return outcome


def play(number: int, run: Run, outcome: Outcome) -> Played:
    """Play one schedule and check it; losses begin with its number."""
    found = Outcome("", "")
    root = run.folder(f"schedule_{number}") / "store"
    root.mkdir()
    try:
        played = _Play(number, run, root, found).play()
    except Exception as error:  # a schedule that can't be judged has failed
        found.lose(f"{type(error).__name__}: {error}")
        played = Played(number)
    shutil.rmtree(root.parent, ignore_errors=True)
    for loss in found.losses:
        outcome.lose(f"schedule {number}: {loss} [replay: python -m tests.faults --schedule {number}]")
    outcome.injected += found.injected
    outcome.deaths += found.deaths
    outcome.notes += found.notes
    outcome.died_at += found.died_at
    return played


class _Play:
    def __init__(self, number: int, run: Run, root: Path, outcome: Outcome) -> None:
        self._random, self._root, self._outcome = Random(number), root, outcome
        self._played = Played(number)
        self._runs = is_of_runs(number)
        self._reference = references.of_runs(run) if self._runs else references.of_library(run)
        drawn = (jobs.by_runs if self._runs else jobs.by_the_library)(self._random, self._reference)
        self._actors = [_Actor(name, job) for name, job in drawn.items()]
        self._draws = Draws(self._random, outcome, of_runs=self._runs)
        self._now = _START
        self._watch = Watch(root, self._reference, outcome, grows=_FINAL_AT_THE_END, of_fewer=self._runs)
        self._events = EventWatch(root)
        if self._runs:
            prepare(root)
            definitions(root)

    def play(self) -> Played:
        try:
            while waiting := [actor for actor in self._actors if not actor.done]:
                self._give_turn(self._random.choice(waiting))
        finally:
            for actor in self._actors:
                if actor.worker:
                    actor.worker.kill()
        self._finish()
        kind = "of Dagster runs" if self._runs else "by the library"
        self._outcome.notes[f"schedules {kind}"] += 1
        self._outcome.notes["turns"] += len(self._played.lines)
        return self._played

    def _give_turn(self, actor: _Actor) -> None:
        if actor.worker is None:
            actor.lives += 1
            actor.excused = False
            seed = f"{self._played.number} {actor.name} {actor.lives}"
            hooks = [jobs.take_points_at_events] if self._runs else []
            actor.worker = Worker(partial(actor.job, self._root), self._root, seed=seed, hooks=hooks)
        turn = self._draws.draw()
        self._now += 1.0
        report = actor.worker.turn(turn, now=self._now)
        self._write_down(actor, turn, report)
        actor.excused |= any(name in ("fail", "unreadable", "full") for name, _ in turn.faults)
        if report.end in ("pause", "wait", "stop"):
            if report.end == "stop":
                self._outcome.injected += 1
                self._outcome.notes["stopped by SIGSTOP"] += 1
                if self._draws.spend(0.3):
                    actor.worker.kill()
                    self._died(actor, report, "stopped, then killed")
            return
        actor.worker = None
        if report.end == "done":
            actor.done = True
        elif report.end == "dead":
            torn = any(name == "torn" for name, _ in turn.faults)
            self._died(actor, report, "in the middle of a write" if torn and turn.end != "kill" else "")
        else:
            self._failed(actor, report)
        if report.end != "done":
            self._look(f"after {actor.name} ({actor.lives}) was {report.end}", report)

    def _write_down(self, actor: _Actor, turn: Turn, report: Report) -> None:
        said = hashlib.sha256(repr(report.points).encode()).hexdigest()[:12]
        last = " ".join(report.points[-1]) if report.points else "nothing"
        faults = ", ".join(f"{name} {value:g}" for name, value in turn.faults)
        meant = f"{turn.points} points, then {turn.end}" + (f" ({faults})" if faults else "")
        became = f"{len(report.points)} done, {report.end} at {last} [{said}]"
        self._played.lines.append(f"{actor.name} ({actor.lives}): {meant}; {became}")

    def _died(self, actor: _Actor, report: Report, how: str) -> None:
        actor.worker = None
        self._played.deaths += 1
        count_death(self._outcome, report.points, how)

    def _failed(self, actor: _Actor, report: Report) -> None:
        """A failure is in order where a fault explains it, and where it is one of ours then."""
        who = f"{actor.name} ({actor.lives})"
        if report.end == "hangs":
            self._outcome.lose(f"{who} hangs")
            actor.done = True
        elif actor.excused:
            self._outcome.notes["failed by a fault, and started again"] += 1
            if not report.ours and not self._runs and actor.name != "repair":
                self._outcome.lose(f"{who}: no error of ours: {report.words[-600:]}")
        elif any(words in report.words for words in _MAY_FAIL.get(actor.name.split()[0], ())):
            self._outcome.notes[f"{actor.name.split()[0]}: had to wait for others"] += 1
            actor.done = actor.lives > 30
        else:
            self._outcome.lose(f"{who} failed without a fault: {report.words[-900:]}")
            actor.done = True

    def _look(self, when: str, report: Report) -> None:
        committed = [name for step, name in report.points if step == "committed"]
        self._watch.look([name for name in committed if not name.startswith("/")], when=when)
        if self._runs:
            self._events.look(without_products(self._outcome.lose), when=when)

    def _finish(self) -> None:
        work = fill_everything if self._runs else jobs.make_everything
        ended = run_child(partial(work, self._root), self._root)
        self._outcome.require(ended.code == 0, f"the last fill failed: {ended.words}")
        if self._runs:
            self._events.finish(without_products(self._outcome.lose), self._reference)
            self._outcome.notes["runs"] += sum(run_statuses(self._root).values())
        for variant in VARIANTS:
            bundle = jobs.bundle_of(self._root, variant)
            if bundle.exists():
                self._look_into(bundle)
        shutil.rmtree(jobs.bundle_of(self._root, "").parent, ignore_errors=True)  # no part of a store
        self._watch.finish()

    def _look_into(self, bundle: Path) -> None:
        """A bundle that was exported meanwhile: whole, and of undisturbed work as far as it goes."""
        there = self._root.parent / "imported"
        import_bundle(Store(there), bundle)
        final = Tree.of(self._reference).digests
        for path, digest in Tree.of(there).digests.items():
            grows = path.endswith(HISTORY) or _FINAL_AT_THE_END in path
            if digest != final.get(path) and not grows:
                self._outcome.lose(f"{bundle.name} holds {path} with other bytes")
        shutil.rmtree(there)
        self._outcome.notes["bundles exported in between, whole"] += 1


# What a job says when others are in its way: it is started again. A process that waits for its turn in the
# middle of a transaction holds the database longer than SQLite waits for it.
_MAY_FAIL = {
    "fill": ("database is locked",),
    "tick": ("database is locked",),
    "export": ("nothing of this variant is stored", "vanished while it was exported", "holds no variant"),
    "repair": ("is being worked on", "there is no store"),
}
