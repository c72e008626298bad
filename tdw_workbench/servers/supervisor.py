"""Dagster's processes under one parent: code server, daemon, webserver. All start, all stop, none is left.

One code server is shared, so that the code is loaded once. A process that dies is started again. On the way
out running work is interrupted first, so that Dagster records it as stopped; what doesn't end is killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil
import yaml

from tdw.errors import TdwError
from tdw_resources.dagster_internals import DAEMON
from tdw_resources.places import log_folder
from tdw_resources.runs.liveness import SUPERVISOR_VARIABLE, identity
from tdw_resources.runs.own_runs import LOCATION
from tdw_resources.runs.warm_start import is_run
from tdw_workbench.children import child_environment, python_command, short_temporary_folder
from tdw_workbench.servers.ports import HOST, answers, free_port, require_free

_RUN_GRACE_S = 12.0
_SERVER_GRACE_S = 8.0
_MAX_RESTARTS = 5
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_RESTARTS_COUNT_FOR_S = 300.0


@dataclass
class _Server:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)


@dataclass
class Supervisor:
    """Runs the servers of one Dagster home. Use as a context manager: leaving it stops everything.

    Attributes:
        home: the Dagster home; logs go to `log_folder(home)`.
        port: of the webserver.
        environment: variables that every child gets beside our own.
    """

    home: Path
    port: int
    environment: Mapping[str, str]
    _servers: list[_Server] = field(default_factory=list)
    _temporary: Path | None = None

    def __enter__(self) -> Supervisor:
        require_free(self.port)
        log_folder(self.home).mkdir(parents=True, exist_ok=True)
        code_port = free_port()
        workspace = self.home / "tdw_workspace.yaml"  # a workspace.yaml there would be a person's own
        server = {"host": HOST, "port": code_port, "location_name": LOCATION}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        code = ["dagster", "code-server", "start", "-m", "tdw_assets.definitions", "-h", HOST]
        code += ["-p", str(code_port), "--location-name", LOCATION, "--use-python-environment-entry-point"]
        # Dagster puts the working directory in front of the path of imports: one that holds no code.
        code += ["--working-directory", str(log_folder(self.home))]
        web = ["tdw_workbench.web", "-h", HOST, "-p", str(self.port), "-w", str(workspace)]
        after = ["--after", str(code_port)]
        self._servers = [
            _Server("code server", code),
            _Server("daemon", [*after, f"{DAEMON}.cli", DAEMON, "run", "-w", str(workspace)]),
            _Server("webserver", [*after, "tdw_workbench.web.webserver", *web]),
        ]
        self._temporary = short_temporary_folder()
        try:
            for server in self._servers:
                self._start(server)
            self._await_port(self._servers[0], code_port)
            self._await_port(self._servers[2], self.port)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def revive(self) -> list[str]:
        """Start what died again; what happened, in words.

        Raises:
            TdwError: a server dies again and again; names its log.
        """
        said: list[str] = []
        for server in self._servers:
            if server.process is None or server.process.poll() is None:
                continue
            now = time.monotonic()
            server.starts = [start for start in server.starts if now - start < _RESTARTS_COUNT_FOR_S]
            if len(server.starts) > _MAX_RESTARTS:
                raise TdwError(
                    f"the {server.name} died {len(server.starts)} times within minutes",
                    f"see {self.log(server.name)}",
                )
            said.append(f"The {server.name} ended (exit code {server.process.returncode}); started again.")
            self._start(server)
        return said

    def stop(self) -> None:
        """Stop everything below this process; returns when nothing is left."""
        try:
            self._end_all()
        finally:
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)

    def _end_all(self) -> None:
        running = {s.name: s.process for s in self._servers if s.process and s.process.poll() is None}
        family = _descendants()
        daemon, code = running.get("daemon"), running.get("code server")
        if daemon:  # first, so that nothing new is launched
            daemon.send_signal(signal.SIGTERM)
        if code:
            _interrupt_runs(code.pid)
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        family |= _descendants()
        _, alive = psutil.wait_procs(family, timeout=_SERVER_GRACE_S)
        for process in alive:
            _quietly(process.kill)
        psutil.wait_procs(alive, timeout=5)
        for process in running.values():
            process.wait()

    def last_lines(self, name: str) -> str:
        """The end of a server's log."""
        with contextlib.suppress(OSError):
            text = _COLOR.sub("", self.log(name).read_text(errors="replace"))
            return "\n  ".join(text.splitlines()[-8:])
        return ""

    def log(self, name: str) -> Path:
        """The log of a server."""
        return log_folder(self.home) / f"{name.replace(' ', '_')}.log"

    def _start(self, server: _Server) -> None:
        environment = {
            # On a machine that is busy training, a launch takes longer than Dagster's minute, and the daemon
            # would count a run as failed that is about to start.
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",
            **child_environment(self.environment),
            SUPERVISOR_VARIABLE: identity(),
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            **({"TMPDIR": str(self._temporary)} if self._temporary else {}),
        }
        server.starts.append(time.monotonic())
        with self.log(server.name).open("ab") as log:
            # A session of its own: Ctrl-C reaches us alone, and we stop the others in order.
            server.process = subprocess.Popen(
                python_command("tdw_workbench.servers.run_supervised", *server.command),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await_port(self, server: _Server, port: int, *, timeout_s: float = 180.0) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if server.process is not None and server.process.poll() is not None:
                break
            if answers(port):
                return
            time.sleep(0.1)
        raise TdwError(
            f"the {server.name} did not start:\n  {self.last_lines(server.name)}",
            f"see {self.log(server.name)}",
        )


def _interrupt_runs(code_server: int) -> None:
    """Interrupt the runs that the code server has started, and give them time to say that they stopped."""
    runs = [p for p in _below(code_server) if _is_run(p)]
    for run in runs:
        _quietly(lambda run=run: run.send_signal(signal.SIGINT))
    psutil.wait_procs(runs, timeout=_RUN_GRACE_S)


def _is_run(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
        return is_run(process.cmdline(), parent.cmdline() if parent else [])
    except psutil.Error:
        return False


def _below(pid: int) -> Iterable[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _descendants() -> set[psutil.Process]:
    return set(_below(os.getpid()))


def _quietly(action: Callable[[], object]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        action()
