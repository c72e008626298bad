"""What is seen early: `settles_early`, `settles_before_outcome`, `predicts`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tdw.markdown import listed, show
from tdw.recipes.reading.evidence import Float64
from tdw.reports.claims.case import Case
from tdw.reports.claims.verdicts import ALPHA, Found, Test, Verdict
from tdw.statistics.censoring import EarlyAssociation, associate_values
from tdw.statistics.clusters import cluster, permute_clusters
from tdw.statistics.exact import (
    partial_spearman,
    relabelled_p_value,
    sign_test,
    smallest_p_value,
    spearman_of_rows,
)
from tdw.statistics.power import runs_for_correlation, runs_for_share
from tdw.study.claim_kinds import Predicts, SettlesBeforeOutcome, SettlesEarly
from tdw.study.claim_terms import Control
from tdw.study.claims import Words

SETTLES_EARLY = Words(
    rule="Supported when every variant is known, the mean of the {overlap} is at least {enough} and none is "
    "below {too_little}; contradicted when the mean is below {too_little}.",
    answer="Over {n} of {all} variants the {overlap} at epoch {early} is {mean} on average, {least} at "
    "least; a random choice would give {chance}. It is settled from epoch {median_settled} on "
    "(median); never settled: {never_settled}.",
    would_change="Variants that choose otherwise at the early epoch than at the end, or more that agree; "
    "for undecided, the missing variants.",
)
SETTLES_BEFORE_OUTCOME = Words(
    rule="The {settled} against the epoch of the outcome, by the exact sign test over the variants that "
    "reached it; what never settles counts as later. Supported, contradicted: the corrected p is below 0.05 "
    "and most settle before, after.",
    answer="Settled before the outcome in {before} of {n} variants that reached it, after it in {after} "
    "(never: {never}); from epoch {median_settled} on in the median of those that settle.",
    unknown="No variant is known to have reached the outcome.",
    limits="What settles is what a rule finds: something near its threshold may come and go.",
    would_change="More variants.",
)
PREDICTS = Words(
    rule="Spearman's correlation of the {measure} with the epoch of the outcome, variants without it last. "
    "Permutation test, two-sided. Supported when it is {sign}, the corrected p is below 0.05, and fewer than "
    "5 % of the draws of a control, if there is one, give one as far on that side; contradicted when it has "
    "the other sign and the corrected p is below 0.05.",
    answer="Over {n} variants the rank correlation of the {measure} with the epoch of the outcome is {rho} "
    "(p = {p}, 95 % bootstrap interval {low} to {high}); without those that did not reach it "
    "{alone_rho} (n = {alone_n}, p = {alone_p}), where {step} more goes with {slope} epochs.{partial}{alike} "
    "Left out: {left_out}.",
    unknown="Only {n} variants are known, too few for a correlation. Left out: {left_out}.",
    control="Under random draws of the control a share of {control} has a correlation as far on that side.",
    limits="The interval is a percentile bootstrap, too narrow for few variants. Variants that share "
    "a field are not independent. With {n} variants p can't be below {smallest}.{shared}",
    would_change="More variants, chosen beforehand, with this analysis unchanged.",
)


def settles_early(case: Case, parameters: SettlesEarly) -> Found:
    """Whether what is chosen early is what stays."""
    evidence = case.evidence
    finished = [row for row in evidence.rows if row.finished]
    overlap = case.values(parameters.overlap, finished)
    rows = [row for row in finished if row.key in overlap]
    values = np.array(list(overlap.values()), np.float64)
    mean = float(values.mean()) if len(values) else math.nan
    least = float(values.min()) if len(values) else math.nan
    chance = [case.number(parameters.chance)(row) for row in rows]
    settled = [case.number(parameters.settled)(row) for row in rows]
    chosen = [case.number(parameters.chosen)(row) > 0 for row in rows] if parameters.chosen else []
    verdict: Verdict = "undecided"
    if (
        len(overlap) == len(evidence.rows)
        and 2 * sum(chosen) >= len(chosen)
        and mean >= parameters.mean_at_least
        and least >= parameters.none_below
    ):
        verdict = "supported"
    elif len(overlap) and mean < parameters.none_below:
        verdict = "contradicted"
    return Found(
        verdict,
        {
            "early": evidence.early_epoch,
            "n": len(overlap),
            "all": len(evidence.rows),
            "mean": mean,
            "least": least,
            **({"chosen": sum(chosen)} if parameters.chosen else {}),
            "chance": float(np.mean(chance)) if chance else math.nan,
            "median_settled": math.nan if np.isnan(settled).all() else float(np.nanmedian(settled)),
            "never_settled": int(np.isnan(settled).sum()),
        },
        {
            "overlap": case.label(parameters.overlap),
            "enough": f"{parameters.mean_at_least:g}",
            "too_little": f"{parameters.none_below:g}",
        },
    )


def settles_before_outcome(case: Case, parameters: SettlesBeforeOutcome) -> Found:
    """Whether what is chosen has settled when the outcome is reached."""
    read = case.number(parameters.settled)
    rows = [row for row in case.evidence.reached if row.finished]
    settled = {row.key: read(row) for row in rows}
    never = [key for key, epoch in settled.items() if math.isnan(epoch)]
    # What never settles has not settled at the outcome either.
    signs = [1.0 if math.isnan(settled[row.key]) else settled[row.key] - row.epoch for row in rows]
    before, after, p = sign_test(signs)

    def decide(corrected: float) -> Verdict:
        return "undecided" if not corrected < ALPHA else "supported" if before > after else "contradicted"

    known = [epoch for epoch in settled.values() if not math.isnan(epoch)]
    share = before / (before + after) if before + after else math.nan
    return Found(
        Test(
            p if rows else math.nan,
            decide,
            lambda level: runs_for_share(share, alpha=level),
            "variants that reach the outcome",
        ),
        {
            "n": len(rows),
            "before": before,
            "after": after,
            "never": listed(never),
            "median_settled": float(np.median(known)) if known else math.nan,
            "p": p,
        },
        {"settled": case.label(parameters.settled)},
        known=bool(rows),
    )


def predicts(case: Case, parameters: Predicts) -> Found:
    """Whether a measure goes with the epoch of the outcome, more than under the control."""
    evidence = case.evidence
    values = _all_values(case, parameters.measure)
    found = associate_values(evidence.times, values)
    of, alone, line = found.association, found.reached_only, found.line
    also = {
        n: associate_values(evidence.times, _all_values(case, m)).association
        for n, m in parameters.also.items()
    }
    sign = -1 if parameters.sign == "negative" else 1
    control = _control(case, parameters.control, found.variants, of.rho, sign)
    p_value, not_respected = _p_value(case, parameters, found, values)
    given = _given(case, parameters, found.variants, values)

    def decide(p: float) -> Verdict:
        if not p < ALPHA or (of.rho * sign > 0 and parameters.control is not None and not control < ALPHA):
            return "undecided"
        return "supported" if of.rho * sign > 0 else "contradicted"

    first, pairs = _within(case, parameters.within, parameters.sign, values) if parameters.within else (0, 0)
    return Found(
        Test(p_value, decide, lambda level: runs_for_correlation(of.rho, alpha=level)),
        {
            "early": evidence.early_epoch,
            "n": of.n,
            "rho": of.rho,
            "p": p_value,
            "low": of.low,
            "high": of.high,
            "left_out": listed(found.left_out),
            "alone_n": alone.n,
            "alone_rho": alone.rho,
            "alone_p": alone.p_value,
            "slope": line.slope / (1 / parameters.step) if line else math.nan,
            **{key: value for name, a in also.items() for key, value in _both(name, a.rho, a.p_value)},
            **({"given": given} if parameters.given else {}),
            "control": control,
            "smallest": smallest_p_value(of.n),
            **({"within": first, "pairs": pairs} if parameters.within else {}),
        },
        {
            "measure": case.label(parameters.measure),
            "sign": parameters.sign,
            "step": show(parameters.step),
            "shared": f" {not_respected[0].upper()}{not_respected[1:]}." if not_respected else "",
            **_sentences(case, parameters, first, pairs, given),
        },
        known=not math.isnan(of.rho),
        controlled=not math.isnan(control),
    )


def _p_value(
    case: Case, parameters: Predicts, found: EarlyAssociation, values: Mapping[str, float]
) -> tuple[float, str]:
    """The p-value, of arrangements that leave clusters together, and what these can't take into account."""
    if not parameters.clusters or math.isnan(found.association.rho):
        return found.association.p_value, ""
    rows = {row.key: row.fields for row in case.evidence.rows}
    columns = {name: [rows[key][name] for key in found.variants] for name in parameters.clusters}
    test = permute_clusters(
        [values[key] for key in found.variants],
        [case.evidence.times[key] for key in found.variants],
        clusters=cluster(columns),
    )
    return test.p_value, test.not_respected


def _sentences(case: Case, parameters: Predicts, first: int, pairs: int, given: float) -> dict[str, str]:
    """What the answer says of pairs that share a field, and of the correlation given another measure."""
    alike = partial = ""
    if parameters.within:
        alike = (
            f" Of two variants that share {parameters.within} the one with more is first in {first} of "
            f"{pairs} cases."
        )
    if parameters.given:
        label = case.label(parameters.given)
        partial = f" Given the {label} at that epoch the partial rank correlation is {show(given)}."
    return {"alike": alike, "partial": partial}


def _given(case: Case, parameters: Predicts, keys: tuple[str, ...], values: Mapping[str, float]) -> float:
    """The partial rank correlation given another measure, over the variants where that is known."""
    if parameters.given is None:
        return math.nan
    other = _all_values(case, parameters.given)
    known = [key for key in keys if not math.isnan(other[key])]
    times = case.evidence.times
    return partial_spearman(*([of[key] for key in known] for of in (values, times, other)))


def _both(name: str, rho: float, p: float) -> tuple[tuple[str, float], tuple[str, float]]:
    return (f"{name}_rho", rho), (f"{name}_p", p)


def _all_values(case: Case, name: str) -> dict[str, float]:
    """Key -> number of every variant, NaN where it is not known."""
    return {row.key: case.number(name)(row) for row in case.evidence.rows}


def _control(case: Case, control: Control | None, keys: tuple[str, ...], rho: float, sign: int) -> float:
    """Share of the control's draws with a correlation as far from 0; NaN where the control is not there."""
    rows = {row.key: row for row in case.evidence.rows}
    choices = [case.draws(control, rows[key]) for key in keys]
    if math.isnan(rho) or not choices or not all(len(values) for values in choices):
        return math.nan
    epochs = np.array([case.evidence.times[key] for key in keys])

    def correlations(values: Float64) -> Float64:
        return -sign * spearman_of_rows(values, epochs)

    return relabelled_p_value(-sign * rho, [values.tolist() for values in choices], correlations)


def _within(case: Case, field: str, sign: str, values: Mapping[str, float]) -> tuple[int, int]:
    """Pairs of variants that share a field in which the order is as the sign says, and all such pairs."""
    times = case.evidence.times
    first = pairs = 0
    for i, one in enumerate(case.evidence.rows):
        for other in case.evidence.rows[i + 1 :]:
            when = [times.get(row.key, math.nan) for row in (one, other)]
            much = [values[row.key] for row in (one, other)]
            known = not any(map(math.isnan, (*when, *much)))
            alike = one.fields[field] == other.fields[field]
            if not alike or not known or when[0] == when[1] or much[0] == much[1]:
                continue
            pairs += 1
            first += ((when[0] < when[1]) == (much[0] > much[1])) == (sign == "negative")
    return first, pairs
