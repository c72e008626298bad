"""Times to an event as ranks can use them, where some were not watched until the event."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tdw.statistics.exact import Association, Line, associate, fit_line


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


@dataclass(frozen=True)
class EarlyAssociation:
    """An early quantity against the time of an event, over runs.

    Attributes:
        association: rank correlation, runs without the event tied for last.
        reached_only: the same without them.
        line: least squares over the runs with the event; None for fewer than three.
        variants: keys of those in it.
        left_out: keys of those without the quantity, or of unknown place.
    """

    association: Association
    reached_only: Association
    line: Line | None
    variants: tuple[str, ...]
    left_out: tuple[str, ...]


def associate_values(times: Mapping[str, float], values: Mapping[str, float]) -> EarlyAssociation:
    """How a quantity goes together with the time of an event.

    Args:
        times: as `placed_last` returns them.
        values: key -> quantity of every run, NaN where it is not known.
    """
    points = [(key, values[key], epoch) for key, epoch in times.items() if not math.isnan(values[key])]
    keys = tuple(key for key, _, _ in points)
    finite = [(x, y) for _, x, y in points if math.isfinite(y)]
    xs, ys = [x for x, _ in finite], [y for _, y in finite]
    return EarlyAssociation(
        association=associate([x for _, x, _ in points], [y for _, _, y in points]),
        reached_only=associate(xs, ys),
        line=fit_line(*_finite(xs, ys)),
        variants=keys,
        left_out=tuple(key for key in values if key not in keys),
    )


def _finite(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """The points that a line can be fitted to: a quantity may be infinite for what never came."""
    points = [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x)]
    return [x for x, _ in points], [y for _, y in points]
