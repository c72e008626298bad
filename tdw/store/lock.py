"""One writer a variant and stage: an advisory lock that dies with its process.

`flock` is released by the kernel, so no lock can go stale. On an object store there is no such lock; there
Dagster's pools keep writers apart and every commit is atomic on its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Generator
from pathlib import Path

from tdw.errors import Busy, StoreError


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.open("a")
    except OSError as error:
        raise StoreError(
            f"{path}: can't be made ({error.strerror or error})",
            "make room or mend the permissions, then fill again: what was committed before is intact",
        ) from error
    with held as file:
        start = time.monotonic()
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if on_wait and not told:
                    on_wait()
                    told = True
                if wait_s is not None and time.monotonic() - start >= wait_s:
                    raise Busy(
                        f"{path}: held by another process for {wait_s:g} s",
                        "wait for the run that works on this variant, or stop it",
                    ) from None
                time.sleep(0.05)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file `path` now."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
