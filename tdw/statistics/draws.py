"""Verdicts over replicates: a claim is judged once for each complete set of draws.

A variant with replicates has several outcomes, and which of them "the" run has is chance. A complete set of
draws takes one replicate of every variant, as a study without replicates would have had it. A claim that
holds in some sets and not in others depends on rounding.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

Outcome = Literal["supported", "contradicted", "undecided"]
T = TypeVar("T")
_SEED = 20_230_112


@dataclass(frozen=True)
class DrawsVerdict:
    """A verdict, and in how many complete sets of draws it was reached.

    Attributes:
        verdict: "supported" or "contradicted" where at least the share `needed` of the sets say so; else
            "undecided".
        supported, contradicted, undecided: number of sets with each outcome.
        needed: share of the sets.
        possible: how many sets there are.
        exact: all were judged, not a sample.
    """

    verdict: Outcome
    supported: int
    contradicted: int
    undecided: int
    needed: float
    possible: int
    exact: bool

    @property
    def sentence(self) -> str:
        """In how many sets of draws the claim holds, for people."""
        sets = f"{self.draws:,} complete sets of draws" + ("" if self.exact else f" of {self.possible:,}")
        return (
            f"One replicate of every variant is a complete set of draws. Of {sets} {self.supported:,} "
            f"support the claim, {self.contradicted:,} contradict it, {self.undecided:,} leave it undecided; "
            f"a verdict needs {'all' if self.needed == 1 else f'{100 * self.needed:g} %'} of them."
        )

    @property
    def draws(self) -> int:
        """How many sets were judged."""
        return self.supported + self.contradicted + self.undecided


def complete_draws(sizes: Sequence[int], *, most: int = 1000) -> tuple[tuple[int, ...], ...]:
    """Complete sets of draws, each the place of one replicate of every variant: all, or a sample of `most`.

    A sample holds the set of all first replicates, the plain runs, first, and no set twice.

    Args:
        sizes: how many replicates each variant has.
        most: how many sets are judged at most.

    Raises:
        ValueError: no variant, or one without a replicate.
    """
    if not sizes or min(sizes) < 1:
        raise ValueError(f"variants with {list(sizes)} replicates; leave out those without any")
    if math.prod(sizes) <= most:
        return tuple(itertools.product(*map(range, sizes)))
    generator = np.random.default_rng(_SEED)
    found = {(0,) * len(sizes): None}
    while len(found) < most:
        found[tuple(int(generator.integers(size)) for size in sizes)] = None
    return tuple(found)


def judge_draws(
    outcomes: Sequence[Sequence[T]],
    judge: Callable[[Sequence[T]], Outcome],
    *,
    needed: float = 1.0,
    most: int = 1000,
) -> DrawsVerdict:
    """Judge a claim for each complete set of draws.

    Args:
        outcomes: for each variant, what its replicates came to.
        judge: one outcome of every variant -> verdict.
        needed: share of the sets that must agree; above one half, so that only one verdict can reach it.
        most: how many sets are judged at most.

    Raises:
        ValueError: `needed` is not above one half and at most 1, or a variant has no replicate.
    """
    if not 0.5 < needed <= 1:
        raise ValueError(f"needed is {needed}; give a share above 0.5 and at most 1")
    sizes = [len(replicates) for replicates in outcomes]
    sets = complete_draws(sizes, most=most)
    found: list[Outcome] = [
        judge([replicates[i] for replicates, i in zip(outcomes, picks, strict=True)]) for picks in sets
    ]
    return count_draws(found, possible=math.prod(sizes), needed=needed)


def count_draws(found: Sequence[Outcome], *, possible: int, needed: float = 1.0) -> DrawsVerdict:
    """The verdict from those of the complete sets of draws.

    Args:
        found: of each set that was judged.
        possible: how many sets there are.
        needed: share of the sets that must agree, above one half.
    """
    count: dict[Outcome, int] = {"supported": 0, "contradicted": 0, "undecided": 0}
    for outcome in found:
        count[outcome] += 1
    verdict: Outcome = "undecided"
    for side in ("supported", "contradicted"):
        if count[side] >= needed * len(found) - 1e-9:
            verdict = side
    return DrawsVerdict(verdict, **count, needed=needed, possible=possible, exact=len(found) == possible)
