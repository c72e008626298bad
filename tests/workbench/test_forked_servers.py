"""Servers that are forks: told what to run, or gone without a trace. Each test forks a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers are forks on Linux alone")

PARENT = """
import os, sys, time
from pathlib import Path
import psutil
from tdw_workbench.servers.forked_server import ForkedServer

server = ForkedServer("daemon", ["users_module"], {{**os.environ, "MINE": "yes"}})
print(server.pid, flush=True)
{then}
"""
SERVER = """
import os, sys
import psutil
print(sys.argv[1:], os.environ["MINE"], os.getpid() == os.getsid(0), psutil.Process().name())
print("and to stderr", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a_server.py").write_text(SERVER)
    (tmp_path / "users_module.py").write_text("print('not in any log')")
    return tmp_path


def start(folder: Path, then: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
    )


def await_end(pid: int) -> None:
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the fork goes on"
        time.sleep(0.05)


def test_it_runs_the_command_that_it_is_told_with_its_own_log_environment_and_session(folder: Path) -> None:
    then = "server.start(['a_server', 'x'], Path('log')); server.wait(); print(server.poll())"
    parent = start(folder, then)
    said = parent.communicate(timeout=60)[0].splitlines()
    assert said[1:] == ["3"]
    assert (folder / "log").read_text().splitlines() == ["['x'] yes True tdw daemon", "and to stderr"]


def test_one_that_was_never_told_ends_and_has_written_nothing(folder: Path) -> None:
    parent = start(folder, "server.give_up(); server.wait(); print(server.poll())")
    assert parent.communicate(timeout=60)[0].splitlines()[1:] == ["0"]
    assert not (folder / "log").exists()


def test_it_ends_when_the_other_process_is_killed_before_it_was_told(folder: Path) -> None:
    parent = start(folder, "time.sleep(60)")
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    await_end(pid)


def test_a_signal_to_one_that_has_ended_is_no_error(folder: Path) -> None:
    then = "server.give_up(); psutil.Process(server.pid).wait(); server.send_signal(15); print('on')"
    assert start(folder, then).communicate(timeout=60)[0].splitlines()[1:] == ["on"]
