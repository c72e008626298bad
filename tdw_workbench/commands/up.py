"""Start Dagster's UI and daemon, and carry the study out in the background until Ctrl-C.

The `reconcile` sensor requests what is missing: train, analyze, summarize, plot. Stopped at any time, the
next `tdw up` goes on. Everything listens on 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tdw.epochs import format_epochs
from tdw.errors import Busy
from tdw.store.lock import exclusive
from tdw.study import Study, load_study
from tdw_resources.places import Places, find_places
from tdw_workbench.cli import add_places
from tdw_workbench.fill.order import Order
from tdw_workbench.fill.remaining import Work
from tdw_workbench.interrupts import take_signals
from tdw_workbench.servers.supervisor import HOST, Supervisor, require_free
from tdw_workbench.terminal import Screen, count

if TYPE_CHECKING:
    import dagster as dg

PORT = 3000
_EVERY_S = 0.5
_SURVEY_EVERY_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw up`."""
    add_places(parser)
    parser.add_argument("--port", type=int, default=PORT, help="of the UI (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Start, show, stop."""
    places = find_places(options.store, study=options.study)
    study = load_study(places.study)
    require_free(options.port)
    try:
        with exclusive(places.home / "up.lock", wait_s=0):
            return _run(places, study, options.port)
    except Busy as error:
        if "up.lock" not in error.what:
            raise
        raise Busy(
            f"a workbench already runs on {places.home}",
            "use that one, stop it, or give another --store",
        ) from None


def _run(places: Places, study: Study, port: int) -> int:
    from tdw_assets.cells.partitions import register_variants
    from tdw_assets.cells.wanted import Grid
    from tdw_resources.instance import end_left_runs, open_instance, size_pools

    screen = Screen()
    screen.say(f"Study {study.name}: {count(len(study.configs), 'variant')}, {places.study}")
    screen.say(f"Results: {places.store}")
    with open_instance(places.home) as instance:
        size_pools(instance)
        end_left_runs(instance)
        grid = Grid.of(study)
        register_variants(grid, instance, grid.variants)
        # A kill of this process is followed by the servers; a polite end takes the way of Ctrl-C.
        take_signals(signal.SIGTERM)
        survey = _Survey(places, study, instance)
        screen.say("Starting Dagster ...")
        with Supervisor(
            places.home, port, places.environment() | {"TDW_BASE_URL": f"http://{HOST}:{port}"}
        ) as supervisor:
            address = f"http://{HOST}:{port}"
            screen.say(f"\n  Dagster   {address}\n  Overview  {address}/tdw/\n\nCtrl-C stops everything.\n")
            try:
                _watch(supervisor, survey, places, screen)
            finally:
                screen.close()
                screen.say("Stopping ...")
    screen.say("Stopped. The next `tdw up` goes on from here.")
    return 0


def _watch(supervisor: Supervisor, survey: _Survey, places: Places, screen: Screen) -> None:
    """Show how far the study is until Ctrl-C."""
    from tdw_resources.progress import read_progress

    loaded = survey.extra  # by the code server: it was started after the survey was made
    try:
        while True:
            for line in supervisor.revive():
                screen.say(line)
            lines = [f"  {work.stage:9} {work.text}" for work in read_progress(places.home)]
            screen.paint([*lines, *survey.lines(screen, busy=bool(lines))])
            if survey.extra != loaded and supervisor.reload_code():
                loaded = survey.extra
                screen.say(f"Extra checkpoints were chosen: {format_epochs(loaded) or 'none'}.")
            time.sleep(_EVERY_S)
    except KeyboardInterrupt:
        return


class _Survey:
    """What is still to do, looked at now and then: looking costs more the larger the study is."""

    def __init__(self, places: Places, study: Study, instance: dg.DagsterInstance) -> None:
        self._places, self._study, self._instance = places, study, instance
        self._work: Work | None = None
        self._next = 0.0
        self._total = 0.0
        self._started = time.monotonic()
        self._told = False
        self.extra = self._order().grid().extra
        """Epochs that the study's adaptive rule has added."""

    def lines(self, screen: Screen, *, busy: bool) -> list[str]:
        """One line on all of it; says once when there is nothing left."""
        from tdw_resources.progress import read_progress

        now = time.monotonic()
        if now >= self._next:
            self._work = self._look()
            cost = time.monotonic() - now
            self._next = time.monotonic() + max(_SURVEY_EVERY_S, 20 * cost)
        if self._work is None:
            return []
        if not self._work.variants:
            if not busy and not self._told:
                self._told = True
                there = count(self._work.cells_there, "cell")
                screen.say(f"The study is complete: {there} and everything made from them.")
            return []
        self._told = False
        effort = self._work.effort
        for work in read_progress(Path(self._places.home)):
            effort.advance(work.variant, work.stage, work.done / max(1, work.total))
        return [effort.line()]

    def _look(self) -> Work:
        from tdw.store import Store

        order = self._order()
        grid = order.grid()
        self.extra = grid.extra
        work = Work.find(order, grid, self._instance, Store(self._places.store))
        self._total = max(self._total, work.effort.total)
        # What was done since the start counts as done: the bar and the time left are about all of it.
        work.effort.total, work.effort.started = self._total, self._started
        return work

    def _order(self) -> Order:
        """All of the study, as it is now."""
        from tdw_assets.cells.partitions import with_registered
        from tdw_assets.cells.wanted import Grid

        return Order(
            study=self._study.model_dump(mode="json"),
            store=self._places.store,
            home=str(self._places.home),
            variants=tuple(with_registered(Grid.of(self._study), self._instance).variants),
        )
