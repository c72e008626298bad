"""Whether some parts are in a set in every variant: `common_members`."""

from __future__ import annotations

import math

import numpy as np

from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import ALPHA, Found, Test, Verdict
from tdw.study.claim_kinds import CommonMembers
from tdw.study.claims import Words

WORDS = Words(
    rule="{members} of all variants that reached the outcome, by index. Contradicted when they have none in "
    "common, supported when they have more in common than random sets of the same sizes (corrected p below "
    "0.05).",
    answer="{common} are common to all {n} variants that reached the outcome; chance would give {expected} "
    "(p = {p}). Within a variant between {least} and {most} stay.",
    limits="That a part must be in the set can't be seen in runs in which it was.",
    would_change="An intervention on the parts in question, against one on as many others.",
)
_SEED = 20_230_112
_DRAWS = 4000


def common_members(case: Case, parameters: CommonMembers) -> Found:
    """Whether more parts are in the set of every variant than chance would put there."""
    evidence, members = case.evidence, case.members(parameters.members)
    found = {row.key: members.of(row) for row in evidence.reached}
    sets = {key: mask for key, mask in found.items() if mask is not None}
    masks = list(sets.values())
    alike = len(masks) >= 2 and len({len(mask) for mask in masks}) == 1
    common = int(np.logical_and.reduce(masks).sum()) if alike else None
    expected = float(np.prod([mask.mean() for mask in masks]) * len(masks[0])) if alike else math.nan
    p = _p_value(masks, common) if common is not None else math.nan

    def decide(corrected: float) -> Verdict:
        if common is None or evidence.open:
            return "undecided"
        return "contradicted" if not common else "supported" if corrected < ALPHA else "undecided"

    stays = [case.number(parameters.stays)(row) for row in evidence.reached if row.key in sets]
    return Found(
        Test(p, decide),
        {
            "n": len(masks),
            "common": common,
            "expected": expected,
            "p": p,
            "least": min(stays, default=math.nan),
            "most": max(stays, default=math.nan),
        },
        {"members": members.label},
    )


def _p_value(masks: list[np.ndarray], common: int) -> float:
    """Probability of as many common members when each variant's set is random parts (sampled)."""
    generator = np.random.default_rng(_SEED)
    hits = 0
    for _ in range(_DRAWS):
        drawn = [generator.permutation(mask) for mask in masks]
        hits += int(np.logical_and.reduce(drawn).sum()) >= common
    return (1 + hits) / (1 + _DRAWS)
