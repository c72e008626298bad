"""Runs are forks of a process that has imported what they need. Guards an upgrade of Dagster or Python.

Dagster's server makes its runs with the "spawn" context, and gives them a queue and an event of it. When one
of these fails after an upgrade, look for how `dagster._grpc.server` starts a run now.
"""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from dagster._grpc.server import DagsterApiServer

from tdw_resources.runs.warm_start import LONGEST_TMPDIR, PRELOADED, is_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runs are forks on Linux alone")

# As Dagster's server starts a run, and what is checked there.
CHILD = """
import multiprocessing, os, sys
import psutil
from tdw_resources.runs.warm_start import PRELOADED, fork_runs, is_run


def run(queue, event):
    process = psutil.Process()
    parent = process.parent()
    modules, torch = [name for name in PRELOADED if name not in sys.modules], sys.modules.get("torch")
    queue.put((
        modules,
        bool(torch and torch.cuda.is_initialized()),
        is_run(process.cmdline(), parent.cmdline()),
        len(os.listdir("/proc/self/task")),
        is_run(parent.cmdline(), psutil.Process(parent.ppid()).cmdline()),
        os.environ["OMP_NUM_THREADS"],
    ))
    event.wait(60)
    sys.exit(3)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    fork_runs()
    spawn = multiprocessing.get_context("spawn")
    for _ in range(2):
        queue, event = spawn.Queue(), spawn.Event()
        process = spawn.Process(target=run, args=(queue, event))
        process.start()
        print(queue.get(timeout=120))
        event.set()
        process.join(60)
        print(process.exitcode)
"""


def test_a_spawned_process_is_a_fork_that_has_everything_and_no_thread_or_device(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(CHILD)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False
    )
    # Nothing to import, CUDA untouched, known as a run, one thread beside the queue's, its parent is none.
    assert done.stdout.splitlines() == ["([], False, True, 1, False, '1')", "3"] * 2, done.stderr


def test_importing_what_is_loaded_before_asks_no_device_for_anything() -> None:
    """CUDA can't be used in the fork of a process that has asked it."""
    code = f"""
import sys, torch
def refuse(*_): raise SystemExit("CUDA was asked")
torch.cuda.is_available = torch.cuda.device_count = torch.cuda.init = torch._C._cuda_init = refuse
for name in {PRELOADED}: __import__(name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_dagsters_server_asks_for_spawn() -> None:
    assert 'get_context("spawn")' in inspect.getsource(DagsterApiServer)


def test_a_run_is_told_from_the_process_that_it_is_a_fork_of() -> None:
    server = ["python", "-m", "dagster", "api", "grpc"]
    forkserver = ["python", "-c", "from multiprocessing.forkserver import main; main(8, 9, [])"]
    assert is_run(forkserver, forkserver) and not is_run(forkserver, server) and not is_run(server, [])
    assert is_run(["python", "-c", "spawn_main()", "--multiprocessing-fork"], server)


def test_only_a_server_has_its_children_forked() -> None:
    """Not a run itself, which may have children of its own."""
    code = """
import multiprocessing
from tdw_resources.runs.warm_start import fork_runs
before = multiprocessing.context.SpawnProcess._Popen
multiprocessing.parent_process = lambda: "a server"
fork_runs()
assert multiprocessing.context.SpawnProcess._Popen is before
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_longest_temporary_folder_has_room_for_the_socket_and_a_longer_one_is_left(
    tmp_path: Path,
) -> None:
    script = tmp_path / "server.py"
    script.write_text(CHILD)
    for length, forks in ((LONGEST_TMPDIR, True), (LONGEST_TMPDIR + 1, False)):
        root = Path(tempfile.mkdtemp(dir="/tmp"))
        folder = root / ("d" * (length - len(str(root)) - 1))
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        shutil.rmtree(root)
        assert done.returncode == 0 and done.stdout.startswith("([], False, True") == forks, done.stderr
