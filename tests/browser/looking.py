"""What the browser tests share: the variant they look at, and servers."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import uvicorn

from tdw.families import get_family
from tdw.recipes.figure import Plot
from tdw.store import Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings

FAMILY, VARIANT = get_family("modulo_addition_1layer"), "p7_s1_d598_f0.5"
HERE = f"{FAMILY.name}/{VARIANT}"
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
    """A server in a thread."""

    def __init__(self, store: Store) -> None:
        app = standalone(Settings(str(store.root)))
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


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_drawn(store: Store, plot: Plot) -> bool:
    """Whether the plot could be made of the tiny variant; some compare several."""
    variant = VARIANT if plot.scope == "variant" else None
    return (store.plot_folder(FAMILY.name, variant, plot.name) / "manifest.json").exists()


def open_ready(page: Any, url: str) -> None:
    """Open one of our pages and wait until everything is drawn."""
    page.goto(url)
    page.wait_for_selector("html[data-ready=true]", state="attached")
