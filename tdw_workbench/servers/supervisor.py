"""Dagster's processes under one parent: code server, daemon, webserver. All start, all stop, none is left.

One code server is shared, so that the code is loaded once. A process that dies is started again. On the way
out running work is interrupted first, so that Dagster records it as stopped; what doesn't end is killed.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil
import yaml

from tdw.errors import TdwError
from tdw_resources.links import LOCATION
from tdw_resources.places import log_folder
from tdw_resources.runs.liveness import SUPERVISOR_VARIABLE, identity
from tdw_resources.runs.warm_process import WarmProcess
from tdw_workbench.children import child_environment, python_command, short_temporary_folder
from tdw_workbench.servers.below import below, interrupt_runs
from tdw_workbench.servers.forked_server import ForkedServer
from tdw_workbench.servers.ports import HOST, answers, free_port, require_free

DAEMON = "dagster._daemon"
"""Module that `python -m` runs as the daemon."""
_CODE, _DAEMON, _WEB = "code server", "daemon", "webserver"
SHARED = ("tdw_resources.instance", "dagster._cli.code_server", f"{DAEMON}.cli")
"""Modules that are imported before the servers are forked."""
_OWN: dict[str, tuple[str, ...]] = {_CODE: (), _DAEMON: (), _WEB: ("tdw_workbench.web.webserver",)}
"""Server -> modules that it imports while it is not told to start."""
_SERVER_GRACE_S = 8.0
_MAX_RESTARTS = 5
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_RESTARTS_COUNT_FOR_S = 300.0


@dataclass
class _Server:
    name: str
    command: list[str] = field(default_factory=list[str])
    process: subprocess.Popen[bytes] | ForkedServer | None = None
    starts: list[float] = field(default_factory=list)


@dataclass
class Supervisor:
    """Runs the servers of one Dagster home. Use as a context manager: leaving it stops everything.

    On entering, processes are made that import what the servers need; `start` starts the servers. Until then
    nothing is written into a home that may be somebody else's.

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
    _warm: WarmProcess | None = None

    def __enter__(self) -> Supervisor:
        self._temporary = short_temporary_folder()
        self._servers = [_Server(name) for name in _OWN]
        try:
            self._get_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def start(self) -> None:
        """Start the servers; returns when they answer.

        Raises:
            TdwError: the port is taken, or a server does not start; names its log.
        """
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
        commands = {
            _CODE: code,
            _DAEMON: [*after, f"{DAEMON}.cli", DAEMON, "run", "-w", str(workspace)],
            _WEB: [*after, "tdw_workbench.web.webserver", *web],
        }
        for server in self._servers:
            server.command = commands[server.name]
            self._start(server)
        self._await_port(self._servers[0], code_port)
        self._await_port(self._servers[2], self.port)

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
        if self._warm:
            self._warm.end_if_unused()
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
            said.append(f"The {server.name} ended (exit code {server.process.poll()}); started again.")
            self._start(server)
        return said

    def stop(self) -> None:
        """Stop everything below this process; returns when nothing is left."""
        try:
            self._end_all()
        finally:
            if self._warm:
                self._warm.end()
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)

    def _end_all(self) -> None:
        running = {s.name: s.process for s in self._servers if s.process and s.process.poll() is None}
        for process in running.values():
            if isinstance(process, ForkedServer):
                process.give_up()
        family = below()
        if daemon := running.get(_DAEMON):  # first, so that nothing new is launched
            daemon.send_signal(signal.SIGTERM)
        interrupt_runs()
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        if self._warm:
            self._warm.end()
        family |= below()
        _, alive = psutil.wait_procs(family, timeout=_SERVER_GRACE_S)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
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
        log = self.log(server.name)
        server.starts.append(time.monotonic())
        if isinstance(server.process, ForkedServer) and server.process.poll() is None:
            server.process.start(server.command, log)
            return
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches us alone, and we stop the others in order.
            server.process = subprocess.Popen(
                python_command("tdw_workbench.servers.run_supervised", *server.command),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _get_ready(self) -> None:
        if log_folder(self.home).exists() or not self.home.exists():
            with contextlib.suppress(OSError):  # whoever opens the instance says what is wrong
                log_folder(self.home).mkdir(parents=True, exist_ok=True)
                self._warm = WarmProcess.start(self._environment(), self.log(_CODE))
        if sys.platform == "linux":
            for module in SHARED:
                importlib.import_module(module)
            for server in self._servers:
                server.process = self._fork(server.name)

    def _fork(self, name: str) -> ForkedServer:
        not_kept = [s.process.line for s in self._servers if isinstance(s.process, ForkedServer)]
        if self._warm:
            not_kept.append(self._warm.stays)
        return ForkedServer(name, _OWN[name], self._environment(), not_kept=not_kept)

    def _environment(self) -> dict[str, str]:
        return {
            # On a machine that is busy training, a launch takes longer than Dagster's minute, and the daemon
            # would count a run as failed that is about to start.
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",
            **child_environment(self.environment),
            SUPERVISOR_VARIABLE: identity(),
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            **({"TMPDIR": str(self._temporary)} if self._temporary else {}),
            **(self._warm.variables if self._warm else {}),
        }

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
