"""What looking at a store finds: files, what is wrong with them, and what others have put beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tdw.errors import CorruptFile, TdwError
from tdw.store import reading
from tdw.store.commit import TEMPORARY

Problem = Literal[
    "corrupt", "unreadable", "mismatch", "not finite", "orphan", "temporary", "not ours",
    "no file", "no event", "not as recorded",
]  # fmt: skip


@dataclass(frozen=True)
class FileProblem:
    """Something wrong with one file.

    Attributes:
        path: of the file.
        problem: "corrupt" (bytes changed or cut), "unreadable" (not for its bytes: permission, I/O,
            memory, a missing library; it may be sound), "mismatch" (it belongs to another variant, probe
            or checkpoint), "not finite", "orphan" (made from a checkpoint, or for a plot, that is not there),
            "temporary" (left by a killed writer), "not ours" (nothing that tdw wrote: ignored everywhere,
            and no damage); and from comparing with an event log "no file", "no event" and "not as recorded".
        detail: what exactly.
        variant, kind, epoch: the cell it is, where it is one; epoch is None for tables and plots, variant is
            "" for what covers several.
        study: slug of the study in whose folder that is; "" for no study's, and for what is of a variant.
    """

    path: str
    problem: Problem
    detail: str
    variant: str = ""
    kind: str = ""
    epoch: int | None = None
    study: str = ""


@dataclass(frozen=True)
class Checked:
    """One file that was re-read.

    Attributes:
        path, nbytes: of the file.
        finding: what is wrong with it, if anything.
        variant, kind, epoch, study: the cell it is, as in `FileProblem`.
        content: what it holds: the weights' fingerprint of a checkpoint, the checksum of another artifact or
            table, the fingerprint of a plot's files (its first 16 digits); "" when something is wrong.
    """

    path: str
    nbytes: int
    finding: FileProblem | None
    variant: str = ""
    kind: str = ""
    epoch: int | None = None
    content: str = ""
    study: str = ""


def entries(folder: Path) -> list[Path]:
    """The entries of a folder, by name, without temporary files; empty where there is no folder.

    Raises:
        Unreadable: it can't be listed.
    """
    try:
        with reading.access(folder):
            return sorted(p for p in folder.iterdir() if not TEMPORARY.fullmatch(p.name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_file(path: Path) -> bool:
    """Whether it is a file, or can't be looked at: reading it then says why."""
    try:
        return path.is_file()
    except OSError:
        return True


def is_dir(path: Path) -> bool:
    """Whether it is a folder, or can't be looked at: listing it then says why."""
    try:
        return path.is_dir()
    except OSError:
        return True


def unreadable(folder: Path, error: Exception, **cell: Any) -> Checked:
    """A folder that can't be listed."""
    return as_checked(folder, FileProblem(str(folder), "unreadable", words(error), **cell))


def stranger(path: Path, detail: str, **cell: Any) -> Checked:
    """Something that tdw did not write."""
    return as_checked(path, FileProblem(str(path), "not ours", detail, **cell))


def unless_ours(checked: Checked, *, ours: bool) -> Checked:
    """Under a name that nothing of this version has, a file with something wrong is a stranger."""
    found = checked.finding
    if ours or found is None or found.problem in ("not ours", "unreadable"):
        return checked
    detail = f"under a name that nothing of ours has; {found.detail}"
    return replace(checked, finding=replace(found, problem="not ours", detail=detail))


def words(error: Exception) -> str:
    """What was wrong, for a finding."""
    return error.what if isinstance(error, TdwError) else f"{type(error).__name__}: {error}"


def why_not_read(error: Exception) -> tuple[Problem, str]:
    """The problem and its detail. Only a checksum that does not fit is damage."""
    return ("corrupt" if isinstance(error, CorruptFile) else "unreadable"), words(error)


def as_checked(path: Path, finding: FileProblem | None, **cell: Any) -> Checked:
    """A file that was looked at, with what is wrong with it, if anything."""
    if finding is not None:
        cell = {name: getattr(finding, name) for name in ("variant", "kind", "epoch", "study")}
    return Checked(str(path), size_of(path), finding, **cell)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 for one that is gone or can't be looked at."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
