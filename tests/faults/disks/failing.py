"""How a disk fails: system calls that give an errno, limits on files, a file system that is full."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tdw.store import commit

CALLS = ("write", "fsync", "replace", "open", "fsync of the folder", "mkdir")


@contextlib.contextmanager
def failing(call: str, nth: int, number: int) -> Iterator[None]:
    """Inside, the nth use of a system call by a commit fails with an errno."""
    left = nth

    def counted(real: Callable[..., Any], *, mine: Callable[..., bool] = lambda *a, **k: True) -> Any:
        def call_it(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if mine(*args, **kwargs):
                left -= 1
                if left == 0:
                    raise OSError(number, os.strerror(number))
            return real(*args, **kwargs)

        return call_it

    def temporary(path: Path, *args: Any, **kwargs: Any) -> bool:
        return path.name.endswith(".tmp")

    class Writing:
        """A file of which a write fails after some of its bytes are on the disk."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def __enter__(self) -> Writing:
            self._file.__enter__()
            return self

        def __exit__(self, *error: Any) -> None:
            self._file.__exit__(*error)

        def write(self, data: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self._file.write(memoryview(data)[: len(data) // 2])
                self._file.flush()
                raise OSError(number, os.strerror(number))
            self._file.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    real_open = Path.open
    patches: dict[str, tuple[Any, str, Any]] = {
        "open": (Path, "open", counted(Path.open, mine=temporary)),
        "write": (
            Path,
            "open",
            lambda path, *a, **k: (
                Writing(real_open(path, *a, **k)) if temporary(path) else real_open(path, *a, **k)
            ),
        ),
        "fsync": (commit.os, "fsync", counted(os.fsync)),
        "replace": (Path, "replace", counted(Path.replace, mine=temporary)),
        "fsync of the folder": (commit, "_sync_folder", counted(commit._sync_folder)),
        "mkdir": (Path, "mkdir", counted(Path.mkdir)),
    }
    where, name, replacement = patches[call]
    real = getattr(where, name)
    setattr(where, name, replacement)
    try:
        yield
    finally:
        setattr(where, name, real)


def limited(limit: int, root: Path, work: Callable[[Path], None]) -> None:
    """In a child: work under a limit on the size of files."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as the interpreter does; a write then gives EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    work(root)


@contextlib.contextmanager
def tmpfs(root: Path, *, size_kb: int) -> Iterator[bool]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(root)],
        capture_output=True,
        check=False,
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(root)], check=True)
