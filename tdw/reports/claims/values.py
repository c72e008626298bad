"""Where a number lies, and which of two epochs comes first: `lies_between`, `comes_before`."""

from __future__ import annotations

import math

import numpy as np

from tdw.markdown import listed, show
from tdw.reports.claims.case import Case, matching, named
from tdw.reports.claims.verdicts import Found, Verdict
from tdw.study.claim_kinds import ComesBefore, LiesBetween
from tdw.study.claims import Words

DIGITS = 12
"""Of a number that is compared with a limit."""
LIES_BETWEEN = Words(
    rule="{rule_of} {lies}. Of {which}, at the last epoch only. Supported when it "
    "does and every variant is trained to the end, contradicted when it does not.",
    answer="The {measure} of {n} variants: mean {mean}, from {lowest} to {highest}, standard deviation {sd}. "
    "Outside: {outside}. Not known yet: {open}.",
    unknown="No number is known yet of {which}.",
    limits="Says nothing of other seeds and settings than those of this study.",
    would_change="A variant outside; for undecided, the variants that are missing or not trained to the end.",
)
COMES_BEFORE = Words(
    rule="Of {which}. Supported when {earlier} comes at an earlier analyzed epoch than {later} in every "
    "variant that is trained to the end, contradicted when it comes later in one.",
    answer="Before in {num_before} of {n} variants; together at one analyzed epoch: {together}; after: "
    "{after}; one of the two never came: {never}.{gap}",
    limits="Order is no cause. {by_chance}Between checkpoints nothing is seen.",
    would_change="A variant in which {later} comes first; for undecided, denser checkpoints and the "
    "variants that are missing.",
)


def lies_between(case: Case, parameters: LiesBetween) -> Found:
    """Whether a number of each variant, or its mean over them, lies between two limits."""
    rows = matching(case.evidence.rows, parameters.which)
    found = case.values(parameters.measure, [row for row in rows if row.finished])
    # What rounding adds is not outside: 1 - 0.7 is 0.30000000000000004.
    values = {key: float(f"{value:.{DIGITS}g}") for key, value in found.items()}
    missing = [row.key for row in rows if row.key not in values]
    low, high = parameters.least, parameters.most
    outside = [key for key, value in values.items() if not low <= value <= high]
    numbers = np.array(list(values.values()))
    mean = float(f"{numbers.mean():.{DIGITS}g}") if len(numbers) else math.nan
    fails = bool(outside) if parameters.of == "each" else not (missing or low <= mean <= high)
    verdict: Verdict = "undecided" if missing or not values else "supported"
    return Found(
        "contradicted" if fails and len(numbers) else verdict,
        {
            "n": len(values),
            "mean": mean,
            "sd": float(numbers.std(ddof=1)) if len(numbers) > 1 else math.nan,
            "lowest": float(numbers.min()) if len(numbers) else math.nan,
            "highest": float(numbers.max()) if len(numbers) else math.nan,
            "outside": listed(outside),
            "open": listed(missing),
        },
        {
            "measure": case.label(parameters.measure),
            "which": _which(parameters.which),
            "rule_of": f"{'The mean of the ' if parameters.of == 'mean' else 'The '}"
            f"{case.label(parameters.measure)}",
            "lies": f"is {show(low)}" if low == high else f"lies between {show(low)} and {show(high)}",
            "least": show(low),
            "most": show(high),
        },
        known=bool(values),
    )


def comes_before(case: Case, parameters: ComesBefore) -> Found:
    """Whether one epoch is earlier than another in every variant."""
    rows = matching(case.evidence.rows, parameters.which)
    first, second = case.number(parameters.earlier), case.number(parameters.later)
    before: list[float] = []
    places: dict[str, list[str]] = {"together": [], "after": [], "never": [], "open": []}
    for row in rows:
        a, b = first(row), second(row)
        if not row.finished:
            places["open"].append(row.key)
        elif math.isnan(a) or math.isnan(b):
            places["never"].append(row.key)
        elif a < b:
            before.append(b - a)
        else:
            places["together" if a == b else "after"].append(row.key)
    verdict: Verdict = "supported" if before and not any(places.values()) else "undecided"
    return Found(
        "contradicted" if places["after"] else verdict,
        {
            "n": len(rows),
            "num_before": len(before),
            **{name: listed(keys) for name, keys in places.items()},
            "median": float(np.median(before)) if before else math.nan,
            "chance": 0.5 ** len(before),
        },
        {
            "gap": f" Median difference {show(float(np.median(before)))} epochs." if before else "",
            "by_chance": f"If either order were as likely, {len(before)} would all come out so with "
            f"probability {show(0.5 ** len(before))}. "
            if before
            else "",
            "earlier": case.label(parameters.earlier),
            "later": case.label(parameters.later),
            "which": _which(parameters.which),
        },
    )


def _which(which: dict[str, int | float | str] | None) -> str:
    return named(which) if which else "all variants"
