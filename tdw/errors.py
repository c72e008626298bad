"""Every error a user can meet: what was wrong, with which file or value, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LISTED = 20


def listed(problems: Sequence[str]) -> str:
    """Problems below each other for a message; of many the first, and how many more there are."""
    more = len(problems) - _MOST_LISTED
    return "\n  ".join([*problems[:_MOST_LISTED], *([f"and {more:,} more"] if more > 0 else [])])


class TdwError(Exception):
    """An error with a remedy.

    Args:
        what: what was wrong, naming the file or value.
        remedy: what the reader can do about it.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n  -> {self.remedy}"


class BadConfig(TdwError, ValueError):
    """A study file, a variant key, a parameter or a command-line value that can't be used."""


class NotFound(TdwError, LookupError):
    """A variant, epoch, artifact, summary or plot that is not in the store (yet)."""


class CorruptFile(TdwError):
    """A file whose bytes are not what was committed: truncated, changed or not ours."""


class FingerprintMismatch(TdwError):
    """Artifacts that differ in model instance, probe, checkpoint, parameters or code, in one series."""


class StoreError(TdwError, OSError):
    """The store could not be written or read: disk full, permission, I/O."""


class Unreadable(StoreError):
    """A file that can't be read here although nothing is known to be wrong with its bytes."""


class Busy(TdwError):
    """Another process holds what is needed."""


class CellsFailed(TdwError):
    """Some cells of a batch failed; the others are committed."""
