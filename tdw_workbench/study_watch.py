"""What `tdw up` shows: how much of the studies is left, what changed, and what needs a person."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tdw.errors import TdwError
from tdw.reconcile.attempts import STOPPED
from tdw.study import Study
from tdw_resources.places import Places
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.fill.time_left import TimeLeft
from tdw_workbench.study_files import StudyFiles
from tdw_workbench.terminal import Screen, count

if TYPE_CHECKING:
    import dagster as dg

_LOOK_EVERY_S = 10.0
_FOREIGN_EVERY_S = 2.0


class StudyWatch:
    """What is still to do, looked at now and then: looking costs more the larger the studies are."""

    def __init__(self, places: Places, files: StudyFiles, instance: dg.DagsterInstance) -> None:
        from tdw_resources.runs.heartbeat import Listener

        self._places, self._files, self._instance = places, files, instance
        self._aside, self._foreign_at = tuple[str, ...](), 0.0
        self._listener, self._listen_at = Listener(), 0.0
        self._problem = ""
        self._work: RemainingWork | None = None
        self._next = 0.0
        self._before: TimeLeft | None = None
        self._started = time.monotonic()
        self._told = False
        self._stopped: tuple[str, ...] = ()
        self.extra = {study.name: self._all_of(study).wanted().extra for study in files.studies}
        """Study -> epochs that its adaptive rule has added."""

    @property
    def loaded(self) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
        """What decides the definitions: the studies and their extra epochs."""
        return tuple(study.fingerprint for study in self._files.studies), dict(self.extra)

    def news(self) -> list[str]:
        """What changed since the last call: the studies' files, and keys in Dagster that name no variant."""
        changed, said = self._files.changes()
        if changed:
            self._next = 0.0
        return [*([said] if said else []), *self._foreign(), *self._silent()]

    def _silent(self) -> list[str]:
        """Ends the runs whose worker is gone, where machines share the database."""
        from tdw_resources.instance import database_errors
        from tdw_resources.runs.heartbeat import EVERY_S, is_shared
        from tdw_resources.slurm_run_launcher import SlurmRunLauncher

        if not is_shared(self._instance) or time.monotonic() < self._listen_at:
            return []
        self._listen_at = time.monotonic() + EVERY_S
        try:
            ended = self._listener.end_silent_runs(self._instance)
            launcher = self._instance.run_launcher
            lost = launcher.fail_lost_starts() if isinstance(launcher, SlurmRunLauncher) else []
        except database_errors():
            return []  # nobody can be judged
        said = [f"Run {run_id[:8]} was ended: its worker is silent." for run_id in ended]
        return said + [
            f"Run {run_id[:8]} failed: its SLURM job ended before it had begun." for run_id in lost
        ]

    def _foreign(self) -> list[str]:
        from tdw_assets.cells.partitions import describe_foreign, foreign_keys
        from tdw_resources.instance import database_errors
        from tdw_resources.wanted import WantedAssets

        if time.monotonic() < self._foreign_at:
            return []
        self._foreign_at, before = time.monotonic() + _FOREIGN_EVERY_S, self._aside
        try:
            several = map(WantedAssets.of, self._files.studies)
            found = [
                describe_foreign(wanted, key)
                for wanted in several
                for key in foreign_keys(wanted, self._instance)
            ]
        except database_errors():
            return []  # the watch says so
        self._aside = tuple(found)
        return [f"Note: {words}." for words in found if words not in before]

    def lines(self, screen: Screen, *, busy: bool) -> list[str]:
        """One line on all of it; says once when there is nothing left."""
        from tdw_resources.runs.progress import read_progress

        now = time.monotonic()
        if now >= self._next:
            self._work = self._try_look(screen)
            cost = time.monotonic() - now
            self._next = time.monotonic() + max(_LOOK_EVERY_S, 20 * cost)
        if self._work is None:
            return []
        if not self._work.variants:
            if not busy and not self._told:
                self._told = True
                screen.say(self._why_nothing(self._work))
            return []
        self._told = False
        time_left = self._work.time_left
        for work in read_progress(Path(self._places.home)):
            time_left.advance(work.variant, work.stage, work.done / max(1, work.total))
        return [time_left.line()]

    def _why_nothing(self, work: RemainingWork) -> str:
        if self._stopped:
            return f"Nothing is left to do but {', '.join(self._stopped)}, {STOPPED}."
        there = count(work.cells_there, "cell")
        what = "study is" if len(self._files.studies) == 1 else "studies are"
        return f"The {what} complete: {there} and everything made from them."

    def _try_look(self, screen: Screen) -> RemainingWork | None:
        """None where it can't be read now: nothing in store or database may end the workbench."""
        try:
            work = self._look()
        except Exception as error:
            text = str(error) if isinstance(error, TdwError) else f"{type(error).__name__}: {error}"
            if text != self._problem:
                screen.say(f"How far the study is can't be told now: {text}")
            self._problem = text
            return None
        self._problem = ""
        return work

    def _look(self) -> RemainingWork:
        from tdw.store import Store

        store, found = Store(self._places.store), list[RemainingWork]()
        self._stopped = ()
        for study in self._files.studies:
            request = self._all_of(study)
            wanted = request.wanted()
            self.extra[study.name] = wanted.extra
            request = self._without_stopped(request, study)
            if request.variants:
                found.append(RemainingWork.find(request, request.wanted(), self._instance, store))
        work = RemainingWork.sum(found)
        # What was done since the start counts as done: the bar is about all of it.
        work.time_left.follow(self._before or TimeLeft(started=self._started))
        self._before = work.time_left
        return work

    def _without_stopped(self, request: FillRequest, study: Study) -> FillRequest:
        """Nobody works on what a person stopped: it does not count as left, and is named."""
        from tdw_resources.runs.stopped import find_stopped, is_comparison_stopped

        stopped = {each.variant for each in find_stopped(self._instance, study.slug)}
        over_all = is_comparison_stopped(self._instance, study.slug)
        left = tuple(variant for variant in request.variants if variant not in stopped)
        named = [variant for variant in request.variants if variant in stopped]
        self._stopped += (*named, *([f"what covers all variants of {study.name}"] if over_all else []))
        return replace(request, variants=left, comparison=not over_all)

    def _all_of(self, study: Study) -> FillRequest:
        """All of a study, as it is now."""
        from tdw_assets.cells.partitions import with_registered
        from tdw_resources.wanted import WantedAssets

        return FillRequest(
            study=study.model_dump(mode="json"),
            store=self._places.store,
            home=str(self._places.home),
            variants=tuple(with_registered(WantedAssets.of(study), self._instance).variants),
        )
