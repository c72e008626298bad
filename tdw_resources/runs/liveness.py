"""Who works on a run, and whether that process still lives.

A run that died with its machine stays STARTED in the event log for ever and holds its pool. So every run of
ours carries the identity of its worker as a tag; anyone on the same machine can tell whether it lives.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time

import psutil

WORKER_TAG = "tdw/worker"
STOPPED_TAG = "tdw/stopped"
"""On runs that were stopped from outside: they did not fail, and are taken up again."""
LAUNCHED_BY_TAG = "tdw/launched_by"
"""Name of the machine that launched a run, before a worker has signed it."""
SUPERVISOR_VARIABLE = "TDW_SUPERVISOR"


def identity(pid: int | None = None) -> str:
    """`host/pid/start`: names one process for ever, since pids are used again and hosts differ."""
    process = psutil.Process(pid)
    return f"{socket.gethostname()}/{process.pid}/{process.create_time():.2f}"


def host_of(worker: str) -> str:
    """The machine of the process named by `identity`; "" when there is none."""
    return worker.partition("/")[0]


def is_alive(worker: str) -> bool | None:
    """Whether the process named by `identity` lives; None when it is another machine's or unreadable."""
    host, _, rest = worker.partition("/")
    pid, _, start = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return None
    try:
        process = psutil.Process(int(pid))
        return process.status() != psutil.STATUS_ZOMBIE and f"{process.create_time():.2f}" == start
    except psutil.NoSuchProcess:
        return False
    except (psutil.AccessDenied, ValueError, OverflowError):
        return None  # or no pid at all: a tag can hold anything


def interrupt(worker: str) -> bool:
    """Ask the process to stop, as Ctrl-C would. False when it is not there."""
    if not is_alive(worker):
        return False
    os.kill(int(worker.split("/")[1]), signal.SIGINT)
    return True


def die_with_supervisor(every_s: float = 1.0) -> None:
    """Follow the process that $TDW_SUPERVISOR names into death; nothing happens where it is not set.

    Dagster's processes outlive a killed parent. A thread looks once a second and interrupts its own process,
    then kills it, so that nothing is left behind whatever happened to the supervisor.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if not supervisor or any(thread.name == "tdw-supervisor-watch" for thread in threading.enumerate()):
        return

    def watch() -> None:
        while is_alive(supervisor) is not False:
            time.sleep(every_s)
        with contextlib.suppress(ProcessLookupError):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(8.0)
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="tdw-supervisor-watch", daemon=True).start()
