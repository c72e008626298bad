"""The real processes: `tdw fill`, its workers, and all that `tdw up` starts, killed while they work."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import yaml

from .checks import Watch
from .dagster_work import EventWatch, definitions, fill_everything, home_of, prepare, read_events
from .killing import run_child
from .outcome import Outcome, Run
from .work import ANALYZERS, EPOCHS, VARIANTS

_REPOSITORY = Path(__file__).resolve().parents[2]
HELD = (
    "no corrupt file visible, no committed file or event lost, no cell recorded twice, nothing left behind; "
    "the study is completed with the bytes of undisturbed work"
)


def fill_killed(run: Run) -> Outcome:
    """`tdw fill` itself is killed, or one of its workers."""
    outcome = Outcome("SIGKILL of `tdw fill` and of its worker processes", HELD)
    reference = _reference(run)
    round_ = 0
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        study = _study(root)
        watch, events = Watch(root, reference, outcome), None
        while not run.over:
            with _tdw("fill", root, study) as process:
                time.sleep(3 + 9 * run.random.random())
                if process.poll() is not None:
                    break
                workers = psutil.Process(process.pid).children(recursive=True)
                family = [psutil.Process(process.pid), *workers]
                victim = run.random.choice(["fill", "worker", "all"])
                victims = {"fill": family[:1], "worker": workers[:1], "all": family}[victim]
                killed = [_kill(one) for one in victims].count(True)
                outcome.injected += killed
                outcome.deaths += killed
                outcome.notes[f"killed: {victim}"] += 1
                if victim != "worker":
                    _, alive = psutil.wait_procs(workers, timeout=15)
                    outcome.require(not alive, f"workers outlive `tdw fill`: {alive}")
                else:
                    process.wait(timeout=240)
                    break
            if (home_of(root) / "history" / "runs" / "index.db").exists():
                events = events or EventWatch(root)
                events.look(outcome.lose, when=f"after {victim} was killed")
            watch.look([], when=f"after {victim} was killed")
        with _tdw("fill", root, study) as process:
            outcome.require(process.wait(timeout=300) == 0, f"the last fill failed: {_log(root)}")
        watch.finish()
        EventWatch(root).finish(outcome.lose, reference)
    outcome.notes["studies completed"] += round_
    return outcome


def up_killed(run: Run) -> Outcome:
    """Daemon, webserver, code server, run workers and `tdw up` itself are killed while it works."""
    outcome = Outcome(
        "SIGKILL of daemon, webserver, code server, run workers and `tdw up` while it works", HELD
    )
    reference = _reference(run)
    wanted = read_events(reference).keys()
    root = run.folder("store")
    study = _study(root)
    watch = Watch(root, reference, outcome)
    events: EventWatch | None = None
    quiet_since = time.monotonic()
    give_up = time.monotonic() + max(run.seconds, 60) + 240
    victims = ["daemon", "run", "webserver", "run", "code server", "daemon", "up", "run", "webserver"]
    index = home_of(root) / "history" / "runs" / "index.db"
    while time.monotonic() < give_up:
        with _tdw("up", root, study, "--port", str(_free_port())) as process:
            while process.poll() is None and time.monotonic() < give_up:
                time.sleep(0.5)
                if index.exists() and wanted <= read_events(root).keys():
                    break
                if time.monotonic() - quiet_since < 6 or not victims or run.over:
                    continue
                named = _servers(process.pid)
                if victims[0] not in named:
                    continue  # it is not running at this moment
                victim = victims.pop(0)
                if not _kill(named[victim]):
                    continue
                outcome.injected += 1
                outcome.deaths += 1
                outcome.notes[f"killed: {victim}"] += 1
                quiet_since = time.monotonic()
                time.sleep(0.5)
                watch.look([], when=f"after {victim} was killed")
                if index.exists():
                    events = events or EventWatch(root)
                    events.look(lambda what: _only_cells(outcome, what), when=f"after {victim} was killed")
            below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            complete = index.exists() and wanted <= read_events(root).keys()
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=60)
            _, alive = psutil.wait_procs(below, timeout=15)
            outcome.require(not alive, f"processes outlive `tdw up`: {alive}")
        if complete:
            break
    outcome.require(wanted <= read_events(root).keys(), f"`tdw up` did not complete the study: {_log(root)}")
    definitions(root)
    ended = run_child(lambda: fill_everything(root), root)
    outcome.require(ended.code == 0, f"the fill after it failed: {ended.words}")
    watch.finish()
    repeated = {cell: n for cell, n in read_events(root).items() if n > 1}
    for cell, number in repeated.items():
        _only_cells(outcome, f"{cell} is recorded {number} times")
    outcome.notes["tables and plots recorded again because their inputs grew"] += sum(
        number - 1 for cell, number in repeated.items() if not _is_cell(str(cell))
    )
    return outcome


# How it is done


def _is_cell(what: str) -> bool:
    return any(f'"{name}"' in what for name in ("checkpoint", *ANALYZERS)) and "summaries" not in what


def _only_cells(outcome: Outcome, what: str) -> None:
    """Tables and plots may be made anew when more has come in; a cell may not."""
    if _is_cell(what) or "is gone" in what:
        outcome.lose(what)


def _reference(run: Run) -> Path:
    reference = run.folder("reference")
    prepare(reference)
    definitions(reference)
    ended = run_child(lambda: fill_everything(reference), reference)
    if ended.code != 0:
        raise RuntimeError(f"undisturbed work fails:\n{ended.words}")
    return reference


def _study(root: Path) -> Path:
    """The study as a file, beside the store."""
    path = root.parent / f"{root.name}.yaml"
    plain = {
        "name": "faults",
        "family": "modulo_addition_1layer",
        "variants": list(VARIANTS),
        "epochs": EPOCHS[-1],
        "checkpoints": list(EPOCHS),
        "analyzers": list(ANALYZERS),
        "training": {"state_every": 5, "test_every": 2, "device": "cpu"},
    }
    path.write_text(yaml.safe_dump(plain))
    return path


@contextlib.contextmanager
def _tdw(command: str, root: Path, study: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`tdw` as a person starts it; whatever it started is gone afterwards."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TDW_", "DAGSTER_"))}
    with (root.parent / f"{root.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tdw_workbench.cli",
                command,
                "--store",
                str(root),
                "--study",
                str(study),
                *options,
            ],
            cwd=_REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for one in family:
                _kill(one)
        process.wait()


def _servers(pid: int) -> dict[str, psutil.Process]:
    """What `tdw up` runs, by name; "run" is the worker of a run."""
    marks: dict[str, Callable[[str], bool]] = {
        "code server": lambda line: "code-server" in line,
        "daemon": lambda line: "dagster._daemon" in line,
        "webserver": lambda line: "tdw_workbench.web" in line,
        "run": lambda line: "--multiprocessing-fork" in line,
    }
    found = {"up": psutil.Process(pid)}
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                found |= {name: process for name, fits in marks.items() if fits(line) and name not in found}
    return found


def _kill(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log(root: Path) -> str:
    path = root.parent / f"{root.name}.log"
    return path.read_text()[-600:] if path.exists() else ""
