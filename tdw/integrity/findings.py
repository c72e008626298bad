"""What looking at the files of a store finds: one `Checked` per file, with a `Finding` where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Problem = Literal[
    "corrupt", "unreadable", "mismatch", "not finite", "orphan", "temporary", "unknown",
    "no file", "no event", "not as recorded",
]  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something wrong with one file.

    Attributes:
        path: of the file.
        problem: "corrupt" (bytes changed or cut), "unreadable" (not for its bytes: permission, I/O,
            memory, a missing library; it may be sound), "mismatch" (it belongs to another variant, probe
            or checkpoint), "not finite", "orphan" (made from a checkpoint, or for a plot, that is not there),
            "temporary" (left by a killed writer), "unknown" (not of this store); and from comparing with an
            event log "no file", "no event" and "not as recorded".
        detail: what exactly.
        variant, kind, epoch: the cell it is, where it is one; epoch is None for tables and plots, variant is
            "" for what covers several.
    """

    path: str
    problem: Problem
    detail: str
    variant: str = ""
    kind: str = ""
    epoch: int | None = None


@dataclass(frozen=True)
class Checked:
    """One file that was re-read.

    Attributes:
        path, nbytes: of the file.
        finding: what is wrong with it, if anything.
        variant, kind, epoch: the cell it is, as in `Finding`.
        content: what it holds: the weights' fingerprint of a checkpoint, the checksum of another artifact or
            table, the fingerprint of a plot's files (its first 16 digits); "" when something is wrong.
    """

    path: str
    nbytes: int
    finding: Finding | None
    variant: str = ""
    kind: str = ""
    epoch: int | None = None
    content: str = ""
