"""Times to an event that not all reach: Kaplan-Meier's estimate of *not yet grokked*."""

# scipy has no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Survival:
    """The share of runs without the event, by time: a step function that is 1 before the first time.

    Attributes:
        times: float64 (m,), ascending: where a run has the event or leaves.
        survival: float64 (m,), share without the event from that time on.
        low, high: float64 (m,), pointwise band at `level`; NaN where `survival` is 0 or 1, where it has none.
        at_risk: int64 (m,), runs still watched just before that time.
        events: int64 (m,), runs with the event at that time.
        level: of the band.
    """

    times: Float64
    survival: Float64
    low: Float64
    high: Float64
    at_risk: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]
    level: float

    @property
    def median(self) -> float:
        """First time at which at most half are without the event; NaN where more than half stay so."""
        reached = np.flatnonzero(self.survival <= 0.5)
        return float(self.times[reached[0]]) if len(reached) else float("nan")


def kaplan_meier(times: Sequence[float], observed: Sequence[bool], *, level: float = 0.95) -> Survival:
    """Kaplan and Meier's (1958) estimate, with Greenwood's variance on the log(-log) scale.

    On that scale (Kalbfleisch and Prentice 2002, 1.4.2) the band stays within 0..1. A run that leaves at the
    time of an event counts as watched through it.

    Args:
        times: of each run's event, or the last time at which it was watched.
        observed: whether each run had the event; False for a censored one.
        level: of the band.

    Raises:
        ValueError: no run, lengths that differ, or a time that is negative or not finite.
    """
    from scipy.stats import CensoredData, ecdf

    at, seen = np.asarray(times, np.float64), np.asarray(observed, np.bool_)
    if at.ndim != 1 or at.shape != seen.shape or not len(at):
        raise ValueError(
            f"{at.shape} times and {seen.shape} marks; give one of each for every run, one at least"
        )
    if not (np.isfinite(at) & (at >= 0)).all():
        raise ValueError("a time is negative or not finite; give a censored run its last watched time")
    estimate = ecdf(CensoredData.right_censored(at, ~seen)).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Where survival is 0 or 1 the band is undefined and comes out as NaN, with a warning.
        warnings.simplefilter("ignore", RuntimeWarning)
        band = estimate.confidence_interval(confidence_level=level, method="log-log")
    moments = np.asarray(estimate.quantiles, np.float64)
    share = np.asarray(estimate.probabilities, np.float64)
    inside = (share > 0) & (share < 1)
    return Survival(
        times=moments,
        survival=share,
        low=np.where(inside, band.low.probabilities, np.nan),
        high=np.where(inside, band.high.probabilities, np.nan),
        at_risk=(at[None, :] >= moments[:, None]).sum(axis=1).astype(np.int64),
        events=((at[None, :] == moments[:, None]) & seen).sum(axis=1).astype(np.int64),
        level=level,
    )
