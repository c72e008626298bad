"""What a variant costs: guesses by which the time left is shared out, and by which a form warns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Seconds of one core.

    Attributes:
        step: of one optimizer step.
        checkpoint: of committing one checkpoint.
        cell: of one analyzer on one checkpoint.
        table: of one table, plot or report.
    """

    step: float = 0.005
    checkpoint: float = 0.015
    cell: float = 0.01
    table: float = 0.5
