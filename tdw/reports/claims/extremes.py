"""Which variant is the earliest or latest: `is_extreme`, `is_extreme_in_every_group`."""

from __future__ import annotations

import math

from tdw.markdown import listed
from tdw.recipes.reading.evidence import Row, is_later, outcome
from tdw.reports.claims.case import Case, matching, named
from tdw.reports.claims.verdicts import ALPHA, Found, Test, Verdict
from tdw.study.claim_kinds import IsExtreme, IsExtremeInEveryGroup
from tdw.study.claims import Words

IS_EXTREME = Words(
    rule="Supported when {which} reaches the outcome {before} each of the others, contradicted when one "
    "reaches it {after} {which}.",
    answer="Outcome of {which}: {outcome}; the {end} so far: {extreme}, at {at}. Against it: {against}. "
    "Open: {unknown}.",
    limits="One run per variant: how much its outcome would vary is not known.",
    would_change="Another variant that reaches the outcome {after} it; for undecided, the variants that are "
    "missing.",
)
IS_EXTREME_IN_EVERY_GROUP = Words(
    rule="Supported when {which} is the {end} with every {field} and the probability of that by chance, "
    "corrected, is below 0.05; contradicted when it is not with one {field}.",
    answer="{which} is the {end} with: {yes}; not with: {no}; open: {unknown}. If nothing made a "
    "difference, it would be in all that are known with probability {chance}.",
    unknown="{which} is the {end} with: {yes}; not with: {no}; open: {unknown}.",
    limits="At least {wanted} values of {field}, all with {which} as the {end}, would be needed to tell it "
    "from chance.",
    would_change="A {field} with which another variant is the {end} contradicts; {wanted} with {which} "
    "support.",
)


def is_extreme(case: Case, parameters: IsExtreme) -> Found:
    """Whether one variant is the earliest or latest among some."""
    latest = parameters.end == "latest"
    rows = matching(case.evidence.rows, parameters.among)
    row = next(iter(matching(rows, parameters.which)), None)
    others = [other for other in rows if other is not row]
    order = {other.key: None if row is None else is_later(row, other) for other in others}
    against = [key for key, later in order.items() if later is not None and later != latest]
    unknown = [key for key, later in order.items() if later is None]
    verdict: Verdict = "supported"
    if against:
        verdict = "contradicted"
    elif row is None or unknown or not others:
        verdict = "undecided"
    pick = max if latest else min
    extreme = pick([r for r in rows if r.reached], key=lambda r: r.epoch, default=None)
    by = (
        {}
        if parameters.by is None
        else {f"{parameters.by}{r.fields[parameters.by]}": outcome(r) for r in rows}
    )
    terms = {"before": "after", "after": "after"} if latest else {"before": "before", "after": "before"}
    return Found(
        verdict,
        {
            "epoch": row.epoch if row else math.nan,
            "outcome": outcome(row) if row else "not in the study",
            "slowest" if latest else "quickest": extreme.key if extreme else "none",
            "at": extreme.epoch if extreme else math.nan,
            "behind" if latest else "ahead": listed(against),
            "unknown": listed(unknown),
            **by,
        },
        {
            **terms,
            "which": named(parameters.which),
            "end": parameters.end,
            "extreme": extreme.key if extreme else "none",
            "against": listed(against),
        },
    )


def is_extreme_in_every_group(case: Case, parameters: IsExtremeInEveryGroup) -> Found:
    """Whether one kind of variant is the earliest or latest in each group that shares a value of a field."""
    rows, field = case.evidence.rows, parameters.groups
    values = sorted({row.fields[field] for row in rows})
    answers: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    chance = 1.0
    for value in values:
        group = matching(rows, {field: value})
        found = _is_extreme_here(case, group, parameters)
        answers[found].append(f"{field} {value}")
        if found:
            chance /= len(group)
    yes, no, unknown = answers[True], answers[False], answers[None]

    def decide(p: float) -> Verdict:
        if no:
            return "contradicted"
        return "supported" if yes and not unknown and p < ALPHA else "undecided"

    kinds = {tuple(row.fields[name] for name in parameters.which) for row in rows}
    word = "slowest" if parameters.end == "latest" else "fastest"
    return Found(
        Test(chance if yes else math.nan, decide),
        {
            word: listed(yes),
            f"not_{word}": listed(no),
            "unknown": listed(unknown),
            f"{field}s": len(values),
            "chance": chance if yes else math.nan,
            "wanted": math.ceil(math.log(ALPHA) / math.log(1 / max(len(kinds), 2))),
        },
        {
            **{"yes": listed(yes), "no": listed(no)},
            **{"which": named(parameters.which), "end": parameters.end, "field": field},
        },
        known=bool(yes),
    )


def _is_extreme_here(case: Case, group: list[Row], parameters: IsExtremeInEveryGroup) -> bool | None:
    """Whether the variant is the extreme of one group; None where that is not known."""
    sign = 1 if parameters.end == "latest" else -1
    times = {row.key: sign * case.evidence.times.get(row.key, math.nan) for row in group}
    own = [times.pop(row.key) for row in matching(group, parameters.which)]
    if len(own) != 1 or math.isnan(own[0]) or not times:
        return None
    if any(time > own[0] for time in times.values()):
        return False
    return None if any(math.isnan(time) or time == own[0] for time in times.values()) else True
