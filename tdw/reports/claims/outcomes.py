"""Which variants reach the outcome, and which group is earlier: `outcomes_are`, `group_is_earlier`."""

from __future__ import annotations

import math

import numpy as np

from tdw.markdown import listed, show
from tdw.recipes.reading.evidence import Row, is_later
from tdw.reports.claims.case import Case, matching, named
from tdw.reports.claims.verdicts import Found
from tdw.study.claim_kinds import GroupIsEarlier, OutcomesAre
from tdw.study.claims import Words

OUTCOMES_ARE = Words(
    rule="Supported when every variant comes out so; contradicted when one that is known comes out "
    "otherwise.",
    answer="{right} of {all} came out as expected. Otherwise: {wrong}. Not known yet: {open}. Not reached "
    "by epoch {last}: {failed}.",
    limits="Not reached by epoch {last} is censored: it does not say that the variant never would.",
    would_change="For undecided: a variant that is missing or not trained to the end now, or another "
    "outcome when it is.",
)
GROUP_IS_EARLIER = Words(
    rule="For each pair of variants that differ in {field} alone; supported when {field}={first} is earlier "
    "in all, contradicted when it is later in one. A variant without the outcome is later than one "
    "that reached it before the other's last epoch.",
    answer="{field}={first} is earlier in {count} of {pairs} pairs ({earlier}), later at {later}, open at "
    "{unknown}; median difference where both reached the outcome: {median} epochs.",
    limits="If {field} made no difference, one given value would be earlier in all pairs with probability "
    "{chance}.",
    would_change="One pair in which {field}={second} is earlier; for undecided, the variants that are "
    "missing.",
)


def outcomes_are(case: Case, parameters: OutcomesAre) -> Found:
    """Whether every variant but the excepted ones reaches the outcome."""
    evidence = case.evidence
    excepted = {row.key for which in parameters.excepted for row in matching(evidence.rows, which)}
    wrong: list[str] = []
    missing: list[str] = []
    for row in evidence.rows:
        came_out = True if row.reached else False if row.reached is False and row.finished else None
        if came_out is None:
            missing.append(row.key)
        elif came_out == (row.key in excepted):
            wrong.append(row.key)
    near = [_nearest(case, row, parameters.nearest) for row in evidence.failed]
    return Found(
        "contradicted" if wrong else "undecided" if missing else "supported",
        {
            "right": len(evidence.rows) - len(wrong) - len(missing),
            "wrong": listed(wrong),
            "open": listed(missing),
            "failed": listed([row.key for row in evidence.failed]),
            "last": evidence.last_epoch,
            "nearest": "; ".join(filter(None, near)),
        },
        {"all": str(len(evidence.rows))},
    )


def _nearest(case: Case, row: Row, nearest: tuple[str, str] | None) -> str:
    """How near a variant came to the outcome, in words; "" where its series is not there."""
    if nearest is None:
        return ""
    (epochs, values), beside = case.series(nearest[0]).of(row), case.series(nearest[1])
    if not len(epochs):
        return ""
    lowest = int(np.argmin(values))
    other = dict(zip(*beside.of(row), strict=True)).get(epochs[lowest], math.nan)
    return (
        f"{row.key}, {show(values[lowest])} at epoch {show(epochs[lowest])} with a {beside.label} of "
        f"{show(other)}, and {show(values[-1])} at epoch {show(epochs[-1])}"
    )


def group_is_earlier(case: Case, parameters: GroupIsEarlier) -> Found:
    """Whether one value of a field is earlier than another, over pairs that are alike in all other fields."""
    pairs: dict[str, dict[object, Row]] = {}
    for row in case.evidence.rows:
        value = row.fields.get(parameters.field)
        if value in (parameters.first, parameters.second):
            rest = {field.name: getattr(row.config, field.name) for field in case.family.fields}
            del rest[parameters.field]
            rest.pop("replicate", None)  # a complete set of draws has one of each variant, whichever it is
            pairs.setdefault(named(rest), {})[value] = row
    earlier: list[str] = []
    later: list[str] = []
    unknown: list[str] = []
    gaps: list[float] = []
    for pair in pairs.values():
        a, b = pair.get(parameters.first), pair.get(parameters.second)
        name = f"{parameters.named_by}={next(iter(pair.values())).fields[parameters.named_by]}"
        found = None if a is None or b is None else is_later(b, a)
        (unknown if found is None else earlier if found else later).append(name)
        if a is not None and b is not None and not math.isnan(a.epoch + b.epoch):
            gaps.append(b.epoch - a.epoch)
    return Found(
        "contradicted" if later else "undecided" if unknown or not pairs else "supported",
        {
            "earlier": listed(earlier),
            "later": listed(later),
            "unknown": listed(unknown),
            "count": len(earlier),
            "median": float(np.median(gaps)) if gaps else math.nan,
            "chance": 0.5 ** len(pairs),
        },
        {
            "pairs": str(len(pairs)),
            "field": parameters.field,
            "first": str(parameters.first),
            "second": str(parameters.second),
        },
    )
