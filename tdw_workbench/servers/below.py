"""The processes below this one: servers, and the runs that Dagster's code server has started."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil

from tdw_resources.runs.warm_start import is_run

_RUN_GRACE_S = 12.0


def below() -> set[psutil.Process]:
    """All processes below this one."""
    return set(psutil.Process(os.getpid()).children(recursive=True))


def interrupt_runs() -> None:
    """Interrupt the runs among them, and give them time to say that they stopped."""
    runs = [process for process in below() if _is_run(process)]
    for run in runs:
        with contextlib.suppress(psutil.NoSuchProcess):
            run.send_signal(signal.SIGINT)
    psutil.wait_procs(runs, timeout=_RUN_GRACE_S)


def _is_run(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
        return is_run(process.cmdline(), parent.cmdline() if parent else [])
    except psutil.Error:
        return False
