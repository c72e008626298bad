"""A server of our pages in a process of its own, and asking it without a browser."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tdw_workbench.servers.ports import HOST, free_port

STUDY = Path(__file__).resolve().parents[2] / "studies" / "eight_models"


class Served:
    """`tdw serve` of a store, beside the study of eight models."""

    def __init__(self, store: Path) -> None:
        port = free_port()
        command = [sys.executable, "-m", "tdw_workbench.cli", "serve", "--store", str(store)]
        command += ["--study", str(STUDY), "--port", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._connection = http.client.HTTPConnection(HOST, port)
        self.url = f"http://{HOST}:{port}/tdw"

    def ask(self, path: str) -> bytes:
        """The body of what is at a path below /tdw. Raises RuntimeError for another answer than 200."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the server ended with {self._process.returncode}")
        self._connection.request("GET", f"/tdw{path}")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body

    @property
    def rss_mb(self) -> float:
        """Resident memory in MB (10⁶ bytes)."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024 / 1e6
        raise RuntimeError("no VmRSS")

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                self.ask("/ping")
                return
            except OSError:
                self._connection.close()
                time.sleep(0.1)

    def stop(self) -> None:
        """End it."""
        self._connection.close()
        self._process.terminate()
        self._process.wait(20)


@contextlib.contextmanager
def serving(store: Path) -> Iterator[Served]:
    """A server that answers."""
    served = Served(store)
    try:
        served.wait()
        yield served
    finally:
        served.stop()
