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
from tdw.errors import Busy
from tdw.store.lock import exclusive
from tdw.study import Study, load_studies
from tdw_resources.places import LAST_GOOD_VARIABLE, Places, last_good_folder
from tdw_workbench.cli import add_studies, places_of
from tdw_workbench.interrupts import take_signals
from tdw_workbench.location import LocationWatch, location_problem, reload_code
from tdw_workbench.servers.ports import HOST, require_free
from tdw_workbench.servers.supervisor import Supervisor
from tdw_workbench.study_files import StudyFiles
from tdw_workbench.study_watch import StudyWatch
from tdw_workbench.terminal import Screen, count
from tdw_workbench.web.http.settings import settings_from_environment

if TYPE_CHECKING:
    import dagster as dg

PORT = 3000
_EVERY_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw up`."""
    add_studies(parser)
    parser.add_argument("--port", type=int, default=PORT, help="of the UI (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Start, show, stop."""
    require_free(options.port)
    places = places_of(options)
    studies = load_studies(places.studies)
    prefix = settings_from_environment(places.store, study=places.studies).prefix
    address = f"http://{HOST}:{options.port}{prefix}"
    environment = {
        **places.environment(),
        LAST_GOOD_VARIABLE: str(last_good_folder(places.home)),
        "TDW_BASE_URL": os.environ.get("TDW_BASE_URL") or address,
    }
    try:
        with (
            Supervisor(places.home, options.port, environment) as supervisor,
            exclusive(places.home / "up.lock", wait_s=0),
        ):
            return _run(places, studies, supervisor, address)
    except Busy as error:
        if "up.lock" not in error.what:
            raise
        raise Busy(
            f"a workbench already runs on {places.home}",
            "use that one, stop it, or give another --store",
        ) from None


def _run(places: Places, studies: Sequence[Study], supervisor: Supervisor, address: str) -> int:
    from tdw_assets.cells.partitions import register_variants
    from tdw_resources.instance import end_left_runs, open_instance, size_pools
    from tdw_resources.runs.progress import clear_progress
    from tdw_resources.wanted import WantedAssets
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
        watch = StudyWatch(places, files, instance)
        screen.say("Starting Dagster ...")
        try:
            supervisor.start()
            screen.say(f"\n  Dagster   {address}\n  Overview  {address}/tdw/\n\nCtrl-C stops everything.\n")
            _watch(supervisor, watch, address, screen)
        finally:
            screen.close()
            screen.say("Stopping ...")
            supervisor.stop()  # while the lock is held
    screen.say("Stopped. The next `tdw up` goes on from here.")
    return 0


def _require_alone(instance: dg.DagsterInstance, home: Path) -> None:
    """Dagster's daemon looks after every run of a home, and fails those whose code location it does not have.

    Raises:
        Busy: other projects have unfinished runs in this home; names some. None of them was touched.
    """
    from tdw_resources.runs.own_runs import unfinished_runs_of_others

    others = unfinished_runs_of_others(instance)
    if others:
        named = ", ".join(f"{run.run_id[:8]} ({run.job_name}, {run.status.value})" for run in others[:3])
        raise Busy(
            f"{home}: {count(len(others), 'unfinished run')} of other projects, such as {named}; a daemon of "
            "ours would end them",
            "leave --home and $TDW_DAGSTER_HOME out, so that the store has its own home; or let them end",
        )


def _watch(supervisor: Supervisor, watch: StudyWatch, address: str, screen: Screen) -> None:
    """Show how far the studies are until Ctrl-C.

    Raises:
        TdwError: the code location can't be loaded, or a server dies again and again.
    """
    from tdw_resources.runs.progress import read_progress

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
