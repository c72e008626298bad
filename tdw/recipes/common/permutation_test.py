"""Permutation tests of some members of a population (such as blob neurons) against the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GroupDifference:
    """A quantity of the members against the others.

    Attributes:
        members, others: how many.
        member_mean, other_mean: of the quantity, in its unit; NaN for an empty group.
        p_value: two-sided; NaN where a group is empty.
        random_ratios: the 2.5th and the 97.5th percentile of `ratio` over random groups; NaN likewise.
        permutations, seed: of the test.
    """

    members: int
    others: int
    member_mean: float
    other_mean: float
    p_value: float
    random_ratios: tuple[float, float]
    permutations: int
    seed: int

    @property
    def ratio(self) -> float:
        """Mean of the members over that of the others; NaN where there is none."""
        return self.member_mean / self.other_mean if self.other_mean else float("nan")


def random_groups(member: Bools, *, seed: int, permutations: int) -> Float64:
    """Random groups of the members' size: float64 (permutations, n), 1 for a member, 0 for another.

    Args:
        member: bool (n,).
        seed: of the permutations.
        permutations: how many.

    Raises:
        BadConfig: fewer than one permutation.
    """
    if permutations < 1:
        raise BadConfig(f"{permutations} permutations", "ask for at least one")
    return member.astype(np.float64)[_orders(len(member), seed=seed, permutations=permutations)]


@lru_cache(maxsize=1)
def _orders(n: int, *, seed: int, permutations: int) -> Int64:
    """Random orders: int64 (permutations, n). A summary asks for the same ones at every epoch."""
    rows = np.tile(np.arange(n, dtype=np.int64), (permutations, 1))
    orders = np.random.default_rng(seed).permuted(rows, axis=1)
    orders.flags.writeable = False
    return orders


def permutation_p_value(observed: float, permuted: Float64) -> float:
    """Share of groups with a statistic of at least the observed one, which counts as one of them; never 0.

    (1 + number at least as large) / (1 + permutations) (Phipson and Smyth 2010). Values that are equal but
    for rounding count as equal.
    """
    tolerance = 1e-9 * max(abs(observed), float(np.abs(permuted).max()))
    return float((1 + (permuted >= observed - tolerance).sum()) / (1 + len(permuted)))


def compare_groups(values: Float64, member: Bools, *, seed: int, permutations: int = 999) -> GroupDifference:
    """Test whether members have another mean than the others; two-sided, on the difference of the means.

    Args:
        values: float64 (n,).
        member: bool (n,).
        seed: of the permutations.
        permutations: how many; the smallest p-value is 1 / (1 + permutations).

    Raises:
        BadConfig: another number of values than of members, or fewer than one permutation.
    """
    if values.shape != member.shape or values.ndim != 1:
        raise BadConfig(
            f"{values.shape} values came with {member.shape} members", "give one of each per neuron"
        )
    size, n = int(member.sum()), len(values)
    means = [float(part.mean()) if part.size else float("nan") for part in (values[member], values[~member])]
    p_value, ratios = float("nan"), (float("nan"), float("nan"))
    if 0 < size < n:
        # The overall mean is fixed, so the members' deviation from it decides the difference of the means.
        mean = float(values.mean())
        permuted = random_groups(member, seed=seed, permutations=permutations) @ (values - mean)
        p_value = permutation_p_value(abs(float((values[member] - mean).sum())), np.abs(permuted))
        others = mean - permuted / (n - size)
        if (others > 0).all():
            low, high = np.percentile((mean + permuted / size) / others, (2.5, 97.5))
            ratios = (float(low), float(high))
    return GroupDifference(size, n - size, means[0], means[1], p_value, ratios, permutations, seed)
