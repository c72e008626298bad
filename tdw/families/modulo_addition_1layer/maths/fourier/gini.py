"""How unequal the values of a spectrum are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def gini(values: npt.NDArray[np.floating]) -> float:
    """Gini coefficient of non-negative values (n,): 0 when all are alike, 1 - 1/n when one has all.

    Hurley and Rickard 2009 (arXiv:0811.4706): 1 - 2 sum_i (v_(i) / sum v) (n - i + 1/2) / n,
    ascending. 0 when all are 0.
    """
    ordered = np.sort(values.astype(np.float64))
    total, n = ordered.sum(), len(ordered)
    if total <= 0:
        return 0.0
    return float(1 - 2 * (ordered / total) @ ((n - np.arange(1, n + 1) + 0.5) / n))
