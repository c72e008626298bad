"""A server that is a fork of this process: it shares what is imported here, and waits until it may start.

So Dagster is imported once for all servers, while `tdw up` still looks whether it may start them. A process
that is forked may have no connection and no thread of Python's. Linux alone: elsewhere a fork is not safe.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tdw_workbench.servers import run_supervised


class ForkedServer:
    """A fork that imports `modules` and then waits; as much of `subprocess.Popen` as a supervisor needs.

    It ends by itself when this process ends or `give_up` is called before it was told to start.

    Args:
        name: of the server, as `ps` shows it.
        modules: to be imported; what can't be is reported when the server starts.
        environment: all variables of the server.
        not_kept: file descriptors that it must not hold open.

    Attributes:
        line: file descriptor of the line to it; -1 once it was told.
        pid: its process.
    """

    def __init__(
        self,
        name: str,
        modules: Sequence[str],
        environment: Mapping[str, str],
        *,
        not_kept: Sequence[int] = (),
    ) -> None:
        line, self.line = os.pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_wait_and_run, args=(name, line, (self.line, *not_kept), modules, environment)
        )
        self._process.start()
        os.close(line)
        self.pid = self._process.pid or 0

    def start(self, command: Sequence[str], log: Path) -> None:
        """Run `command` (see `run_supervised`), its output appended to `log`."""
        with contextlib.suppress(BrokenPipeError):  # it has died: its exit code says so
            os.write(self.line, json.dumps({"command": list(command), "log": str(log)}).encode())
        self.give_up()

    def give_up(self) -> None:
        """Have it end, if it was not told to start."""
        if self.line >= 0:
            os.close(self.line)
            self.line = -1

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # somebody else has waited for it
                os.kill(self.pid, number)

    def wait(self) -> None:
        """Until it has ended."""
        self._process.join()


def _wait_and_run(
    name: str, line: int, not_kept: Sequence[int], modules: Sequence[str], environment: Mapping[str, str]
) -> None:
    with contextlib.suppress(OSError):  # a name for people
        Path("/proc/self/comm").write_text(f"tdw {name}")
    for number in not_kept:  # the end of the other process ends the line
        os.close(number)
    os.setsid()  # Ctrl-C reaches the supervisor alone, which stops the servers in order
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not sys.flags.safe_path:
        del sys.path[0]  # the script's folder, or the working folder
    os.environ.clear()
    os.environ.update(environment)
    _write_to(os.devnull)
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    with os.fdopen(line, "rb") as told:
        order = told.read()
    if not order:
        return
    values = json.loads(order)
    _write_to(values["log"])
    sys.argv = [run_supervised.__name__, *values["command"]]
    run_supervised.main()


def _write_to(path: str) -> None:
    """Standard output and error, this process's own and those of what it starts."""
    with Path(path).open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
