"""Times to an event as ranks can use them, where some were not watched until the event."""

from __future__ import annotations

import math
from collections.abc import Mapping


def placed_last(times: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Times by key, infinity for what is known to be later than all; without those of unknown place.

    Who was watched at least as long as the slowest of the others took and had no event is later than all of
    them. Who was watched less long has no known place.

    Args:
        times: key -> (time of the event, NaN without one; until when it was watched without one, or NaN).
    """
    slowest = max((time for time, _ in times.values() if not math.isnan(time)), default=math.inf)
    placed: dict[str, float] = {}
    for key, (time, watched) in times.items():
        if not math.isnan(time):
            placed[key] = time
        elif watched >= slowest:
            placed[key] = math.inf
    return placed
