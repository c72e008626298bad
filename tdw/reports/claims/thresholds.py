"""Whether one of some measures parts two groups of variants: `threshold_parts`, `told_apart`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tdw.markdown import Value, listed, show
from tdw.recipes.reading.evidence import Float64, Row
from tdw.reports.claims.case import Case, matching
from tdw.reports.claims.verdicts import ALPHA, FEW, Found, Test, Verdict
from tdw.statistics.exact import Separation, separate, smallest_separation
from tdw.statistics.power import runs_for_separation
from tdw.study.claim_kinds import ThresholdParts, ToldApart
from tdw.study.claim_terms import Control, Group
from tdw.study.claims import Words

WORDS = Words(
    rule="Supported when one of these measures parts {first_name} from {second_name} by a threshold with "
    "an exact p, times the number of measures and corrected for the claims of the study, below 0.05; "
    "contradicted when none parts them though both groups have five variants or more: {measures}.",
    answer="Of {m} measures, these part {num_first} {first_name} from {num_second} {second_name}: "
    "{parting}. Best: {best}, at {threshold}, p = {p} (corrected {corrected}).",
    unknown="There are {num_first} {first_name} and {num_second} {second_name}: nothing can be parted yet.",
    control="Under random draws of the control a share of {control} parts the two groups by some threshold: "
    "only what goes beyond that counts.",
    limits="With {num_first} of {both} variants in one group p can't be below {least} for one measure "
    "unless values tie.",
    would_change="More variants in the smaller group, or one on the wrong side of the threshold.",
)
TOLD_APART = Words(
    rule="AUC of the variants that did not reach the outcome against those that did, for each of these: "
    "{measures}. Exact rank test, the smallest p-value times their number. Supported when the corrected p "
    "is below 0.05 and the AUC of that measure is at least {enough}, or at most {little}; never "
    "contradicted, for these are not all the measures there are; undecided while fewer than five variants "
    "fail.",
    answer="{failed} variants did not reach the outcome and {reached} did. AUC at epoch {early}: {each}.",
    unknown="{failed} variants are known to have failed and {reached} reached the outcome: nothing can be "
    "told apart yet.",
    limits="That a measure tells them apart does not say why.",
    would_change="More variants that do not reach the outcome.",
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
    best = _best(found)
    p_value = min(1.0, found[best].p_value * len(found)) if best else math.nan
    parting = [label for label, s in found.items() if s.threshold is not None]

    def decide(p: float) -> Verdict:
        if parting:
            waiting = by_outcome and bool(case.evidence.open)
            return "supported" if p < ALPHA and not waiting else "undecided"
        all_known = bool(found) and not any(math.isnan(s.p_value) for s in found.values())
        return "contradicted" if all_known and min(len(first), len(second)) >= FEW else "undecided"

    at_best = found.get(best)
    control = _control(case, parameters.control, (first, second))
    numbers: dict[str, Value] = {
        "m": len(found),
        "early": case.evidence.early_epoch,
        first_name: len(first),
        second_name: len(second),
        "both": len(first) + len(second),
        "parting": listed(parting),
        "best": best or "unknown",
        "threshold": "no threshold" if at_best is None or at_best.threshold is None else at_best.threshold,
        "p": at_best.p_value if at_best else math.nan,
        "corrected": p_value,
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
    share = len(first) / max(len(first) + len(second), 1)
    return Found(
        Test(
            p_value,
            decide,
            lambda level: runs_for_separation(found[best].auc, share, alpha=level / len(found)),
        ),
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


def _best(found: dict[str, Separation]) -> str:
    """The measure that parts best, "" when none is known."""
    known = {label: s for label, s in found.items() if not math.isnan(s.p_value)}
    parting = {label: s for label, s in known.items() if s.threshold is not None}
    return min(parting or known, key=lambda label: known[label].p_value, default="")


def told_apart(case: Case, parameters: ToldApart) -> Found:
    """Whether one of some measures tells the variants of both outcomes apart, corrected for their number."""
    reached, failed = case.evidence.reached, case.evidence.failed
    found = {
        case.label(name): separate(
            list(case.values(name, failed).values()), list(case.values(name, reached).values())
        )
        for name in parameters.measures
    }
    known = {label: s for label, s in found.items() if not math.isnan(s.p_value)}
    best = min(known, key=lambda label: known[label].p_value, default="")
    auc = known[best].auc if best else math.nan
    p_value = min(1.0, len(found) * known[best].p_value) if best else math.nan

    def decide(p: float) -> Verdict:
        far = max(auc, 1 - auc) >= parameters.auc and len(failed) >= FEW
        return "supported" if far and p < ALPHA else "undecided"

    return Found(
        Test(
            p_value,
            decide,
            lambda level: runs_for_separation(
                auc, len(failed) / (len(failed) + len(reached)), alpha=level / len(found)
            ),
        ),
        {
            "m": len(found),
            "failed": len(failed),
            "reached": len(reached),
            "best": best or "unknown",
            "auc": auc,
            "p": known[best].p_value if best else math.nan,
            "each": "; ".join(f"{label} {show(s.auc)} (p = {show(s.p_value)})" for label, s in found.items()),
        },
        {"measures": listed(list(found)), "enough": show(parameters.auc), "little": show(1 - parameters.auc)},
        known=bool(best),
    )


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
