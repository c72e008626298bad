"""The process that `tdw up` starts for the first code server. Guards an upgrade of Python.

It takes part in the protocol of `multiprocessing.forkserver`. When one of these fails after an upgrade, look
for what `ForkServer.connect_to_new_process` sends, and what `forkserver.main` takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tdw_resources.runs.warm_process import WarmProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runs are forks on Linux alone")

# A code server: starts a run as Dagster's server does, and waits to be told to start the next one.
SERVER = """
import gc, multiprocessing, os, sys
import psutil
from tdw_resources.runs.warm_start import PRELOADED, fork_runs, is_run


def run(queue):
    process = psutil.Process()
    parent = process.parent()
    missing = [name for name in PRELOADED if name not in sys.modules]
    seldom = gc.isenabled() and gc.get_freeze_count() > 0 and gc.get_threshold()[0] > 700  # Python's default
    known = is_run(process.cmdline(), parent.cmdline())
    queue.put((parent.pid, missing, known, os.environ.get("OF_RUNS"), seldom))


if __name__ == "__main__":
    fork_runs()
    fork_runs()  # as when Dagster loads the definitions once more
    for _ in sys.stdin:
        spawn = multiprocessing.get_context("spawn")
        queue = spawn.Queue()
        process = spawn.Process(target=run, args=(queue,))
        process.start()
        print(*queue.get(timeout=120), flush=True)
        process.join(60)
"""


class Server:
    """A code server that is told of the warm process."""

    def __init__(self, folder: Path, warm: WarmProcess) -> None:
        script = folder / "server.py"
        script.write_text(SERVER)
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, **warm.variables, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self) -> list[str]:
        """Start a run: what it is a fork of and lacks, whether it is known as a run, its $OF_RUNS, whether
        the collector leaves alone what it shares and looks seldom."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[WarmProcess]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OF_RUNS": "its", "TMPDIR": str(tmp_path)}
    found = WarmProcess.start(environment, tmp_path / "log")
    assert found is not None
    yield found
    found.end()


def await_end(pid: int, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it goes on"
        meanwhile()
        time.sleep(0.05)


def test_the_first_code_server_has_it_to_the_end_and_the_next_one_its_own(
    warm: WarmProcess, tmp_path: Path
) -> None:
    first = Server(tmp_path, warm)
    of_first = [first.run(), first.run()]
    assert of_first == [[str(warm.pid), "[]", "True", "its", "True"]] * 2
    second = Server(tmp_path, warm)
    forked_of, *others = second.run()
    assert int(forked_of) != warm.pid and others == ["[]", "True", "None", "False"]
    second.process.communicate()
    warm.end_if_unused()
    assert first.run() == of_first[0], "it ends no sooner than the code server that has it"
    first.process.communicate()
    assert not list(tmp_path.glob("tdw-*")), "its socket"
    warm.end_if_unused()
    await_end(warm.pid)


def test_it_ends_once_the_code_server_that_has_it_was_killed(warm: WarmProcess, tmp_path: Path) -> None:
    server = Server(tmp_path, warm)
    assert server.run()[0] == str(warm.pid)
    server.process.kill()
    server.process.wait()
    await_end(warm.pid, meanwhile=warm.end_if_unused)  # the last run may still be ending


def test_a_code_server_whose_warm_process_was_killed_starts_its_own(
    warm: WarmProcess, tmp_path: Path
) -> None:
    server = Server(tmp_path, warm)
    assert server.run()[0] == str(warm.pid)
    psutil.Process(warm.pid).kill()
    psutil.Process(warm.pid).wait()
    forked_of, *others = server.run()
    assert int(forked_of) != warm.pid and others == ["[]", "True", "None", "False"]
    server.process.communicate()


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path; "
        "from tdw_resources.runs.warm_process import WarmProcess; "
        f"print(WarmProcess(os.environ, Path({str(tmp_path / 'log')!r})).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    await_end(pid)


def test_there_is_none_where_runs_are_not_forks(tmp_path: Path) -> None:
    assert WarmProcess.start({"TMPDIR": "/tmp/" + "d" * 100}, tmp_path / "log") is None
