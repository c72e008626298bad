"""What training takes, estimated before it starts: absurd values are refused in words, not by a kill."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tdw.errors import BadConfig

# One thread of a recent server's core did 5e10 to 1.1e11 in models of 1,000 to 4 million parameters.
OPERATIONS_PER_SECOND = 8e10
MAX_SECONDS = 30 * 86_400.0


@dataclass(frozen=True)
class Cost:
    """An estimate, good to a factor of about three.

    Attributes:
        parameters: trained parameters.
        nbytes: peak memory of training or analysis, whichever is larger.
        seconds: all steps, on one CPU thread.
    """

    parameters: int
    nbytes: int
    seconds: float


def require_affordable_cost(
    cost: Cost, what: str, remedy: str, *, max_bytes: int | None = None, max_seconds: float = MAX_SECONDS
) -> Cost:
    """The cost, if this machine can pay it.

    Args:
        cost: the estimate.
        what: is trained, such as "200 parameters on 100 pairs for 500 steps".
        remedy: what to change.
        max_bytes: memory there is; None is the machine's.
        max_seconds: longest training, 30 days by default.

    Raises:
        BadConfig: it takes more memory or time; says how much of each.
    """
    available = physical_memory() if max_bytes is None else max_bytes
    if cost.nbytes > available or cost.seconds > max_seconds:
        raise BadConfig(
            f"training {what} takes about {cost.nbytes / 2**30:,.1f} GiB of memory and "
            f"{_duration(cost.seconds)}; there are {available / 2**30:,.1f} GiB and "
            f"at most {_duration(max_seconds)}",
            remedy,
        )
    return cost


def physical_memory() -> int:
    """Memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"
