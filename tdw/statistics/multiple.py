"""Several claims tested at once."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values corrected for their number, in the order given (Holm 1979).

    The i-th smallest of m is multiplied by m - i + 1, and none is smaller than one before it. Rejecting where
    the corrected value is at most alpha keeps the probability of any false rejection at alpha, however the
    tests depend on each other.

    Args:
        p_values: of the claims; NaN for a claim without a test, which stays NaN and does not count.

    Raises:
        ValueError: a p-value outside 0..1.
    """
    known = [i for i, p in enumerate(p_values) if not math.isnan(p)]
    for i in known:
        if not 0 <= p_values[i] <= 1:
            raise ValueError(f"p-value number {i} is {p_values[i]}, outside 0..1")
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for place, i in enumerate(sorted(known, key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(known) - place) * p_values[i]))
        corrected[i] = largest
    return tuple(corrected)
