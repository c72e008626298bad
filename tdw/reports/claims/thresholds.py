"""Whether one of some measures parts two groups of variants: `threshold_parts`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tdw.markdown import Value, listed
from tdw.recipes.evidence import Float64, Row
from tdw.reports.claims.case import Case, matching
from tdw.reports.claims.verdicts import ALPHA, Found, Verdict
from tdw.statistics.exact import Separation, separate, smallest_separation
from tdw.study.claim_kinds import Control, Group, ThresholdParts
from tdw.study.claims import Words

WORDS = Words(
    rule="Supported when one of these measures parts {first_name} from {second_name} by a threshold with "
    "exact p < 0.05 after Bonferroni's correction; contradicted when none parts them: {measures}.",
    answer="Of {m} measures, these part {num_first} {first_name} from {num_second} {second_name}: "
    "{parting}. Best: {best}, at {threshold}, p = {p} (corrected {corrected}).",
    unknown="There are {num_first} {first_name} and {num_second} {second_name}: nothing can be parted yet.",
    control="Under random draws of the control a share of {control} parts the two groups by some threshold: "
    "only what goes beyond that counts.",
    limits="With {num_first} of {both} variants in one group p can't be below {least} for one measure "
    "unless values tie.",
    would_change="More variants in the smaller group, or one on the wrong side of the threshold.",
)
_SEED = 20_230_112
_DRAWS = 4000


def threshold_parts(case: Case, parameters: ThresholdParts) -> Found:
    """Whether a measure parts two groups by a threshold, corrected for the number of measures."""
    (first_name, first), (second_name, second) = _groups(case, parameters.groups).items()
    by_outcome = any(group in ("reached", "not_reached") for group in parameters.groups.values())
    found: dict[str, Separation] = {}
    for name in parameters.measures:
        one, other = (list(case.values(name, rows).values()) for rows in (first, second))
        # Who is in a group by outcome is not settled before the end; of others every variant must be known.
        if by_outcome or (len(one), len(other)) == (len(first), len(second)):
            found[case.label(name)] = separate(one, other)
    verdict, best = _judge(found, waiting=by_outcome and bool(case.evidence.open))
    at_best = found.get(best)
    control = _control(case, parameters.control, (first, second))
    numbers: dict[str, Value] = {
        "m": len(found),
        "early": case.evidence.early_epoch,
        first_name: len(first),
        second_name: len(second),
        "both": len(first) + len(second),
        "parting": listed([label for label, s in found.items() if s.threshold is not None]),
        "best": best or "unknown",
        "threshold": "no threshold" if at_best is None or at_best.threshold is None else at_best.threshold,
        "p": at_best.p_value if at_best else math.nan,
        "corrected": min(1.0, at_best.p_value * len(found)) if at_best else math.nan,
        "least": smallest_separation(len(first), len(second)),
    }
    if parameters.control is not None:
        numbers["control"] = control
    for name, measure in parameters.means.items():
        own, others = (list(case.values(measure, rows).values()) for rows in (first, second))
        numbers |= {
            name: float(np.mean(own)) if own else math.nan,
            f"{name}_{second_name}": float(np.mean(others)) if others else math.nan,
            f"{name}_least": min(others, default=math.nan),
            f"{name}_most": max(others, default=math.nan),
        }
    return Found(
        verdict,
        numbers,
        {
            "first_name": first_name.replace("_", " "),
            "second_name": second_name.replace("_", " "),
            "num_first": str(len(first)),
            "num_second": str(len(second)),
            "measures": listed(list(found)),
        },
        known=bool(first and second),
        controlled=parameters.control is not None and bool(first and second),
    )


def _groups(case: Case, groups: dict[str, Group]) -> dict[str, list[Row]]:
    """The variants of both groups; "others" are all that are not in the other one."""
    evidence = case.evidence
    found: dict[str, list[Row]] = {}
    for name, group in groups.items():
        if isinstance(group, str):
            found[name] = list({"reached": evidence.reached, "not_reached": evidence.failed}.get(group, ()))
        else:
            found[name] = matching(evidence.rows, group)
    for name, group in groups.items():
        if group == "others":
            taken = {row.key for rows in found.values() for row in rows}
            found[name] = [row for row in evidence.rows if row.key not in taken]
    return found


def _judge(found: dict[str, Separation], *, waiting: bool) -> tuple[Verdict, str]:
    """The verdict, and the measure that parts best ("" when none is known)."""
    known = {label: s for label, s in found.items() if not math.isnan(s.p_value)}
    parting = {label: s for label, s in known.items() if s.threshold is not None}
    best = min(parting or known, key=lambda label: known[label].p_value, default="")
    if not known:
        return "undecided", best
    if not parting and len(known) == len(found):
        return "contradicted", best
    significant = bool(parting) and known[best].p_value * len(found) < ALPHA
    return ("supported" if significant and not waiting else "undecided"), best


def _control(case: Case, control: Control | None, groups: Sequence[Sequence[Row]]) -> float:
    """Share of random draws of the control that part the two groups by some threshold."""
    generator = np.random.default_rng(_SEED)
    sides: list[Float64] = []
    for rows in groups:
        choices = [case.draws(control, row) for row in rows]
        if not choices or not all(len(values) for values in choices):
            return math.nan
        sides.append(np.stack([generator.choice(values, _DRAWS) for values in choices]))
    one, other = sides
    apart = (one.max(axis=0) < other.min(axis=0)) | (one.min(axis=0) > other.max(axis=0))
    return float(apart.mean())
