"""The five questions Q1-Q5, each as a claim with a rule, so that its answer is computed too."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from tdw.reports.claims.finding import ALPHA, Finding, Verdict, listed
from tdw.reports.claims.modulus_101 import one_modulus_starts_different
from tdw.reports.claims.prediction import a_threshold_predicts, failure_is_predictable
from tdw.reports.evidence import Evidence, Float64
from tdw.summaries.statistics import sign_test

Place = Literal["before", "with", "after"]
RISE = 0.05  # less than this is no rise of mean coarseness
LOSS_AT_GROKKING = 0.01
_SEED = 20_230_112
_DRAWS = 4000


def all_questions(evidence: Evidence) -> list[Finding]:
    """Q1-Q5."""
    return [
        a_threshold_predicts(evidence),
        coarseness_rises_first(evidence),
        some_neurons_must(evidence),
        one_modulus_starts_different(evidence),
        failure_is_predictable(evidence),
    ]


def rise_interval(epochs: Float64, means: Float64) -> tuple[float, float] | None:
    """Between which analyzed epochs mean coarseness has made half of its rise; None when it does not rise."""
    if not len(means) or means.max() - means[0] < RISE:
        return None
    at = int(np.argmax(means >= (means[0] + means.max()) / 2))
    return float(epochs[at - 1]), float(epochs[at])


def drop_epoch(epochs: Float64, losses: Float64) -> float:
    """From when on test loss stays below the geometric mean of its maximum and 0.01; NaN if it never does."""
    if not len(losses):
        return math.nan
    above = np.flatnonzero(losses >= math.sqrt(float(losses.max()) * LOSS_AT_GROKKING))
    after = int(above[-1]) + 1 if len(above) else 0
    return float(epochs[after]) if after < len(epochs) else math.nan


def coarseness_rises_first(evidence: Evidence) -> Finding:
    """Q2."""
    order: dict[str, list[str]] = {"before": [], "with": [], "after": [], "no rise": []}
    signed: list[float] = []
    for row in evidence.grokked:
        rise = rise_interval(*evidence.series(row.key, "coarseness", "mean_coarseness"))
        drop = drop_epoch(*evidence.series(row.key, "history", "test_loss"))
        if rise is None:
            order["no rise"].append(row.key)
        elif not math.isnan(drop):
            place = _place(rise, drop)
            order[place].append(row.key)
            signed.append({"before": -1.0, "with": 0.0, "after": 1.0}[place])
    renamed = _renamed_places(evidence)
    before, after, p = sign_test(signed)
    verdict: Verdict = "undecided"
    if p < ALPHA:
        verdict = "supported" if before > after and not order["no rise"] else "contradicted"
    elif len(order["no rise"]) > len(signed):
        verdict = "contradicted"
    return Finding(
        id="Q2",
        question="Does coarseness rise before, with or after the drop in test loss?",
        claim="Coarseness rises before test loss drops.",
        verdict=verdict,
        rule="Rise: between which analyzed epochs mean coarseness makes half of its way from epoch 0 to its "
        "maximum (at least 0.05). Drop: from when on test loss stays below the geometric mean of its maximum "
        "and 0.01. Before: the rise is over at the drop. Supported, contradicted: the exact sign test gives "
        "p < 0.05 for before, for after; contradicted also when most do not rise.",
        numbers={
            "before": listed(order["before"]),
            "with": listed(order["with"]),
            "after": listed(order["after"]),
            "flat": listed(order["no rise"]),
            "num_before": len(order["before"]),
            "num_with": len(order["with"]),
            "num_after": len(order["after"]),
            "num_flat": len(order["no rise"]),
            "p": p,
            "num_lower": sum(
                row.get("final_mean_coarseness") < row.get("initial_mean_coarseness")
                for row in evidence.grokked
            ),
            "n": len(evidence.grokked),
            **{f"renamed_{name.split()[0]}": share for name, share in renamed.items()},
        },
        answer="Before in {num_before} grokked variants ({before}), with it in {num_with} ({with}), after "
        "it in "
        "{num_after} ({after}); no rise in {num_flat} ({flat}). Sign test: p = {p}. At the end "
        "mean coarseness is below that of epoch 0 in {num_lower} of {n}.",
        control="Over all names of these variants' residues the rise is before the drop in a share of "
        "{renamed_before}, with it in {renamed_with}, after it in {renamed_after}, and coarseness does not "
        "rise in {renamed_no}: the order tells of training only as far as it is the same under all names."
        if renamed
        else "",
        limits="Order is no cause. Between checkpoints the rise is not seen; *with* means that both fall "
        "into one "
        "interval between checkpoints. Six variants must agree for p < 0.05.",
        would_change="Denser checkpoints around the drop, and more variants.",
        figures=("coarseness", "test_loss"),
    )


def _place(rise: tuple[float, float], drop: float) -> Place:
    """Whether a rise between two analyzed epochs is before, with or after a drop."""
    return "before" if rise[1] < drop else "after" if rise[0] >= drop else "with"


def _renamed_places(evidence: Evidence) -> dict[str, float]:
    """Shares of all labellings of the grokked variants by the order of rise and drop; empty without any."""
    counts: dict[str, int] = dict.fromkeys(("before", "with", "after", "no rise"), 0)
    for row in evidence.grokked:
        table = evidence.summary(row.key, "relabelling")
        drop = drop_epoch(*evidence.series(row.key, "history", "test_loss"))
        if table is None or math.isnan(drop):
            continue
        means = table.pivot(index="epoch", columns="c", values="mean_coarseness")
        epochs = means.index.to_numpy(np.float64)
        for values in means.to_numpy(np.float64).T:
            rise = rise_interval(epochs, values)
            counts["no rise" if rise is None else _place(rise, drop)] += 1
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}


def some_neurons_must(evidence: Evidence) -> Finding:
    """Q3."""
    sets: dict[str, np.ndarray] = {}
    for row in evidence.grokked:
        table = evidence.summary(row.key, "neurons")
        if table is not None:
            sets[row.key] = table["blob_since_epoch"].notna().to_numpy()
    masks = list(sets.values())
    alike = len(masks) >= 2 and len({len(mask) for mask in masks}) == 1
    common = int(np.logical_and.reduce(masks).sum()) if alike else None
    expected = float(np.prod([mask.mean() for mask in masks]) * len(masks[0])) if alike else math.nan
    p = _overlap_p_value(masks, common) if common is not None else math.nan
    verdict: Verdict = "undecided"
    if common == 0 and not evidence.open:
        verdict = "contradicted"
    elif common and p < ALPHA and not evidence.open:
        verdict = "supported"
    stays = [row.get("num_stays_blob") for row in evidence.grokked if row.key in sets]
    return Finding(
        id="Q3",
        question="Are there neurons that must become blobs?",
        claim="Some neurons, by index, end as blobs in every variant that groks.",
        verdict=verdict,
        rule="Neurons that are blobs at the end in all grokked variants. Contradicted when there is none, "
        "supported when there are more than chance puts there (random neurons, p < 0.05).",
        numbers={
            "n": len(masks),
            "common": common,
            "expected": expected,
            "p": p,
            "least": min(stays, default=math.nan),
            "most": max(stays, default=math.nan),
        },
        answer="{common} neurons end as blobs in all {n} grokked variants; chance would give {expected} "
        "(p = {p}). Within a variant between {least} and {most} neurons stay blobs once they are.",
        control="A neuron is a blob only under some names of the residues; no index can be one in all of the "
        "renamed runs unless its frequency is low under all of them, which no frequency is.",
        limits="That a neuron must become a blob can't be seen in runs in which it did: it takes ablation or "
        "training without it.",
        would_change="Ablation: removing blob neurons, against as many others, and the loss that follows.",
        figures=("blobs",),
    )


def _overlap_p_value(masks: list[np.ndarray], common: int) -> float:
    """Probability of as many common neurons when each variant's blobs are random neurons (sampled)."""
    generator = np.random.default_rng(_SEED)
    hits = 0
    for _ in range(_DRAWS):
        drawn = [generator.permutation(mask) for mask in masks]
        hits += int(np.logical_and.reduce(drawn).sum()) >= common
    return (1 + hits) / (1 + _DRAWS)
