"""The outcomes that earlier runs led to expect, E1-E5, and the rules of their verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tdw.reports.claims.finding import Finding, Verdict, listed, show
from tdw.reports.evidence import Evidence, Row, is_later
from tdw.reports.evidence import outcome as outcome_of

MODULI, SEEDS = (97, 101, 109, 113), (485, 999)
FAILS = (101, 999)
FASTEST = (109, 485)
SLOWEST_MODULUS, SLOWEST_SEED = 101, 485
SETTLED, UNSETTLED = 0.8, 0.5
ENDS = "a variant of the eight that is missing or not trained to the end now, or another outcome when it is"


def all_outcomes(evidence: Evidence) -> list[Finding]:
    """E1-E5."""
    return [
        only_one_fails(evidence),
        one_seed_is_earlier(evidence),
        one_is_fastest(evidence),
        one_is_slowest(evidence),
        frequencies_are_early(evidence),
    ]


def only_one_fails(evidence: Evidence) -> Finding:
    """E1."""
    wrong: list[str] = []
    missing: list[str] = []
    right = 0
    for p in MODULI:
        for seed in SEEDS:
            row = evidence.find(p, seed)
            outcome = None if row is None else _outcome(row)
            if outcome is None:
                missing.append(f"p={p} seed={seed}")
            elif outcome == ((p, seed) != FAILS):
                right += 1
            else:
                wrong.append(row.key if row else "")
    return Finding(
        id="E1",
        claim="All eight variants grok but p=101, seed=999.",
        verdict="contradicted" if wrong else "undecided" if missing else "supported",
        rule="Supported when all eight come out so; contradicted when one that is known comes out otherwise.",
        numbers={
            "right": right,
            "wrong": listed(wrong),
            "open": listed(missing),
            "failed": listed([row.key for row in evidence.failed]),
            "last": evidence.last_epoch,
            "nearest": "; ".join(filter(None, map(_lowest_loss(evidence), evidence.failed))),
        },
        answer="{right} of 8 came out as expected. Otherwise: {wrong}. Not known yet: {open}. No grok by "
        "epoch {last}: {failed}.",
        limits="No grok by epoch {last} is censored: it does not say that the variant never would; and it is "
        "no grok by this rule, others stand below under *What hangs on the choices*. Lowest test loss "
        "without grokking: {nearest}.",
        would_change=f"For undecided: {ENDS}.",
        figures=("test_loss",),
    )


def _lowest_loss(evidence: Evidence) -> Callable[[Row], str]:
    """How near a variant came to grokking, in words; "" where its history is not there."""

    def words(row: Row) -> str:
        epochs, losses = evidence.series(row.key, "history", "test_loss")
        if not len(epochs):
            return ""
        lowest = int(np.argmin(losses))
        accuracy = evidence.at(row.key, "history", "test_accuracy", epoch=epochs[lowest])
        return (
            f"{row.key}, {show(losses[lowest])} at epoch {show(epochs[lowest])} with a test accuracy of "
            f"{show(accuracy)}, and {show(losses[-1])} at epoch {show(epochs[-1])}"
        )

    return words


def _outcome(row: Row) -> bool | None:
    return True if row.grokked else False if row.grokked is False and row.finished else None


def one_seed_is_earlier(evidence: Evidence) -> Finding:
    """E2."""
    first, second = SEEDS
    earlier: list[str] = []
    later: list[str] = []
    unknown: list[str] = []
    gaps: list[float] = []
    for p in MODULI:
        a, b = evidence.find(p, first), evidence.find(p, second)
        found = None if a is None or b is None else is_later(b, a)
        (unknown if found is None else earlier if found else later).append(f"p={p}")
        if a is not None and b is not None and not math.isnan(a.epoch + b.epoch):
            gaps.append(b.epoch - a.epoch)
    return Finding(
        id="E2",
        claim=f"Seed {first} groks earlier than seed {second}.",
        verdict="contradicted" if later else "undecided" if unknown else "supported",
        rule=f"For each modulus; supported when seed {first} is earlier at all four, contradicted when it is "
        "later at one. No grok is later than what grokked before its last epoch.",
        numbers={
            "earlier": listed(earlier),
            "later": listed(later),
            "unknown": listed(unknown),
            "count": len(earlier),
            "median": float(np.median(gaps)) if gaps else math.nan,
            "chance": 0.5 ** len(MODULI),
        },
        answer=f"Seed {first} is earlier at {{count}} of 4 moduli ({{earlier}}), later at {{later}}, open at "
        "{unknown}; median difference where both grokked: {median} epochs.",
        limits="If seeds made no difference, one given seed would be earlier at all four with probability "
        "{chance}: four moduli can't tell a rule about two seeds from chance.",
        would_change=f"One modulus at which seed {second} is earlier; for undecided, {ENDS}.",
        figures=("test_loss",),
    )


def one_is_fastest(evidence: Evidence) -> Finding:
    """E3."""
    row = evidence.find(*FASTEST)
    others = [r for r in evidence.rows if row is None or r.key != row.key]
    verdict, ahead, unknown = _extreme(row, others, expected=7, slowest=False)
    quickest = min(evidence.grokked, key=lambda r: r.epoch, default=None)
    return Finding(
        id="E3",
        claim="p=109, seed=485 is the fastest.",
        verdict=verdict,
        rule="Supported when it groks before each of the other seven, contradicted when one groks before it.",
        numbers={
            "epoch": row.epoch if row else math.nan,
            "outcome": outcome_of(row) if row else "not in the study",
            "quickest": quickest.key if quickest else "none",
            "at": quickest.epoch if quickest else math.nan,
            "ahead": listed(ahead),
            "unknown": listed(unknown),
        },
        answer="Its grokking epoch: {outcome}; the fastest so far: {quickest}, at {at}. Before it: {ahead}. "
        "Open: {unknown}.",
        limits="One run a variant: how much the grokking epoch of this variant would vary is not known.",
        would_change=f"Another variant that groks earlier; for undecided, {ENDS}.",
        figures=("test_loss",),
    )


def one_is_slowest(evidence: Evidence) -> Finding:
    """E4."""
    row = evidence.find(SLOWEST_MODULUS, SLOWEST_SEED)
    others = [r for r in evidence.rows if r.seed == SLOWEST_SEED and r.p != SLOWEST_MODULUS]
    verdict, behind, unknown = _extreme(row, others, expected=3, slowest=True)
    outcomes = {r.p: outcome_of(r) for r in evidence.rows if r.seed == SLOWEST_SEED}
    return Finding(
        id="E4",
        claim="p=101 is the slowest of seed 485.",
        verdict=verdict,
        rule="Supported when it groks after each of the other three, contradicted when one groks after it.",
        numbers={
            "behind": listed(behind),
            "unknown": listed(unknown),
            **{f"p{p}": outcomes.get(p, "not in the study") for p in MODULI},
        },
        answer="Grokking epochs of seed 485: {p97} (p=97), {p101} (p=101), {p109} (p=109), {p113} (p=113). "
        "Later than p=101: {behind}. Open: {unknown}.",
        limits="A given one of four is slowest by chance in one of four cases.",
        would_change=f"Another modulus that groks later with this seed; for undecided, {ENDS}.",
        figures=("test_loss",),
    )


def _extreme(
    row: Row | None, others: list[Row], *, expected: int, slowest: bool
) -> tuple[Verdict, list[str], list[str]]:
    """Verdict on one variant being the fastest or slowest, those against it, and those left open."""
    if row is None:
        return "undecided", [], [other.key for other in others]
    order = {other.key: is_later(row, other) for other in others}
    against = [key for key, later in order.items() if later is not None and later != slowest]
    unknown = [key for key, later in order.items() if later is None]
    if against:
        return "contradicted", against, unknown
    return ("undecided" if unknown or len(others) < expected else "supported"), against, unknown


def frequencies_are_early(evidence: Evidence) -> Finding:
    """E5."""
    overlap = {
        row.key: row.get("early_frequency_overlap")
        for row in evidence.rows
        if row.finished and not math.isnan(row.get("early_frequency_overlap"))
    }
    values = np.array(list(overlap.values()), np.float64)
    mean = float(values.mean()) if len(values) else math.nan
    least = float(values.min()) if len(values) else math.nan
    chance = [row.get("num_frequencies") / ((row.p - 1) / 2) for row in evidence.rows if row.key in overlap]
    settled = {row.key: row.get("frequencies_settled_epoch") for row in evidence.rows if row.key in overlap}
    verdict: Verdict = "undecided"
    if len(overlap) == len(evidence.rows) and mean >= SETTLED and least >= UNSETTLED:
        verdict = "supported"
    elif len(overlap) and mean < UNSETTLED:
        verdict = "contradicted"
    return Finding(
        id="E5",
        claim="The frequencies of W_E are chosen early and stay.",
        verdict=verdict,
        rule=f"Overlap: share of the final dominant frequencies among as many that are strongest at the "
        f"early "
        f"epoch. Supported when every variant is known, the mean overlap is at least {SETTLED} and none is "
        f"below "
        f"{UNSETTLED}; contradicted when the mean is below {UNSETTLED}.",
        numbers={
            "early": evidence.early_epoch,
            "n": len(overlap),
            "all": len(evidence.rows),
            "mean": mean,
            "least": least,
            "chance": float(np.mean(chance)) if chance else math.nan,
            "median_settled": float(np.nanmedian(list(settled.values())))
            if any(not math.isnan(v) for v in settled.values())
            else math.nan,
        },
        answer="Over {n} of {all} variants the overlap at epoch {early} is {mean} on average, {least} at "
        "least; "
        "frequencies drawn at random would give {chance}. The dominant set is the final one from epoch "
        "{median_settled} on (median).",
        limits="The final set depends on the rule (twice the median norm): a frequency near it may come "
        "and go.",
        would_change="Variants whose strongest frequencies at the early epoch are others than at the end, "
        "or more "
        "that agree; for undecided, the missing variants.",
        figures=("frequencies",),
    )
