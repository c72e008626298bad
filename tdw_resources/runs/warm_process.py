"""The process that runs are forks of, started beside the code server, so that both are ready together.

It is Python's own `forkserver`, whose protocol is a socket: who knows the address can have forks. It belongs
to the first code server. A later one may be there for changed code, and starts one of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any

import psutil

from tdw_resources.runs.warm_start import PRELOADED, can_fork

WARM_VARIABLE = "TDW_WARM_PROCESS"
"""Tells the code server of the address."""


class WarmProcess:
    """Starts importing at once.

    Args:
        environment: all variables of the runs.
        log: takes its output, and what runs write outside of steps.

    Attributes:
        pid: the process.
        stays: a file descriptor: the process ends when all copies of it are closed.
        variables: for the environment of the code server.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tdw-", dir=environment.get("TMPDIR")))
        address = self._folder / "runs"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen()
            until, self.stays = os.pipe()
            kept = listener.fileno(), until
            program = (
                "import gc, os; gc.disable(); "  # what it imports stays
                # No fork searches or copies what all share.
                "os.register_at_fork(before=gc.freeze, after_in_child=gc.enable); "
                "from tdw.compute import collect_garbage_seldom; collect_garbage_seldom(); "
                f"from multiprocessing.forkserver import main; main(*{kept}, {list(PRELOADED)})"
            )
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", program],
                    env=dict(environment),
                    pass_fds=kept,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            os.close(until)
        self.pid = self._process.pid
        self.variables = {WARM_VARIABLE: str(address)}

    @classmethod
    def start(cls, environment: Mapping[str, str], log: Path) -> WarmProcess | None:
        """One, or None where runs are not forks."""
        return cls(environment, log) if can_fork(environment.get("TMPDIR")) else None

    def end_if_unused(self) -> None:
        """End it once the code server that took it is gone, and all its forks are."""
        if self.stays < 0 or self._process.poll() is not None:
            return
        owners = [int(path.suffix[1:]) for path in self._folder.glob("runs.*")]
        left = not self._folder.exists() or (owners and not psutil.pid_exists(owners[0]))
        if left and not psutil.Process(self.pid).children():
            self.end()

    def end(self) -> None:
        """End it; its forks go on."""
        if self.stays >= 0:
            os.close(self.stays)
            self.stays = -1
        shutil.rmtree(self._folder, ignore_errors=True)


def take_warm_process() -> bool:
    """Have this process fork the warm process that its environment tells of, if it is the first to ask."""
    address = os.environ.get(WARM_VARIABLE, "")
    taken = f"{address}.{os.getpid()}"
    try:
        Path(address).rename(taken)
    except OSError:
        return False
    # Whoever started it may have been killed.
    atexit.register(shutil.rmtree, Path(taken).parent, ignore_errors=True)
    forkserver.connect_to_new_process = _Taken(taken).connect_to_new_process
    return True


class _Taken(forkserver.ForkServer):
    """A forkserver that another process has started; once that is gone, this process's own."""

    def __init__(self, address: str) -> None:
        super().__init__()
        own: Any = self
        own._forkserver_address = address
        own._forkserver_alive_fd = os.open(os.devnull, os.O_RDONLY)  # each fork gets it, and none reads it
        self._next = forkserver.connect_to_new_process

    def ensure_running(self) -> None:
        resource_tracker.ensure_running()

    def connect_to_new_process(self, fds: Sequence[int]) -> tuple[int, int]:
        try:
            return super().connect_to_new_process(fds)
        except (ConnectionError, FileNotFoundError):
            return self._next(fds)
