"""Each run of Dagster's code server is a process; here it is a fork of one that has imported what runs need.

So a run begins at once (benchmarks/startup.py, quickstart.py). Python's own `forkserver` does it.
Dagster asks for "spawn" and has no setting, so the start method behind that name is replaced in the server's
process; tests/contract/test_warm_start.py pins the seam. Linux alone: elsewhere a fork of what has
loaded torch is not safe.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from multiprocessing import forkserver
from typing import Any, cast

from tdw_resources.runs.liveness import SUPERVISOR_VARIABLE

NEEDED = ("torch", "tdw_assets.build", "tdw_resources.resources")
"""Modules that every run needs."""
PRELOADED = (
    "dagster._grpc.impl",
    *NEEDED,
    "numba",
    "pyarrow.parquet",
    "pandas",
    "plotly.graph_objects",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "scipy.stats",
)
"""And what the code server starts a run with, and what one stage or another imports.

No thread and no connection may be left by importing these.
"""
LONGEST_TMPDIR = 72
"""Bytes. A socket's path has at most 107, and Python's names for that of a forkserver add 32 to TMPDIR."""


def fork_runs() -> None:
    """Have this process fork the runs that it starts.

    Under a supervisor the process that they are forks of is there (see `warm_process`) or is started now, so
    that it is ready when the first run is asked for; otherwise it is started with the first run.
    """
    if multiprocessing.parent_process() is not None or not can_fork():
        return
    from multiprocessing.context import ForkServerProcess, SpawnProcess

    if cast("Any", SpawnProcess)._Popen == ForkServerProcess._Popen:
        return  # Dagster loads the definitions more than once
    from tdw_resources.runs.warm_process import take_warm_process

    multiprocessing.set_forkserver_preload(list(PRELOADED))
    cast("Any", SpawnProcess)._Popen = staticmethod(ForkServerProcess._Popen)
    if not take_warm_process() and os.environ.get(SUPERVISOR_VARIABLE):
        forkserver.ensure_running()


def can_fork(folder: str | None = None) -> bool:
    """Whether runs can be forks, with sockets in this folder for temporary files (None: this process's)."""
    return sys.platform == "linux" and len(os.fsencode(folder or tempfile.gettempdir())) <= LONGEST_TMPDIR


def is_run(command: list[str], parents: list[str]) -> bool:
    """Whether a process with this command line, of a parent with that one, is a run of a code server."""
    return "--multiprocessing-fork" in command or (_is_forkserver(command) and _is_forkserver(parents))


def _is_forkserver(command: list[str]) -> bool:
    return any("multiprocessing.forkserver" in part for part in command)
