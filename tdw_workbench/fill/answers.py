"""What a worker process of `tdw fill` is asked, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

STOPPED = 130
"""Exit code of a worker that was interrupted: a person stopped its run, in Dagster or on a page."""


@dataclass(frozen=True)
class StageDone:
    """What became of one run.

    Attributes:
        size: cells or tables that it was planned for.
        error: why it failed, or "".
    """

    variant: str
    stage: str
    run_id: str
    size: int
    error: str = ""


@dataclass(frozen=True)
class Answer:
    """What a worker said.

    Attributes:
        done: a finished run; None when the variant is through.
        busy: another fill works on the variant; it is asked for again later.
        given_up: why the variant is left: its worker died too often over it, or a person stopped it.
    """

    variant: str
    done: StageDone | None = None
    busy: bool = False
    given_up: str = ""
