"""The kinds of claim by name, and the judging of a study's claims."""

from __future__ import annotations

import dataclasses
import math
import runpy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdw.errors import BadConfig
from tdw.recipes.family import Family
from tdw.recipes.reading.evidence import Evidence
from tdw.reports.claims import chances, early, extremes, limits, members, outcomes, thresholds, values
from tdw.reports.claims import order_in_time as order
from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import Corrected, Found, JudgedClaim, Verdict, correct, put_into_words
from tdw.statistics.draws import complete_draws, count_draws
from tdw.study.claims import Claim, Words, file_version, read_parameters


@dataclass(frozen=True)
class Kind:
    """How one kind of claim is judged.

    Attributes:
        judge: (case, parameters of the kind's model) -> what was found.
        words: its sentences, templates over the numbers and terms of what was found.
        code_version: raised when the same tables would give another verdict, number or sentence.
    """

    judge: Callable[[Case, Any], Found]
    words: Words
    code_version: str = "1"


KINDS = {
    "lies_between": Kind(values.lies_between, values.LIES_BETWEEN, "2"),
    "comes_before": Kind(values.comes_before, values.COMES_BEFORE),
    "outcomes_are": Kind(outcomes.outcomes_are, outcomes.OUTCOMES_ARE),
    "group_is_earlier": Kind(outcomes.group_is_earlier, outcomes.GROUP_IS_EARLIER, "2"),
    "is_extreme": Kind(extremes.is_extreme, extremes.IS_EXTREME),
    "is_extreme_in_every_group": Kind(
        extremes.is_extreme_in_every_group, extremes.IS_EXTREME_IN_EVERY_GROUP, "2"
    ),
    "settles_early": Kind(early.settles_early, early.SETTLES_EARLY, "2"),
    "settles_before_outcome": Kind(early.settles_before_outcome, early.SETTLES_BEFORE_OUTCOME),
    "seldom_without": Kind(chances.seldom_without, chances.SELDOM_WITHOUT),
    "never_without": Kind(limits.never_without, limits.NEVER_WITHOUT),
    "stays_below": Kind(limits.stays_below, limits.STAYS_BELOW),
    "predicts": Kind(early.predicts, early.PREDICTS, "2"),
    "threshold_parts": Kind(thresholds.threshold_parts, thresholds.WORDS, "2"),
    "threshold_predicts": Kind(chances.threshold_predicts, chances.THRESHOLD_PREDICTS),
    "told_apart": Kind(thresholds.told_apart, thresholds.TOLD_APART),
    "has_minimum": Kind(limits.has_minimum, limits.HAS_MINIMUM, "2"),
    "order_in_time": Kind(order.order_in_time, order.WORDS, "2"),
    "common_members": Kind(members.common_members, members.WORDS, "2"),
    "uneven_choice": Kind(chances.uneven_choice, chances.UNEVEN_CHOICE),
}


MOST_DRAWS = 100
"""Sets of draws that are judged: each costs as much as a report without replicates."""


def code_versions(claims: Iterable[Claim]) -> dict[str, str]:
    """Kind -> version of the code behind it, for the fingerprint of a report."""
    return {c.kind: c.code_version or KINDS[c.kind].code_version for c in claims}


def judge_all(evidence: Evidence, family: Family, claims: Iterable[Claim]) -> tuple[JudgedClaim, ...]:
    """Judge each claim of a study, p-values corrected for the number of its claims that are tested.

    Where variants have replicates, each claim is judged for every complete set of draws, or for a sample of
    MOST_DRAWS; numbers and sentences are of the first set, the plain runs, and a verdict is one only if all
    sets agree.

    Raises:
        BadConfig: a claim's words ask for a number that its kind does not have, or its Python function is
            not there.
    """
    claims = tuple(claims)
    sizes = [len(rows) for rows in evidence.by_base.values()]
    sets = complete_draws(sizes, most=MOST_DRAWS) if sizes else ((),)
    found = _judge(_drawn(evidence, sets[0]), family, claims)
    if len(sets) == 1:
        return found
    others = [_verdicts(_drawn(evidence, picks), family, claims) for picks in sets[1:]]
    return tuple(
        _over_draws(judged, [verdicts[i] for verdicts in others], math.prod(sizes))
        for i, judged in enumerate(found)
    )


def _drawn(evidence: Evidence, picks: Sequence[int]) -> Evidence:
    """The evidence of one complete set of draws."""
    if len(picks) == len(evidence.rows):
        return evidence
    return evidence.of([rows[i] for rows, i in zip(evidence.by_base.values(), picks, strict=True)])


def _verdicts(evidence: Evidence, family: Family, claims: Sequence[Claim]) -> list[Verdict]:
    case = Case(evidence, family)
    return [verdict for verdict, _ in correct([_find(case, claim) for claim in claims], with_power=False)]


def _over_draws(judged: JudgedClaim, others: Sequence[Verdict], possible: int) -> JudgedClaim:
    """A claim judged on the plain runs, with the verdict that holds over all sets of draws."""
    draws = count_draws([judged.verdict, *others], possible=possible)
    return dataclasses.replace(judged, verdict=draws.verdict, draws=draws)


def _judge(
    evidence: Evidence,
    family: Family,
    claims: Sequence[Claim],
) -> tuple[JudgedClaim, ...]:
    case = Case(evidence, family)
    found = [_find(case, claim) for claim in claims]
    corrected = correct(found)
    return tuple(_put_into_words(case, *each) for each in zip(claims, found, corrected, strict=True))


def _find(case: Case, claim: Claim) -> Found:
    if claim.kind not in KINDS:
        return _run_function(case, claim)
    return KINDS[claim.kind].judge(case, read_parameters(claim, case.family))


def _put_into_words(
    case: Case, claim: Claim, found: Found, judged: tuple[Verdict, Corrected | None]
) -> JudgedClaim:
    if claim.kind not in KINDS:
        return put_into_words(claim, found, Words(), judged, terms=case.terms())
    control = getattr(read_parameters(claim, case.family), "control", None)
    named = case.family.controls[control.name] if control else None
    words = KINDS[claim.kind].words
    return put_into_words(claim, found, words, judged, terms=case.terms(), control=named)


def _run_function(case: Case, claim: Claim) -> Found:
    """What the Python function of a claim finds, from the file that its study names."""
    if file_version(claim.id, Path(claim.file)) != claim.code_version:
        raise BadConfig(
            f"claim {claim.id}: {claim.file} has changed since the study was loaded",
            "load the study again (reload the code location, or start again)",
        )
    name = claim.kind.partition(":")[2]
    function = runpy.run_path(claim.file).get(name)
    if not callable(function):
        raise BadConfig(
            f"claim {claim.id}: {claim.file} has no function {name}", "define it, or correct `kind`"
        )
    found = function(case, claim.parameters)
    if not isinstance(found, Found):
        raise BadConfig(
            f"claim {claim.id}: {name} returned {type(found).__name__}",
            "return tdw.reports.claims.verdicts.Found",
        )
    return found
