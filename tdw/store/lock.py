"""One writer a variant and stage: an advisory lock that dies with its process.

The lock is `flock` (by the `filelock` library), which the kernel releases, so it can't go stale. Some network
file systems have no `flock`. There a marker file beside the lock file stands for it: it names host, process
and start of its owner, and the marker of a process of this host that is gone is taken over.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import BinaryIO

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout, lock_descriptor

from tdw.errors import Busy, StoreError

_NO_FLOCK = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})


def marker_of(path: Path) -> Path:
    """The file whose existence is the lock where the file system has no `flock`."""
    return path.with_name(f"{path.name}.held")


@contextlib.contextmanager
def exclusive(
    path: Path, *, wait_s: float | None = None, on_wait: Callable[[], None] | None = None
) -> Generator[None, None, None]:
    """Hold the lock file `path`, waiting for its holder.

    Args:
        path: the lock file; made when missing, never deleted.
        wait_s: seconds to wait at most; None waits for ever.
        on_wait: called once when the lock turns out to be held.

    Raises:
        Busy: the lock was still held after `wait_s`.
        StoreError: the lock file can't be made; names it.
    """
    start = time.monotonic()
    told = False
    # The same two objects for every attempt: a marker without a readable record counts as left by the dead
    # when one of them has seen it unchanged for two seconds.
    native = FileLock(path, thread_local=False, fallback_to_soft=False)
    marker = SoftFileLock(marker_of(path), thread_local=False)
    with contextlib.ExitStack() as held:
        while not _take(path, native, marker=marker, into=held):
            if on_wait and not told:
                on_wait()
                told = True
            if wait_s is not None and time.monotonic() - start >= wait_s:
                raise Busy(f"{path}: held by another process for {wait_s:g} s", _how_to_go_on(path))
            time.sleep(0.05)
        yield


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file `path` now. Changes nothing that lives."""
    try:
        if path.exists() and not path.is_file():
            return False  # opening a FIFO would wait for its other end
        with _open(path) as file:
            if not lock_descriptor(file.fileno(), blocking=False):
                return True
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in _NO_FLOCK:
            raise
    marker = marker_of(path)
    if not marker.exists():
        return False
    try:
        with contextlib.ExitStack() as held:
            return not _try(SoftFileLock(marker, thread_local=False), held)
    except OSError:
        return True  # whether its owner lives can't be found out here


def _take(path: Path, native: FileLock, *, marker: SoftFileLock, into: contextlib.ExitStack) -> bool:
    """One attempt; what was taken is released by `into`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as taken:
            has_flock = True
            try:
                if not _try(native, taken):
                    return False
            except OSError as error:
                if error.errno not in _NO_FLOCK:
                    raise
                has_flock = False
            # A marker counts here, too: a server of locks may be away for its owner and back for us.
            needs_marker = not has_flock or marker_of(path).exists()
            if needs_marker and not _try(marker, taken):
                return False
            into.push(taken.pop_all())
    except OSError as error:
        raise StoreError(
            f"{path}: can't be made ({error.strerror or error})",
            "make room or correct the permissions, then fill again: what was committed before is intact",
        ) from error
    return True


def _try(lock: BaseFileLock, taken: contextlib.ExitStack) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    taken.callback(lock.release)
    return True


def _open(path: Path) -> BinaryIO:
    """Opened for writing where that is allowed: over NFS an exclusive lock needs it."""
    try:
        return path.open("r+b")
    except FileNotFoundError:
        raise
    except OSError:
        return path.open("rb")


def _how_to_go_on(path: Path) -> str:
    remedy = "wait for the run that works on this variant, or stop it"
    if not marker_of(path).exists():
        return remedy
    return f"{remedy}; if its machine is gone for good, delete {marker_of(path)}"
