"""Claims about a limit: `never_without`, `stays_below`, `has_minimum`."""

from __future__ import annotations

import math

import numpy as np

from tdw.markdown import listed, show
from tdw.reports.claims.case import Case, matching, named
from tdw.reports.claims.verdicts import ALPHA, FEW, Found, Test, Verdict
from tdw.statistics.counts import lowest_p_value
from tdw.study.claim_kinds import HasMinimum, NeverWithout, StaysBelow
from tdw.study.claim_terms import Limit
from tdw.study.claims import Words

NEVER_WITHOUT = Words(
    rule="Contradicted when a variant reached the outcome with less than {limit} of {measure}, in the "
    "observed run or under any draw of the control. Supported when none did, under any draw, and all "
    "variants are known.",
    answer="{n} variants that reached the outcome had between {least} and {most} {measure}. Less than "
    "{limit}: {without}.",
    control="Under the draws of the control the least is {least_control}; {num_control} variants that had "
    "{limit} in the observed run have less under some draw ({with_control}).",
    limits="Observation can't show necessity: for that, the outcome would have to be prevented by an "
    "intervention.",
    would_change="A run that reaches the outcome without contradicts; an intervention that takes it away "
    "and prevents the outcome would support.",
)
STAYS_BELOW = Words(
    rule="Supported when {measure} of {which} stays below {limit} to the end, below all others, and so "
    "under every draw of the control; contradicted when it reaches {limit} and the least of another "
    "variant.",
    answer="{which} has {most} {measure} at the most and {final} at the end; the others reach between "
    "{least} and more, {median} in the median; {limit} is {few}.",
    unknown="Nothing is known of {which} yet. The others reach at least {least} {measure}.",
    control="Under the draw that suits it best it would have {most_control} at the end, and a share of "
    "{share} of all draws gives it {limit} or more.",
    limits="One variant: what belongs to its configuration can't be told from what this run did.",
    would_change="Other runs of the same configuration.",
)
HAS_MINIMUM = Words(
    rule="Of the variants that did not reach the outcome, those whose {most} never came up to the {had} of "
    "any that reached it; p is the chance that so many lowest of all variants are of those that did not, "
    "doubled. Supported when the corrected p is below 0.05 and they are at least half of those that did "
    "not; contradicted when there is none among five or more; undecided while fewer than five did not.",
    answer="The least of those that reached the outcome is {least} (over {n} variants). Of {m} that did not, "
    "{below} stayed below it; the most that one of them had is {reached}.",
    unknown="The least of those that reached the outcome is {least} (over {n} variants). No variant is "
    "known to have failed, so there is nothing that a minimum could part.",
    control="Under the draws of the control the least is {least_control}: a minimum would have to hold for "
    "these runs too.",
    limits="That a variant reached the outcome with more does not show that it needed it: those that did not "
    "had no time to form what the others have.",
    would_change="More variants that do not reach the outcome.",
)


def _share(limit: Limit) -> str:
    return f"{100 * limit.share:g} %"


def never_without(case: Case, parameters: NeverWithout) -> Found:
    """Whether no variant reached the outcome below a limit."""
    evidence, adjective = case.evidence, case.adjective(parameters.control)
    values = case.values(parameters.measure, evidence.reached)
    fewest: dict[str, float] = {}
    without: list[str] = []
    renamed: list[str] = []
    for row in evidence.reached:
        if row.key not in values:
            continue
        under, limit = case.draws(parameters.control, row), case.limit(parameters.limit, row)
        fewest[row.key] = float(under.min()) if len(under) else math.nan
        if values[row.key] < limit:
            without.append(row.key)
        elif fewest[row.key] < limit:
            renamed.append(row.key)
    controlled = parameters.control is None or not any(map(math.isnan, fewest.values()))
    verdict: Verdict = "undecided"
    if without or renamed:
        verdict = "contradicted"
    elif len(values) == len(evidence.reached) > 1 and not evidence.open and controlled:
        verdict = "supported"
    least = min(fewest.values(), default=math.nan)
    numbers = {
        "n": len(values),
        "least": min(values.values(), default=math.nan),
        "most": max(values.values(), default=math.nan),
        "without": listed(without),
    }
    if adjective:
        numbers |= {adjective: listed(renamed), f"num_{adjective}": len(renamed), f"least_{adjective}": least}
    terms = {"with_control": listed(renamed), "num_control": show(len(renamed)), "least_control": show(least)}
    terms |= {"measure": case.label(parameters.measure), "limit": _share(parameters.limit)}
    return Found(verdict, numbers, terms, controlled=bool(adjective))


def stays_below(case: Case, parameters: StaysBelow) -> Found:
    """Whether a measure of one variant stays below a limit and below all others."""
    rows, adjective = case.evidence.rows, case.adjective(parameters.control)
    row = next(iter(matching(rows, parameters.which)), None)
    measure, final = case.number(parameters.measure), case.number(parameters.final)
    most = measure(row) if row else math.nan
    theirs = list(case.values(parameters.measure, [other for other in rows if other is not row]).values())
    limit = case.limit(parameters.limit, row) if row else math.nan
    under = case.draws(parameters.control, row) if row else np.empty(0)
    most_under = float(under.max()) if len(under) else math.nan
    verdict: Verdict = "undecided"
    if row is not None and theirs and not math.isnan(most):
        if most >= max(min(theirs), limit):
            verdict = "contradicted"
        elif row.finished and most < min(limit, *theirs) and (not adjective or most_under < limit):
            verdict = "supported"
    numbers = {
        "most": most,
        "least": min(theirs, default=math.nan),
        "median": float(np.median(theirs)) if theirs else math.nan,
        "final": final(row) if row else math.nan,
    }
    if adjective:
        numbers |= {
            adjective: most_under,
            "share": float((under >= limit).mean()) if len(under) else math.nan,
        }
    return Found(
        verdict,
        {**numbers, "few": limit},
        {
            "which": named(parameters.which),
            "measure": case.label(parameters.measure),
            "limit": _share(parameters.limit),
            "most_control": show(most_under),
        },
        known=not math.isnan(most),
        controlled=bool(len(under)),
    )


def has_minimum(case: Case, parameters: HasMinimum) -> Found:
    """Whether the variants that did not reach the outcome never had as much as the least that did."""
    evidence, adjective = case.evidence, case.adjective(parameters.control)
    had = case.values(parameters.had, evidence.reached)
    reached = case.values(parameters.most, evidence.failed)
    draws = [case.draws(parameters.control, row) for row in evidence.reached if row.key in had]
    least_control = min((float(values.min()) for values in draws if len(values)), default=math.nan)
    least = min(had.values(), default=math.nan)
    below = sum(value < least for value in reached.values())
    known = bool(reached) and bool(had)
    p_value = lowest_p_value(len(had) + len(reached), len(reached), below) if known else math.nan

    def decide(p: float) -> Verdict:
        if evidence.open or len(reached) < FEW:
            return "undecided"
        if not below:
            return "contradicted"
        return "supported" if p < ALPHA and 2 * below >= len(reached) else "undecided"

    return Found(
        Test(p_value, decide),
        {
            "n": len(had),
            "m": len(reached),
            "least": least,
            "reached": max(reached.values(), default=math.nan),
            "below": below,
            **({adjective: least_control} if adjective else {}),
        },
        {
            "had": case.label(parameters.had),
            "most": case.label(parameters.most),
            "least_control": show(least_control),
        },
        known=known,
        controlled=bool(adjective),
    )
