"""What is said of p=101 and of its pair with seed 999: H4, H5 and Q4, with the rules of their verdicts."""

from __future__ import annotations

import math

import numpy as np

from tdw.reports.claims.finding import ALPHA, Finding, Value, Verdict, listed
from tdw.reports.evidence import Evidence, Row, few, last
from tdw.summaries.statistics import separate, smallest_separation

HARD_MODULUS, BLOBLESS = 101, (101, 999)


def one_modulus_is_harder(evidence: Evidence) -> Finding:
    """H4."""
    slowest: list[str] = []
    not_slowest: list[str] = []
    unknown: list[str] = []
    chance = 1.0
    seeds = sorted({row.seed for row in evidence.rows})
    for seed in seeds:
        same = [row for row in evidence.rows if row.seed == seed]
        row = evidence.find(HARD_MODULUS, seed)
        times = {r.p: evidence.times.get(r.key, math.nan) for r in same}
        own = times.get(HARD_MODULUS, math.nan)
        name = f"seed {seed}"
        rest = [t for p, t in times.items() if p != HARD_MODULUS]
        if row is None or math.isnan(own) or not rest:
            unknown.append(name)
        elif any(t > own for t in rest if not math.isnan(t)):
            not_slowest.append(name)
        elif any(math.isnan(t) or t == own for t in rest):
            unknown.append(name)
        else:
            slowest.append(name)
            chance /= len(same)
    verdict: Verdict = "undecided"
    if not_slowest:
        verdict = "contradicted"
    elif slowest and not unknown and chance < ALPHA:
        verdict = "supported"
    wanted = math.ceil(math.log(ALPHA) / math.log(1 / max(len({r.p for r in evidence.rows}), 2)))
    numbers: dict[str, Value] = {
        "slowest": listed(slowest),
        "not_slowest": listed(not_slowest),
        "unknown": listed(unknown),
        "seeds": len(seeds),
        "chance": chance if slowest else math.nan,
        "wanted": wanted,
    }
    return Finding(
        id="H4",
        claim="p=101 is harder in itself.",
        verdict=verdict,
        rule="Supported when p=101 groks last of all moduli with every seed and the probability of that by "
        "chance is below 0.05; contradicted when another modulus groks later with one seed.",
        numbers=numbers,
        answer="p=101 is last with: {slowest}; not last with: {not_slowest}; open: {unknown}."
        + (
            " If moduli were alike, it would be last with all that are seen with probability {chance}."
            if slowest
            else ""
        ),
        limits="With {seeds} seeds and one split a property of 101 can't be told from chance: at least "
        "{wanted} "
        "seeds, all with p=101 last, would be needed. The number of training pairs grows with p², too.",
        would_change="A seed with which another modulus is slower contradicts; {wanted} seeds with p=101 "
        "last "
        "support.",
        figures=("test_loss", "spectra"),
    )


def one_pair_prevents_blobs(evidence: Evidence) -> Finding:
    """H5."""
    row = evidence.find(*BLOBLESS)
    most = row.get("max_num_blobs") if row else math.nan
    others = [r for r in evidence.rows if row is None or r.key != row.key]
    theirs = [r.get("max_num_blobs") for r in others if not math.isnan(r.get("max_num_blobs"))]
    under = evidence.labellings(row.key, "num_blob_neurons", pick=last) if row else np.empty(0)
    renamed = float(under.max()) if len(under) else math.nan
    verdict: Verdict = "undecided"
    if row is not None and theirs and not math.isnan(most):
        if most >= max(min(theirs), few(row)):
            verdict = "contradicted"
        elif row.finished and most < min(few(row), min(theirs)) and renamed < few(row):
            verdict = "supported"
    return Finding(
        id="H5",
        claim="The pair p=101, seed=999 prevents blobs.",
        verdict=verdict,
        rule="The most blobs at any analyzed epoch. Supported when this variant stays below 1 % of its "
        "neurons "
        "to the end, below all others, and so under every relabelling; contradicted when it reaches 1 % and "
        "the fewest of another variant.",
        numbers={
            "most": most,
            "least": min(theirs, default=math.nan),
            "median": float(np.median(theirs)) if theirs else math.nan,
            "final": row.get("final_num_blobs") if row else math.nan,
            "renamed": renamed,
            "share": float((under >= few(row)).mean()) if row and len(under) else math.nan,
            "few": few(row) if row else math.nan,
        },
        answer="Nothing is known of it yet. The others reach {least} blobs at the fewest."
        if math.isnan(most)
        else "It has {most} blobs at the most and {final} at the end; the others reach between {least} and "
        "more, {median} in the median; 1 % are {few}.",
        control=""
        if not len(under)
        else "Under the labelling that suits it best it would have {renamed} at the end, and a share of "
        "{share} of all labellings gives it 1 % or more: what it prevents depends on the names of the "
        "residues "
        "when that is not 0.",
        limits="One variant: what a seed does at one modulus can't be told from what this run did.",
        would_change="Other data seeds for the same p and seed.",
        figures=("blobs", "relabelling"),
    )


def one_modulus_starts_different(evidence: Evidence) -> Finding:
    """Q4."""
    measures: dict[str, dict[str, float]] = {}
    for row in evidence.rows:
        for name, value in initial_spectrum(evidence, row).items():
            measures.setdefault(name, {})[row.key] = value
    own = [row.key for row in evidence.rows if row.p == HARD_MODULUS]
    others = [row.key for row in evidence.rows if row.p != HARD_MODULUS]
    found = {
        name: separate([v for k, v in of.items() if k in own], [v for k, v in of.items() if k in others])
        for name, of in measures.items()
    }
    known = {name: s for name, s in found.items() if s.n_first == len(own) and s.n_second == len(others)}
    parting = {name: s for name, s in known.items() if s.threshold is not None}
    best = min(known, key=lambda name: known[name].p_value, default="")
    verdict: Verdict = "undecided"
    if known and own and others:
        if not parting:
            verdict = "contradicted"
        elif known[best].p_value * len(known) < ALPHA:
            verdict = "supported"

    disc = [low_share(row.p) for row in evidence.rows if row.p != HARD_MODULUS]

    def mean(name: str, keys: list[str]) -> float:
        values = [measures[name][key] for key in keys if key in measures.get(name, {})]
        return float(np.mean(values)) if values else math.nan

    return Finding(
        id="Q4",
        question="What is different about p=101?",
        claim="The spectra of p=101 at epoch 0 differ from those of the other moduli.",
        verdict=verdict,
        rule="Of W_E at epoch 0: spread (std / mean), highest / median and Gini coefficient of the frequency "
        "norms; and mean coarseness. Supported when one of them parts p=101 from all others with exact p < "
        "0.05 "
        "after Bonferroni's correction; contradicted when none parts them.",
        numbers={
            "m": len(known),
            "parting": listed(list(parting)),
            "best": best or "unknown",
            "p": known[best].p_value if best else math.nan,
            "spread": mean("spread of norms", own),
            "spread_others": mean("spread of norms", others),
            "top": mean("highest / median", own),
            "top_others": mean("highest / median", others),
            "coarse": mean("mean coarseness", own),
            "coarse_others": mean("mean coarseness", others),
            "random": 0.5 / math.sqrt(128),
            "least": smallest_separation(len(own), len(others)),
            "disc": float(
                np.mean([low_share(row.p) for row in evidence.rows if row.p == HARD_MODULUS] or [math.nan])
            ),
            "disc_least": min(disc, default=math.nan),
            "disc_most": max(disc, default=math.nan),
        },
        answer="Spread of the frequency norms of W_E at epoch 0: {spread} (p=101), {spread_others} (others), "
        "{random} for random weights; highest / median {top} and {top_others}; mean coarseness {coarse} and "
        "{coarse_others}. Measures that part p=101 from the others: {parting}; best: {best}, p = {p}.",
        limits="W_E is drawn alike for every modulus, so a difference at epoch 0 is chance by "
        "construction; and p can't be below {least} here unless values tie, so two seeds can't support it. "
        "Mean coarseness is not comparable to the last digit: the radius of the low disc is a whole number, "
        "so it holds {disc} of all pairs of frequencies for p=101 and {disc_least} to {disc_most} for the "
        "others. Moduli also differ in the number of training pairs.",
        would_change="More seeds for p=101.",
        figures=("spectra",),
    )


def low_share(p: int, radius_fraction: float = 0.125) -> float:
    """Share of the pairs of frequencies of p, the constant left out, that lie in the low disc of A8.

    It is the coarseness of a map without structure. The radius is a whole number, so it depends on p.
    """
    radius = int(radius_fraction * p)
    shifts = np.arange(p) - p // 2
    inside = int((shifts[:, None] ** 2 + shifts**2 <= radius**2).sum()) - 1
    return inside / (p * p - 1)


def initial_spectrum(evidence: Evidence, row: Row) -> dict[str, float]:
    """Measures of a variant at epoch 0; those that are known."""
    found: dict[str, float] = {}
    table = evidence.summary(row.key, "frequencies")
    if table is not None and (table["epoch"] == 0).any():
        names = [name for name in table.columns if str(name).startswith("norm_")]
        norms = table.loc[table["epoch"] == 0, names].to_numpy(np.float64)[0]
        from tdw.families.modulo_addition_1layer.analyzers.progress_measures import gini

        found = {
            "spread of norms": float(norms.std() / norms.mean()),
            "highest / median": float(norms.max() / np.median(norms)),
            "Gini of norms": gini(norms),
        }
    coarse = row.get("initial_mean_coarseness")
    return found if math.isnan(coarse) else {**found, "mean coarseness": coarse}
