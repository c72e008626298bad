"""Start Dagster's UI and daemon, and carry out studies in the background until Ctrl-C.

Each study has a sensor, `<study>_reconcile`, that requests what is missing: train, analyze, summarize, plot.
Stopped at any time, the next `tdw up` goes on. Everything listens on 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tdw.epochs import format_epochs
from tdw.errors import Busy, TdwError
from tdw.store.lock import exclusive
from tdw.study import Study, load_studies
from tdw_resources.places import Places
from tdw_workbench.cli import add_studies, places_of
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.interrupts import take_signals
from tdw_workbench.location import LocationWatch, location_problem, reload_code
from tdw_workbench.servers.supervisor import HOST, Supervisor, require_free
from tdw_workbench.terminal import Screen, count
from tdw_workbench.watching import StudyFiles
from tdw_workbench.web.http.settings import settings_from_environment

if TYPE_CHECKING:
    import dagster as dg

PORT = 3000
_EVERY_S = 0.5
_SURVEY_EVERY_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw up`."""
    add_studies(parser)
    parser.add_argument("--port", type=int, default=PORT, help="of the UI (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Start, show, stop."""
    places = places_of(options)
    studies = load_studies(places.studies)
    prefix = settings_from_environment(places.store, study=places.studies).prefix
    require_free(options.port)
    try:
        with exclusive(places.home / "up.lock", wait_s=0):
            return _run(places, studies, options.port, prefix)
    except Busy as error:
        if "up.lock" not in error.what:
            raise
        raise Busy(
            f"a workbench already runs on {places.home}",
            "use that one, stop it, or give another --store",
        ) from None


def _run(places: Places, studies: Sequence[Study], port: int, prefix: str) -> int:
    from tdw_assets.cells.partitions import register_variants
    from tdw_assets.cells.wanted import WantedAssets
    from tdw_resources.instance import end_left_runs, open_instance, size_pools
    from tdw_resources.progress import clear_progress
    from tdw_workbench.adoption import adoption_note, require_undisputed

    screen = Screen()
    for study, path in zip(studies, places.studies, strict=True):
        screen.say(f"Study {study.name}: {count(len(study.configs), 'variant')}, {path}")
    screen.say(f"Results: {places.store}")
    with open_instance(places.home) as instance:
        _require_alone(instance, places.home)
        size_pools(instance)
        end_left_runs(instance)
        clear_progress(places.home)
        for wanted in map(WantedAssets.of, studies):
            require_undisputed(wanted, instance, places.store)
            note = adoption_note(wanted, instance, places)
            if note:
                screen.say(note)
            register_variants(wanted, instance, wanted.variants)
        # A kill of this process is followed by the servers; a polite end takes the way of Ctrl-C.
        take_signals(signal.SIGTERM)
        files = StudyFiles(places, studies)
        watch = _StudyWatch(places, files, instance)
        screen.say("Starting Dagster ...")
        address = f"http://{HOST}:{port}{prefix}"
        base = os.environ.get("TDW_BASE_URL") or address
        environment = places.environment() | files.environment | {"TDW_BASE_URL": base}
        with Supervisor(places.home, port, environment) as supervisor:
            screen.say(f"\n  Dagster   {address}\n  Overview  {address}/tdw/\n\nCtrl-C stops everything.\n")
            try:
                _watch(supervisor, watch, address, screen)
            finally:
                screen.close()
                screen.say("Stopping ...")
    screen.say("Stopped. The next `tdw up` goes on from here.")
    return 0


def _require_alone(instance: dg.DagsterInstance, home: Path) -> None:
    """Dagster's daemon looks after every run of a home, and fails those whose code location it does not have.

    Raises:
        Busy: other projects have unfinished runs in this home; names some. None of them was touched.
    """
    from tdw_resources.own_runs import unfinished_runs_of_others

    others = unfinished_runs_of_others(instance)
    if others:
        named = ", ".join(f"{run.run_id[:8]} ({run.job_name}, {run.status.value})" for run in others[:3])
        raise Busy(
            f"{home}: {count(len(others), 'unfinished run')} of other projects, such as {named}; a daemon of "
            "ours would end them",
            "leave --home and $TDW_DAGSTER_HOME out, so that the store has its own home; or let them end",
        )


def _watch(supervisor: Supervisor, watch: _StudyWatch, address: str, screen: Screen) -> None:
    """Show how far the studies are until Ctrl-C.

    Raises:
        TdwError: the code location can't be loaded, or a server dies again and again.
    """
    from tdw_resources.progress import read_progress

    location = LocationWatch(
        problem=lambda: location_problem(address),
        last_lines=lambda: supervisor.last_lines("code server"),
        log=str(supervisor.log("code server")),
    )
    loaded = watch.loaded  # by the code server: it was started after the watch began
    try:
        while True:
            for line in (*supervisor.revive(), *location.look()):
                screen.say(line)
            for line in watch.news():
                screen.say(line)
            lines = [f"  {work.stage:9} {work.text}" for work in read_progress(supervisor.home)]
            lines += watch.lines(screen, busy=bool(lines))
            screen.paint(["  waiting for Dagster to load the code location"] if location.waiting else lines)
            if watch.loaded != loaded and reload_code(address):
                before, loaded = loaded, watch.loaded
                for name, extra in watch.extra.items():
                    if extra != before[1].get(name, ()):
                        epochs = format_epochs(extra) or "none"
                        screen.say(f"Extra checkpoints of study {name} were chosen: {epochs}.")
            time.sleep(_EVERY_S)
    except KeyboardInterrupt:
        return


class _StudyWatch:
    """What is still to do, looked at now and then: looking costs more the larger the studies are."""

    def __init__(self, places: Places, files: StudyFiles, instance: dg.DagsterInstance) -> None:
        from tdw_resources.heartbeat import Listener

        self._places, self._files, self._instance = places, files, instance
        self._aside: tuple[str, ...] = ()
        self._listener, self._listen_at = Listener(), 0.0
        self._problem = ""
        self._work: RemainingWork | None = None
        self._next = 0.0
        self._total = 0.0
        self._started = time.monotonic()
        self._told = False
        self.extra = {study.name: self._order(study).wanted().extra for study in files.studies}
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
        """Ends the runs of other machines whose worker is gone, where machines share the database."""
        from tdw_resources.heartbeat import EVERY_S, is_shared

        if not is_shared(self._instance) or time.monotonic() < self._listen_at:
            return []
        self._listen_at = time.monotonic() + EVERY_S
        try:
            ended = self._listener.end_silent_runs(self._instance)
        except Exception:
            return []  # the database is away: nobody can be judged
        return [f"Run {run_id[:8]} was ended: its worker on another machine is silent." for run_id in ended]

    def _foreign(self) -> list[str]:
        from tdw_assets.cells.partitions import describe_foreign, foreign_keys
        from tdw_assets.cells.wanted import WantedAssets

        before = self._aside
        try:
            several = map(WantedAssets.of, self._files.studies)
            found = [
                describe_foreign(wanted, key)
                for wanted in several
                for key in foreign_keys(wanted, self._instance)
            ]
        except Exception:
            return []  # the database is busy, or broken: the watch says so
        self._aside = tuple(found)
        return [f"Note: {words}." for words in found if words not in before]

    def lines(self, screen: Screen, *, busy: bool) -> list[str]:
        """One line on all of it; says once when there is nothing left."""
        from tdw_resources.progress import read_progress

        now = time.monotonic()
        if now >= self._next:
            self._work = self._try_look(screen)
            cost = time.monotonic() - now
            self._next = time.monotonic() + max(_SURVEY_EVERY_S, 20 * cost)
        if self._work is None:
            return []
        if not self._work.variants:
            if not busy and not self._told:
                self._told = True
                there = count(self._work.cells_there, "cell")
                what = "study is" if len(self._files.studies) == 1 else "studies are"
                screen.say(f"The {what} complete: {there} and everything made from them.")
            return []
        self._told = False
        time_left = self._work.time_left
        for work in read_progress(Path(self._places.home)):
            time_left.advance(work.variant, work.stage, work.done / max(1, work.total))
        return [time_left.line()]

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
        for study in self._files.studies:
            request = self._order(study)
            wanted = request.wanted()
            self.extra[study.name] = wanted.extra
            found.append(RemainingWork.find(request, wanted, self._instance, store))
        work = RemainingWork.sum(found)
        self._total = max(self._total, work.time_left.total)
        # What was done since the start counts as done: the bar and the time left are about all of it.
        work.time_left.total, work.time_left.started = self._total, self._started
        return work

    def _order(self, study: Study) -> FillRequest:
        """All of a study, as it is now."""
        from tdw_assets.cells.partitions import with_registered
        from tdw_assets.cells.wanted import WantedAssets

        return FillRequest(
            study=study.model_dump(mode="json"),
            store=self._places.store,
            home=str(self._places.home),
            variants=tuple(with_registered(WantedAssets.of(study), self._instance).variants),
        )
