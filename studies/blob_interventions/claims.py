"""The rules of this study's claims: README.md has them in words. An arm is read from a variant's fields."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tdw.families.modulo_addition_1layer.claims import draws
from tdw.markdown import listed, show
from tdw.recipes.reading.evidence import Row, is_later
from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import ALPHA, Found, Test, Verdict
from tdw.statistics.counts import two_by_two_p_value
from tdw.statistics.exact import separate

BLOBS = "num_blob_neurons"
FEW = 6
"""Blobs, 1 % of the neurons: fewer are none."""
PLANTED = 250
RUNS = 5


def arms(case: Case) -> dict[str, list[Row]]:
    """The runs of each arm."""
    found: dict[str, list[Row]] = {"untouched": [], "barred": [], "planted": []}
    for row in case.evidence.rows:
        of = (
            "barred"
            if row.fields["barred_k"]
            else "planted"
            if row.fields["planted_neurons"]
            else "untouched"
        )
        found[of].append(row)
    return found


def blobs(row: Row) -> np.ndarray:
    """Blobs under the observed names at each analyzed epoch, (n,)."""
    values = draws(row, BLOBS)[1]
    return values[:, 0] if len(values) else np.empty(0)


def extreme(rows: Sequence[Row], at: slice, pick: Any) -> float:
    """The most or fewest blobs of some runs at some checkpoints; NaN while one is not known."""
    found = [blobs(row)[at] for row in rows]
    return float(pick([pick(each) for each in found])) if found and all(map(len, found)) else math.nan


def average(found: Sequence[np.ndarray]) -> float:
    """The mean of all numbers, NaN for none."""
    numbers = np.concatenate([np.empty(0), *found])
    return float(numbers.mean()) if len(numbers) else math.nan


def interventions_hold(case: Case, parameters: Mapping[str, Any]) -> Found:
    """M1: barred runs never have blobs, planted neurons begin as blobs."""
    del parameters
    arm = arms(case)
    most, least = extreme(arm["barred"], slice(None), max), extreme(arm["planted"], slice(1), min)
    verdict: Verdict = "undecided"
    if most >= FEW or least < PLANTED:
        verdict = "contradicted"
    elif not math.isnan(most + least) and all(row.finished for row in arm["barred"]):
        verdict = "supported"
    numbers = {
        "most_barred": most,
        "least_planted": least,
        "most_untouched": extreme(arm["untouched"], slice(1), max),
        **{f"final_{name}": average([blobs(row)[-1:] for row in rows]) for name, rows in arm.items()},
    }
    return Found(verdict, numbers, known=not math.isnan(most + least))


def necessary(case: Case, parameters: Mapping[str, Any]) -> Found:
    """H1: no barred run groks, untouched ones do."""
    del parameters
    arm = arms(case)
    grokked = {name: [row for row in rows if row.reached] for name, rows in arm.items()}
    failed = {name: [row for row in rows if row in case.evidence.failed] for name, rows in arm.items()}
    without = [row for row in grokked["barred"] if len(blobs(row)) and blobs(row).max() < FEW]
    counts = [[len(group[name]) for group in (grokked, failed)] for name in ("barred", "untouched")]
    known = all(len(grokked[name]) + len(failed[name]) == len(arm[name]) for name in ("barred", "untouched"))

    def decide(p: float) -> Verdict:
        if len(without) >= 2:
            return "contradicted"
        none = known and not grokked["barred"] and len(failed["barred"]) >= RUNS
        return "supported" if none and p < ALPHA else "undecided"

    numbers: dict[str, Any] = {"without": len(without)}
    for name, rows in arm.items():
        numbers[name] = len(rows)
        numbers[f"{name}_grokked"] = len(grokked[name])
        numbers[f"epochs_{name}"] = listed([show(row.epoch) for row in grokked[name]])
    return Found(Test(two_by_two_p_value(counts) if known else math.nan, decide), numbers)


def shifts(case: Case, parameters: Mapping[str, Any]) -> Found:
    """D1, D2: the runs of an arm grok later (or earlier) than untouched ones."""
    arm, times = arms(case), case.evidence.times
    rows, plain = arm[parameters["arm"]], arm["untouched"]
    ours, theirs = ([times[row.key] for row in group if row.key in times] for group in (rows, plain))
    known = len(ours) == len(rows) and len(theirs) == len(plain)
    found = separate(ours, theirs)
    by_seed = {row.fields["seed"]: row for row in plain}
    pairs = [is_later(row, by_seed[row.fields["seed"]]) for row in rows if row.fields["seed"] in by_seed]
    direction = "later" if found.auc > 0.5 else "earlier"

    def decide(p: float) -> Verdict:
        if not known or not p < ALPHA:
            return "undecided"
        return "supported" if direction == parameters["expected"] else "contradicted"

    return Found(
        Test(found.p_value if known else math.nan, decide),
        {
            "median_arm": float(np.median(ours)) if ours else math.nan,
            "median_untouched": float(np.median(theirs)) if theirs else math.nan,
            "share_later": found.auc,
            "later": pairs.count(True),
            "earlier": pairs.count(False),
            "tied": pairs.count(None),
        },
        {"expected": parameters["expected"]},
        known=bool(ours and theirs),
    )


def names_only(case: Case, parameters: Mapping[str, Any]) -> Found:
    """R1: barred runs that grokked have blobs under other names than the observed ones."""
    del parameters
    arm = arms(case)
    found = {name: [at_grokking(row) for row in rows if row.reached] for name, rows in arm.items()}
    barred = [values for values in found["barred"] if len(values)]
    verdict: Verdict = "undecided"
    if any(values.max() < FEW for values in barred):
        verdict = "contradicted"
    elif len(barred) >= 2 and all(values[0] < FEW for values in barred):
        verdict = "supported"
    numbers = {
        "n": len(barred),
        "most_observed": max((float(values[0]) for values in barred), default=math.nan),
        "least_best": min((float(values.max()) for values in barred), default=math.nan),
        "average": average(barred),
        "average_untouched": average(found["untouched"]),
    }
    return Found(verdict, numbers, known=bool(barred))


def at_grokking(row: Row) -> np.ndarray:
    """Blobs at the first checkpoint from grokking on under each c, c = 1 (observed) first; (29,) or (0,)."""
    epochs, values = draws(row, BLOBS)
    at = epochs == row.epoch_at("outcome", epochs)
    return values[at][0] if at.any() else np.empty(0)
