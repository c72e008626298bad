"""The kinds of claim by name, and the judging of a study's claims."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdw.errors import BadConfig
from tdw.recipes.evidence import Evidence
from tdw.recipes.family import Family
from tdw.reports.claims import early, extremes, limits, members, order, outcomes, thresholds, values
from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import Found, JudgedClaim, put_into_words
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
    "lies_between": Kind(values.lies_between, values.LIES_BETWEEN),
    "comes_before": Kind(values.comes_before, values.COMES_BEFORE),
    "outcomes_are": Kind(outcomes.outcomes_are, outcomes.OUTCOMES_ARE),
    "group_is_earlier": Kind(outcomes.group_is_earlier, outcomes.GROUP_IS_EARLIER),
    "is_extreme": Kind(extremes.is_extreme, extremes.IS_EXTREME),
    "is_extreme_in_every_group": Kind(extremes.is_extreme_in_every_group, extremes.IS_EXTREME_IN_EVERY_GROUP),
    "settles_early": Kind(early.settles_early, early.SETTLES_EARLY),
    "never_without": Kind(limits.never_without, limits.NEVER_WITHOUT),
    "stays_below": Kind(limits.stays_below, limits.STAYS_BELOW),
    "predicts": Kind(early.predicts, early.PREDICTS),
    "threshold_parts": Kind(thresholds.threshold_parts, thresholds.WORDS),
    "has_minimum": Kind(limits.has_minimum, limits.HAS_MINIMUM),
    "order_in_time": Kind(order.order_in_time, order.WORDS),
    "common_members": Kind(members.common_members, members.WORDS),
}


def code_versions(claims: Iterable[Claim]) -> dict[str, str]:
    """Kind -> version of the code behind it, for the fingerprint of a report."""
    return {c.kind: c.code_version or KINDS[c.kind].code_version for c in claims}


def judge_all(evidence: Evidence, family: Family, claims: Iterable[Claim]) -> tuple[JudgedClaim, ...]:
    """Judge each claim of a study.

    Raises:
        BadConfig: a claim's words ask for a number that its kind does not have, or its Python function is
            not there.
    """
    return tuple(_judge(Case(evidence, family), claim) for claim in claims)


def _judge(case: Case, claim: Claim) -> JudgedClaim:
    if claim.kind not in KINDS:
        found = _run_function(case, claim)
        return put_into_words(claim, found, Words(), terms=case.terms())
    kind, parameters = KINDS[claim.kind], read_parameters(claim, case.family)
    control = getattr(parameters, "control", None)
    title = case.family.controls[control.name].title if control else ""
    found = kind.judge(case, parameters)
    return put_into_words(claim, found, kind.words, terms=case.terms(), control_title=title)


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
