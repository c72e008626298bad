"""`tdw` as a person starts it: real processes, their names, their deaths."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import yaml

from tdw_resources.runs.warm_start import is_run

from ..work import ANALYZERS, EPOCHS, VARIANTS

_REPOSITORY = Path(__file__).resolve().parents[3]
HELD = (
    "no corrupt file visible, no committed file or event lost, no cell recorded twice, nothing left behind; "
    "the study is completed with the bytes of undisturbed work"
)


def write_study(root: Path) -> Path:
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
def tdw(command: str, root: Path, study: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
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
                kill(one)
        process.wait()


def servers(pid: int) -> dict[str, psutil.Process]:
    """What `tdw up` runs, by name; "run" is the worker of a run."""

    def server(name: str, part: str) -> Callable[[psutil.Process], bool]:
        # Forks have a name; those that were started again have a command line.
        return lambda process: process.name() == f"tdw {name}" or part in process.cmdline()

    marks: dict[str, Callable[[psutil.Process], bool]] = {
        "code server": server("code server", "code-server"),
        "daemon": server("daemon", "dagster._daemon"),
        "webserver": server("webserver", "tdw_workbench.web"),
        "run": lambda process: is_run(process.cmdline(), psutil.Process(process.ppid()).cmdline()),
    }
    found = {"up": psutil.Process(pid)}
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                found |= {
                    name: process for name, fits in marks.items() if name not in found and fits(process)
                }
    return found


def kill(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def log_of(root: Path) -> str:
    path = root.parent / f"{root.name}.log"
    return path.read_text()[-600:] if path.exists() else ""
