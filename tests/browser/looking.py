"""What the browser tests share: the variant they look at, and servers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from tdw.families import get_family
from tdw.recipes.figure import Plot
from tdw.store import Store
from tdw_workbench.servers.ports import free_port
from tdw_workbench.web.app import standalone
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.http.settings import Settings

FAMILY, VARIANT = get_family("modulo_addition_1layer"), "p7_s1_d598_f0.5"
HERE = f"{FAMILY.name}/{VARIANT}"
REBOUND = "evil.example"
"""A name of someone else that the browser finds at 127.0.0.1."""
QUIET = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
"""A dagster.yaml."""
LOOK = """() => {
  const div = document.getElementById('figure');
  const full = div._fullLayout;
  const axes = Object.keys(full).filter((key) => /^[xy]axis\\d*$/.test(key)).map((key) => full[key]);
  const placeholder = (text) => !text || text.startsWith('Click to enter');
  return {
    traces: div.data.length,
    titled: axes.filter((axis) => axis.visible && !placeholder(axis.title?.text)).map((axis) => axis._id[0]),
    paper: full.paper_bgcolor,
    cloud: !!document.querySelector('[data-title*="loud"], [data-title*="hare chart"]'),
  };
}"""
"""What a drawn figure has: traces, titled axes, background, a button that would send it away."""


class serving:
    """A server in a thread; with `runs` of a Dagster instance as beside Dagster."""

    def __init__(self, store: Store, *, studies: tuple[Path, ...] = (), runs: Runs | None = None) -> None:
        app = standalone(Settings(str(store.root), studies=studies), runs=runs)
        self.port = free_port()
        self._server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self.port}/tdw"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@contextlib.contextmanager
def webserver(module: str, home: Path, store: Store) -> Iterator[str]:
    """`python -m <module>` on the home, until it answers."""
    port = free_port()
    location = Path(__file__).parent / "location.py"
    process = subprocess.Popen(
        [sys.executable, "-m", module, "-p", str(port), "-f", str(location)],
        env=os.environ
        | {"DAGSTER_HOME": str(home), "TDW_STORE": str(store.root), "PYTHONWARNINGS": "ignore"},
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/server_info", timeout=2).read()
                break
            assert process.poll() is None, f"{module} ended with {process.returncode}"
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def is_drawn(store: Store, plot: Plot) -> bool:
    """Whether the plot could be made of the tiny variant; some compare several."""
    variant = VARIANT if plot.scope == "variant" else None
    return (store.document_folder(FAMILY.name, variant, plot.name) / "manifest.json").exists()


def open_ready(page: Any, url: str) -> None:
    """Open one of our pages and wait until everything is drawn."""
    page.goto(url)
    page.wait_for_selector("html[data-ready=true]", state="attached")
