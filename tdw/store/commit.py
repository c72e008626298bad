"""Atomic commit of one file: temporary name, write, fsync, rename, fsync of the folder.

A reader sees the old file or the new one, never half of one, whatever kills the writer. `on_step` is told
each step as it is reached; the fault tests put a process to death there.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from tdw.errors import StoreError

STEPS = ("before", "opened", "written", "synced", "renamed", "committed")
TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>[1-9][0-9]{0,8})\.tmp")  # a larger number is no process


def _ignore(step: str, path: object) -> None:
    """Nobody watches."""


on_step: Callable[[str, object], None] = _ignore


def write_atomic(path: Path, data: bytes | bytearray) -> None:
    """Commit `data` as `path`.

    Raises:
        StoreError: names the path, the bytes and what the system said; the old file, if any, is untouched.
    """
    on_step("before", path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            on_step("opened", path)
            file.write(data)
            file.flush()
            on_step("written", path)
            os.fsync(file.fileno())
        on_step("synced", path)
        temporary.replace(path)
        on_step("renamed", path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StoreError(
            f"{path}: could not write {len(data):,} bytes ({error.strerror or error})",
            "make room or correct the permissions, then fill again: what was committed before is intact",
        ) from error
    on_step("committed", path)


@contextlib.contextmanager
def removing(what: object) -> Generator[None]:
    """Around the removal of files: what the disk refuses is a StoreError that names the file, else `what`."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or what}: can't be removed ({error.strerror or error})",
            "correct the permissions, then remove again: what is left goes then",
        ) from error


def walk(folder: Path) -> Iterator[Path]:
    """All files and folders below `folder`, as far as they are there: others add and remove some."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporary files below `folder` whose writer is dead: safe to delete."""
    for path in walk(folder):
        match = TEMPORARY.fullmatch(path.name)
        if match and not _alive(int(match["pid"])):
            yield path


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
