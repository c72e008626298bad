"""Locks: one holder, released with its process, also where the file system has no `flock`."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tdw.errors import Busy, StoreError
from tdw.store.lock import exclusive, is_held, marker_of

NO_FLOCK = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
HOLD = """
import errno, fcntl, sys, time
from pathlib import Path
code = int(sys.argv[2])
if code:
    def refuse(*args):
        raise OSError(code, "no locks here")
    fcntl.flock = refuse
from tdw.store.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=[0, *NO_FLOCK], ids=["flock", "ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def code(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A file system with `flock`, and such as refuse it with one of the errors that are known for it."""

    def refuse(*args: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    if request.param:
        monkeypatch.setattr(fcntl, "flock", refuse)
    return request.param


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "train.lock"


@pytest.fixture
def holder(path: Path, code: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(code)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_has_one_holder_and_is_free_again_afterwards(path: Path, code: int) -> None:
    told: list[int] = []
    for _ in range(2):
        with exclusive(path):
            assert is_held(path)
            with (
                pytest.raises(Busy, match=r"train\.lock"),
                exclusive(path, wait_s=0.1, on_wait=lambda: told.append(1)),
            ):
                pass
            assert is_held(path)
        assert not is_held(path)
    assert told == [1, 1] and not marker_of(path).exists()


def test_a_lock_is_held_against_other_processes_and_dies_with_its_own(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    assert is_held(path)
    with pytest.raises(Busy), exclusive(path, wait_s=0):
        pass
    holder.kill()
    holder.wait()
    assert not is_held(path)
    with exclusive(path, wait_s=10):
        assert is_held(path)
    assert not is_held(path)


def test_who_waits_goes_on_when_the_holder_is_killed(path: Path, holder: subprocess.Popen[str]) -> None:
    def kill() -> None:
        holder.kill()
        holder.wait()

    with exclusive(path, wait_s=60, on_wait=kill):
        assert holder.returncode == -9


@pytest.mark.parametrize("code", [errno.ENOLCK], indirect=True)
def test_a_marker_of_another_machine_is_left_and_named(path: Path, code: int) -> None:
    path.parent.mkdir()
    marker_of(path).write_text("1\nsome-other-host\n")
    with pytest.raises(Busy) as refused, exclusive(path, wait_s=0):
        pass
    assert str(marker_of(path)) in refused.value.remedy
    assert marker_of(path).read_text() == "1\nsome-other-host\n"


@pytest.mark.parametrize("code", [0], indirect=True)
def test_a_marker_counts_also_for_who_has_flock(path: Path, code: int) -> None:
    path.parent.mkdir()
    marker_of(path).write_text("1\nsome-other-host\n")
    assert not path.exists()
    with pytest.raises(Busy), exclusive(path, wait_s=0):
        pass
    assert is_held(path)
    marker_of(path).write_text("half a rec")  # of a writer that died in the middle of its record
    started = time.monotonic()
    with exclusive(path, wait_s=30):
        assert time.monotonic() - started < 30


def test_any_other_refusal_is_an_error_of_ours_with_path_and_remedy(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(StoreError, match=r"train\.lock: can't be made \(Input/output"),
        exclusive(path),
    ):
        pass
