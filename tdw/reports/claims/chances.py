"""Claims about many runs, each compared with what chance gives: `seldom_without`, `threshold_predicts`,
`uneven_choice`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tdw.markdown import Value, listed, show
from tdw.recipes.reading.evidence import Row
from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import ALPHA, FEW, Found, Test, Verdict
from tdw.statistics.counts import binomial_p_value, two_by_two_p_value
from tdw.statistics.power import runs_for_share
from tdw.statistics.uniformity import uniform_choice
from tdw.study.claim_kinds import SeldomWithout, ThresholdPredicts, UnevenChoice
from tdw.study.claims import Words

SELDOM_WITHOUT = Words(
    rule="Of the variants that reached the outcome, those with less than {limit} of {measure}, against a "
    "share of {share_limit}: exact binomial test, twice the smaller tail. Supported when the corrected p is "
    "below 0.05 and the share is smaller, contradicted when it is larger.",
    answer="{without} of {n} variants that reached the outcome had less than {limit} of {measure} (a share "
    "of {share}). In all they had between {least} and {most}.",
    unknown="No variant is known to have reached the outcome.",
    control="On average over all draws of the control the share is {control_share}.",
    limits="Observation can't show necessity: for that, the outcome would have to be prevented by an "
    "intervention.",
    would_change="More runs.",
)
THRESHOLD_PREDICTS = Words(
    rule="The {measure} from which on a variant is said to reach the outcome: of the values in variants with "
    "{field} below {below} the lowest with the largest sum of the two shares that are right. It is judged in "
    "the other variants, by Fisher's exact test, two-sided. Supported when the corrected p is below 0.05 and "
    "more than half are right in both groups there, contradicted when fewer are right in both; undecided "
    "while fewer than five variants fail.",
    answer="From {threshold} on (right in {learned_reached} of those that reached the outcome and "
    "{learned_failed} of those that did not, among {learned} variants). In the {tested} others it is right "
    "in {right_reached} of {num_reached} that reached the outcome and {right_failed} of {num_failed} that "
    "did not.",
    unknown="There are no variants of both outcomes to learn a threshold from, or none to judge it by.",
    limits="The measure goes with the outcome; it need not be what brings it about.",
    would_change="More variants that do not reach the outcome.",
)
UNEVEN_CHOICE = Words(
    rule="How often the variants that reached the outcome chose each of the {choices}, against as many sets "
    "of the same sizes drawn evenly: chi-squared distance, simulated. Supported when the corrected p is "
    "below 0.05; never contradicted, for evenness can't be shown.",
    answer="{n} variants made {chosen} choices of {h}. Most often: {often}; evenly it would be {expected} "
    "variants each. Never chosen: {never}. Distance {distance}.",
    unknown="No variant that reached the outcome has chosen any.",
    limits="It holds for what all variants share.",
    would_change="More runs.",
)


def seldom_without(case: Case, parameters: SeldomWithout) -> Found:
    """Whether few of the variants that reached the outcome are below a limit."""
    values = case.values(parameters.measure, case.evidence.reached)
    rows = [row for row in case.evidence.reached if row.key in values]
    below = [values[row.key] < case.limit(parameters.limit, row) for row in rows]
    n, without = len(rows), sum(below)
    share = without / n if n else math.nan
    draws = [case.draws(parameters.control, row) for row in rows]
    shares = [
        float((under < case.limit(parameters.limit, row)).mean())
        for under, row in zip(draws, rows, strict=True)
        if len(under)
    ]
    controlled = bool(shares) and len(shares) == n
    adjective = case.adjective(parameters.control)

    def decide(p: float) -> Verdict:
        return "undecided" if not p < ALPHA else "supported" if share < parameters.share else "contradicted"

    numbers: dict[str, Value] = {
        "n": n,
        "without": without,
        "share": share,
        "least": min(values.values(), default=math.nan),
        "most": max(values.values(), default=math.nan),
    }
    if adjective:
        numbers[f"{adjective}_share"] = float(np.mean(shares)) if controlled else math.nan
    return Found(
        Test(
            binomial_p_value(without, n, parameters.share),
            decide,
            lambda level: runs_for_share(share, null=parameters.share, alpha=level),
            "variants that reach the outcome",
        ),
        numbers,
        {
            "measure": case.label(parameters.measure),
            "limit": f"{100 * parameters.limit.share:g} %",
            "share_limit": f"{100 * parameters.share:g} %",
            "control_share": show(float(np.mean(shares))) if controlled else "unknown",
        },
        known=n > 0,
        controlled=controlled,
    )


def threshold_predicts(case: Case, parameters: ThresholdPredicts) -> Found:
    """Whether a threshold learned from some variants tells which of the others reach the outcome."""
    evidence = case.evidence
    learned_reached, reached = _split(case, parameters, evidence.reached)
    learned_failed, failed = _split(case, parameters, evidence.failed)
    known = all(map(len, (learned_reached, learned_failed, reached + failed)))
    threshold = _best_threshold(learned_reached, learned_failed) if known else math.nan
    right_reached, right_failed = _right(threshold, reached, failed)
    table = [[right_reached, len(reached) - right_reached], [len(failed) - right_failed, right_failed]]
    enough = len(evidence.failed) >= FEW

    def decide(p: float) -> Verdict:
        if not p < ALPHA or not enough:
            return "undecided"
        halves = (2 * right_reached - len(reached), 2 * right_failed - len(failed))
        return "supported" if min(halves) > 0 else "contradicted" if max(halves) < 0 else "undecided"

    learned = _right(threshold, learned_reached, learned_failed)
    return Found(
        Test(two_by_two_p_value(table) if known else math.nan, decide),
        {
            "threshold": threshold,
            "learned": len(learned_reached) + len(learned_failed),
            "tested": len(reached) + len(failed),
            "right_reached": right_reached,
            "num_reached": len(reached),
            "right_failed": right_failed,
            "num_failed": len(failed),
        },
        {
            "measure": case.label(parameters.measure),
            "field": parameters.learn.field,
            "below": show(parameters.learn.below),
            "learned_reached": f"{learned[0]} of {len(learned_reached)}",
            "learned_failed": f"{learned[1]} of {len(learned_failed)}",
        },
        known=known,
    )


def _split(case: Case, parameters: ThresholdPredicts, rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """The measure of the variants to learn from, and of the others; of those where it is known."""
    learn, known = parameters.learn, case.values(parameters.measure, rows)
    sides: tuple[list[float], list[float]] = ([], [])
    for row in rows:
        if row.key in known:
            sides[0 if row.fields[learn.field] < learn.below else 1].append(known[row.key])
    return sides


def _right(threshold: float, reached: Sequence[float], failed: Sequence[float]) -> tuple[int, int]:
    """How many are right in both groups when those from the threshold on are said to reach the outcome."""
    return sum(value >= threshold for value in reached), sum(value < threshold for value in failed)


def _best_threshold(reached: Sequence[float], failed: Sequence[float]) -> float:
    """The lowest value with the largest sum of the two shares that are right."""

    def quality(threshold: float) -> float:
        a, b = _right(threshold, reached, failed)
        # Whole numbers: sums of shares that are equal must compare so.
        return a * len(failed) + b * len(reached)

    return max(sorted({*reached, *failed}), key=quality)


def uneven_choice(case: Case, parameters: UnevenChoice) -> Found:
    """Whether the variants prefer some of the things that each of them chooses from."""
    choices = case.choices(parameters.choices)
    found = {row.key: choices.of(row) for row in case.evidence.reached}
    sets = [chosen for chosen in found.values() if chosen]
    sizes = {choices.number(row) for row in case.evidence.reached}
    even = uniform_choice(sets, sizes.pop()) if sets and len(sizes) == 1 else None
    numbers: dict[str, Value] = {"n": 0}
    terms = {"choices": choices.label}
    if even is not None:
        counts = {k + 1: int(count) for k, count in enumerate(even.counts)}
        often = sorted((k for k in counts if counts[k]), key=lambda k: (-counts[k], k))[:5]
        numbers = {
            "n": even.runs,
            "chosen": sum(counts.values()),
            "h": len(counts),
            "expected": float(even.expected[0]),
            "distance": even.statistic,
            "often": ", ".join(f"{k} ({counts[k]})" for k in often),
            "never": listed([str(k) for k in counts if not counts[k]]),
        }
    return Found(
        Test(even.p_value if even else math.nan, lambda p: "supported" if p < ALPHA else "undecided"),
        numbers,
        terms,
        known=even is not None,
    )
