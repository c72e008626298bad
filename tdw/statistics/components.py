"""How much of an outcome's variance comes from the group, from the seed, and from rounding.

The model is nested and random: y = mean + group + seed within group + replicate within seed, independent,
each with a variance of its own. "Seed" stands for all that tells the variants of one group apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of an outcome, in its unit squared; NaN where the data do not allow an estimate.

    Attributes:
        group, seed, replicate: the components. An estimate below 0 is set to 0.
        n_moduli, n_variants, n_runs: how many there are of each.
        note: what can't be told apart or was set to 0, in words; "" for nothing.
    """

    group: float
    seed: float
    replicate: float
    n_moduli: int
    n_variants: int
    n_runs: int
    note: str

    @property
    def shares(self) -> tuple[float, float, float]:
        """Share of the group, the seed and the replicate in their sum; NaN where one is or the sum is 0."""
        total = self.group + self.seed + self.replicate
        if math.isnan(total) or total == 0:
            return math.nan, math.nan, math.nan
        return self.group / total, self.seed / total, self.replicate / total


def variance_components(
    values: Sequence[float], *, group: Sequence[Hashable], variant: Sequence[Hashable]
) -> VarianceComponents:
    """Estimate the components by the method of moments: mean squares equal to what is expected of them.

    For groups of unequal size with the coefficients of Searle, Casella and McCulloch (1992, 3.6); for equal
    sizes the same as restricted maximum likelihood while no estimate is negative.

    Args:
        values: outcome of each run.
        group: of each run; any label of the coarse groups.
        variant: of each run; the label that its replicates share. One variant has one group.

    Raises:
        ValueError: lengths that differ, no runs, a value that is not finite, or a variant of two groups.
    """
    y = np.asarray(values, np.float64)
    if not len(y) == len(group) == len(variant) or not len(y):
        raise ValueError(
            f"{len(y)} values, {len(group)} groups and {len(variant)} variants; give one for each run"
        )
    if not np.isfinite(y).all():
        raise ValueError("a value is not finite; leave out runs without the outcome, and say so")
    home = dict(zip(variant, group, strict=True))
    if any(home[v] != m for v, m in zip(variant, group, strict=True)):
        raise ValueError("a variant has two groups; give each variant a label of its own")
    of_variant, of_group = Counter(variant), Counter(group)
    n, b, a = len(y), len(of_variant), len(of_group)
    means = {v: y[[other == v for other in variant]].mean() for v in of_variant}
    averages = {m: y[[other == m for other in group]].mean() for m in of_group}
    within = sum((y[i] - means[v]) ** 2 for i, v in enumerate(variant))
    between = sum(size * (means[v] - averages[home[v]]) ** 2 for v, size in of_variant.items())
    across = sum(size * (averages[m] - y.mean()) ** 2 for m, size in of_group.items())
    inner = sum(size**2 / of_group[home[v]] for v, size in of_variant.items())
    k1 = (n - inner) / (b - a) if b > a else math.nan
    k2 = (inner - sum(size**2 for size in of_variant.values()) / n) / (a - 1) if a > 1 else math.nan
    k3 = (n - sum(size**2 for size in of_group.values()) / n) / (a - 1) if a > 1 else math.nan
    notes: list[str] = []
    replicate = within / (n - b) if n > b else math.nan
    if n == b:
        notes.append("no variant has replicates, so the seed's share holds theirs")
    seed = math.nan
    if b > a:
        seed = (between / (b - a) - (0.0 if n == b else replicate)) / k1
    else:
        notes.append("no group has two variants, so the seed's share can't be told apart")
    above = math.nan
    if a > 1 and b > a:
        above = (across / (a - 1) - (0.0 if n == b else replicate) - k2 * seed) / k3
    elif a == 1:
        notes.append("there is one group, so its share is unknown")
    for name, value in (("group", above), ("seed", seed)):
        if value < 0:
            notes.append(f"the estimate for the {name} is {value:.3g} and set to 0")
    return VarianceComponents(
        _above(above),
        _above(seed),
        float(replicate),
        n_moduli=a,
        n_variants=b,
        n_runs=n,
        note="; ".join(notes),
    )


def _above(value: float) -> float:
    """The value, 0 at least; NaN stays."""
    return value if math.isnan(value) else max(0.0, float(value))
