"""Reading files so that what fails is told apart: a file that is not there, damage, and everything else.

Only a checksum that does not fit is damage. A missing library, a full memory, a permission or a failing disk
says nothing about the bytes: such a file is reported as unreadable, and never replaced or moved for it.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from tdw.errors import Unreadable

REMEDY = "correct the cause that is named, then read it again; the file itself stays as it is"


@contextlib.contextmanager
def access(path: object) -> Generator[None]:
    """Turn what the system refuses into `Unreadable`.

    Raises:
        FileNotFoundError, NotADirectoryError: as they are: what is not there is the caller's question.
        Unreadable: permission, I/O, too many open files, no memory; names `path`.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, Unreadable):
        raise
    except (OSError, MemoryError) as error:
        raise Unreadable(f"{path}: can't be read ({_reason(error)})", REMEDY) from error


@contextlib.contextmanager
def content(path: object) -> Generator[None]:
    """For making sense of a file whose checksum fits: whatever fails here, the bytes are as committed.

    Raises:
        Unreadable: a missing library or codec, no memory, a header of another version; names `path`.
    """
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:  # a reader that is not ours can fail in any way
        raise Unreadable(
            f"{path}: its checksum fits, but it can't be read here ({_reason(error)})",
            "repair the installation, or use the version of tdw that wrote it; the file stays as it is",
        ) from error


def read_bytes(path: Path) -> bytes:
    """All bytes of a file. Raises FileNotFoundError, NotADirectoryError or Unreadable."""
    with access(path):
        require_regular(path)
        return path.read_bytes()


def open_file(path: Path) -> BinaryIO:
    """A file, open for reading. Raises FileNotFoundError, NotADirectoryError or Unreadable."""
    with access(path):
        require_regular(path)
        return path.open("rb")


@contextlib.contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """The same, closed at the end; what fails while it is open is `Unreadable`, too."""
    with access(path), open_file(path) as file:
        yield file


def require_regular(path: Path) -> None:
    """Before opening: a FIFO would hold its reader for ever, and a device such as /dev/zero has no end.

    Raises:
        OSError: what the system says of a file that can't be looked at.
        Unreadable: a FIFO, socket, device or folder; names `path`.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = stat.filemode(mode)[0]
        what = {"p": "a FIFO", "s": "a socket", "c": "a device", "b": "a device", "d": "a folder"}
        raise Unreadable(
            f"{path}: can't be read (it is {what.get(kind, 'something else')}, not a file)",
            "move it out of the way",
        )


def _reason(error: BaseException) -> str:
    what = str(getattr(error, "what", "") or error).strip()
    return f"{type(error).__name__}: {what[:300]}" if what else type(error).__name__
