"""The hypotheses H1-H5 and the rules of their verdicts.

The relabelling control is part of the rules, not a remark beside them. Multiplying every residue by a unit c
turns a run into another run of the same task: the initialization draws its rows alike, the split is uniform,
so the renamed run is as probable as the observed one, learns the same function and groks at the same epoch.
Its neurons are those of the observed run with the energies of their frequencies permuted. A claim that holds
for the observed labels and not for the renamed runs is a claim about names.
"""

from __future__ import annotations

import math

import numpy as np

from tdw.families.modulo_addition_1layer.association import associate_early
from tdw.reports.claims.finding import ALPHA, Finding, Verdict, listed
from tdw.reports.claims.modulus_101 import one_modulus_is_harder, one_pair_prevents_blobs
from tdw.reports.evidence import Evidence, Float64, exactly, few, first_from
from tdw.summaries.statistics import (
    relabelled_p_value,
    separate,
    smallest_p_value,
    spearman_of_rows,
)

BLOB_COUNT, MEAN = "num_blob_neurons", "mean_coarseness"


def all_hypotheses(evidence: Evidence) -> list[Finding]:
    """H1-H5."""
    return [
        blobs_are_necessary(evidence),
        early_blobs_predict(evidence),
        there_is_a_threshold(evidence),
        one_modulus_is_harder(evidence),
        one_pair_prevents_blobs(evidence),
    ]


def blobs_are_necessary(evidence: Evidence) -> Finding:
    """H1."""
    counts: dict[str, float] = {}
    fewest: dict[str, float] = {}
    without: list[str] = []
    renamed_without: list[str] = []
    for row in evidence.grokked:
        observed = row.get("grokking_num_blobs")
        if math.isnan(observed):
            continue
        counts[row.key] = observed
        under = evidence.labellings(row.key, BLOB_COUNT, pick=first_from(row.epoch))
        fewest[row.key] = float(under.min()) if len(under) else math.nan
        if observed < few(row):
            without.append(row.key)
        elif fewest[row.key] < few(row):
            renamed_without.append(row.key)
    complete = (
        len(counts) == len(evidence.grokked) > 1
        and not evidence.open
        and not any(math.isnan(count) for count in fewest.values())
    )
    verdict: Verdict = "undecided"
    if without or renamed_without:
        verdict = "contradicted"
    elif complete:
        verdict = "supported"
    return Finding(
        id="H1",
        claim="Blob neurons are necessary for grokking.",
        verdict=verdict,
        rule="Contradicted when a variant grokked with fewer blobs than 1 % of its neurons at the first "
        "analyzed epoch from grokking on, under the observed labels or under any relabelling (a renamed "
        "run is "
        "a run of the same task). Supported when no grokked variant did, under any label, and all are known.",
        numbers={
            "n": len(counts),
            "least": min(counts.values(), default=math.nan),
            "most": max(counts.values(), default=math.nan),
            "without": listed(without),
            "renamed": listed(renamed_without),
            "num_renamed": len(renamed_without),
            "least_renamed": min(fewest.values(), default=math.nan),
        },
        answer="{n} grokked variants had between {least} and {most} blobs at grokking. Fewer than 1 %: "
        "{without}.",
        control="With the residues renamed the fewest blobs at grokking are {least_renamed}; {num_renamed} "
        "variants that had blobs under the observed labels have fewer than 1 % under some other ({renamed}).",
        limits="Observation can't show necessity: for that, neurons would have to be kept from becoming "
        "blobs.",
        would_change="A run that groks without blobs under some label contradicts; a run in which blobs are "
        "suppressed and that does not grok would support.",
        figures=("blobs", "relabelling"),
    )


def early_blobs_predict(evidence: Evidence) -> Finding:
    """H2."""
    found = associate_early(evidence.table)
    of, alone = found.association, found.grokked_only
    blobs = associate_early(evidence.table, "early_num_blobs").association
    control = _relabelled(evidence, found.variants, of.rho)
    verdict: Verdict = "undecided"
    if of.p_value < ALPHA and of.rho > 0:
        verdict = "contradicted"
    elif of.p_value < ALPHA and of.rho < 0 and control < ALPHA:
        verdict = "supported"
    line = found.line
    within = _within_moduli(evidence)
    return Finding(
        id="H2",
        claim="Early blobs predict earlier grokking.",
        verdict=verdict,
        rule="Spearman's correlation of mean coarseness at the early epoch with the grokking epoch, no grok "
        "last. Supported when it is negative, its exact two-sided p-value is below 0.05, and fewer than 5 "
        "% of "
        "random relabellings of the variants give one as negative; contradicted when it is positive with "
        "p < 0.05.",
        numbers={
            "early": evidence.early_epoch,
            "n": of.n,
            "rho": of.rho,
            "p": of.p_value,
            "low": of.low,
            "high": of.high,
            "left_out": listed(found.left_out),
            "alone_n": alone.n,
            "alone_rho": alone.rho,
            "alone_p": alone.p_value,
            "slope": line.slope / 100 if line else math.nan,
            "blob_rho": blobs.rho,
            "blob_p": blobs.p_value,
            "control": control,
            "smallest": smallest_p_value(of.n),
            "within": within[0],
            "pairs": within[1],
        },
        answer="Only {n} variants are known, too few for a correlation. Left out: {left_out}."
        if math.isnan(of.rho)
        else "Over {n} variants the rank correlation of mean coarseness at epoch {early} with the grokking "
        "epoch is {rho} (exact p = {p}, 95 % bootstrap interval {low} to {high}); without no grok "
        "{alone_rho} "
        "(n = {alone_n}, p = {alone_p}), where 0.01 more coarseness goes with {slope} epochs. With the "
        "number "
        "of blobs it is {blob_rho} (p = {blob_p}). Of two seeds of one modulus the coarser one groks first "
        "in "
        "{within} of {pairs} cases. Left out: {left_out}.",
        control=""
        if math.isnan(control)
        else "Give each variant's residues other names at random, and a share of {control} of the draws has "
        "a correlation as negative: what predicts is low frequency only when this share is small.",
        limits="The interval is a percentile bootstrap and too narrow for so few variants. Variants of one "
        "modulus or one seed are not independent. With {n} variants p can't be below {smallest}.",
        would_change="More variants: seeds of one modulus, chosen beforehand, with this analysis unchanged.",
        figures=("early_coarseness", "relabelling"),
    )


def _relabelled(evidence: Evidence, keys: tuple[str, ...], rho: float) -> float:
    """Share of random relabellings with a correlation as low; NaN where the control is not there."""
    choices = [evidence.labellings(key, MEAN, pick=exactly(evidence.early_epoch)) for key in keys]
    if math.isnan(rho) or not choices or not all(len(values) for values in choices):
        return math.nan
    epochs = np.array([evidence.times[key] for key in keys])

    def correlations(values: Float64) -> Float64:
        return spearman_of_rows(values, epochs)

    return relabelled_p_value(rho, [values.tolist() for values in choices], correlations)


def _within_moduli(evidence: Evidence) -> tuple[int, int]:
    """Pairs of seeds of one modulus in which the coarser at the early epoch groks first, and all such "
    "pairs."""
    first = pairs = 0
    for i, one in enumerate(evidence.rows):
        for other in evidence.rows[i + 1 :]:
            times = [evidence.times.get(row.key, math.nan) for row in (one, other)]
            values = [row.get("early_mean_coarseness") for row in (one, other)]
            known = not any(map(math.isnan, (*times, *values)))
            if one.p != other.p or not known or times[0] == times[1] or values[0] == values[1]:
                continue
            pairs += 1
            first += (times[0] < times[1]) == (values[0] > values[1])
    return first, pairs


def there_is_a_threshold(evidence: Evidence) -> Finding:
    """H3."""
    grokked = [row for row in evidence.grokked if not math.isnan(row.get("grokking_num_blobs"))]
    failed = [row for row in evidence.failed if not math.isnan(row.get("max_num_blobs"))]
    had = [row.get("grokking_num_blobs") for row in grokked]
    reached = [row.get("max_num_blobs") for row in failed]
    found = separate(reached, had)
    overlap = [row.key for row in failed if had and row.get("max_num_blobs") >= min(had)]
    renamed = [
        float(values.min())
        for row in grokked
        if len(values := evidence.labellings(row.key, BLOB_COUNT, pick=first_from(row.epoch)))
    ]
    answer = (
        "The fewest blobs at grokking are {least} (over {n} variants), the most of a variant without "
        "grokking are {reached} (over {m}); threshold between them: {threshold} (p = {p}). As many without "
        "grokking: {overlap}."
        if failed
        else "The fewest blobs at grokking are {least} (over {n} variants). No variant is known to have "
        "failed, so there is nothing that a threshold could part."
    )
    verdict: Verdict = "undecided"
    if overlap:
        verdict = "contradicted"
    elif found.threshold is not None and found.p_value < ALPHA and not evidence.open:
        verdict = "supported"
    return Finding(
        id="H3",
        claim="There is a minimum number of blobs, or a threshold, for grokking.",
        verdict=verdict,
        rule="Blobs at grokking of those that grokked against the most that those without ever had. "
        "Contradicted when a variant that did not grok had as many as one that did; supported when a "
        "threshold parts them and the exact rank test gives p < 0.05.",
        numbers={
            "n": len(had),
            "m": len(reached),
            "least": min(had, default=math.nan),
            "reached": max(reached, default=math.nan),
            "overlap": listed(overlap),
            "threshold": "none" if found.threshold is None else found.threshold,
            "p": found.p_value,
            "renamed": min(renamed, default=math.nan),
        },
        answer=answer,
        control="With the residues renamed a grokked variant has {renamed} blobs at grokking at the least: a "
        "minimum would have to hold for these runs too.",
        limits="A single failure among eight has the fewest by chance in one of eight cases, and two among "
        "eight in one of 28: the two-sided p-value is twice that, so with fewer than three failures a "
        "threshold can't be shown.",
        would_change="A variant that does not grok with as many blobs, or more variants that fail with "
        "fewer.",
        figures=("blobs", "relabelling"),
    )
