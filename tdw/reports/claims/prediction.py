"""Q1 and Q5: whether what is seen early parts the variants that fail from those that grok."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tdw.reports.claims.finding import ALPHA, Finding, Verdict, listed
from tdw.reports.evidence import Evidence, Float64, Row, exactly
from tdw.summaries.statistics import Separation, separate, smallest_separation

EARLY_COARSENESS = {
    "early_mean_coarseness": "mean coarseness",
    "early_num_blobs": "blobs",
    "early_num_blobs_0.5": "neurons ≥ 0.5",
}
EARLY_MEASURES = {
    "test_loss": "test loss",
    "train_loss": "train loss",
    "restricted_loss_test": "restricted loss",
    "gini_W_E_components": "Gini of W_E",
    "sum_squared_weights": "sum of squared weights",
}
NOTHING_FAILED = "{failed} variants are known to have failed and {grokked} grok: nothing can be parted yet."
RENAMED = (
    "Give each variant's residues other names at random: in a share of {control} of the draws mean "
    "coarseness parts the two groups by some threshold. What it says of low frequency is only what goes "
    "beyond that."
)
_SEED = 20_230_112
_DRAWS = 4000


def a_threshold_predicts(evidence: Evidence) -> Finding:
    """Q1."""
    found = {
        label: _split(evidence, {row.key: row.get(column) for row in evidence.rows})
        for column, label in EARLY_COARSENESS.items()
    }
    return _judge(
        found,
        evidence,
        id="Q1",
        question="Is there a threshold that predicts grokking?",
        claim="A threshold of early coarseness parts the variants that grok from those that do not.",
        rule="Mean coarseness, blobs, and neurons at 0.5 or above at the early epoch. Supported when one of "
        "them parts the groups by a threshold with exact p < 0.05 after Bonferroni's correction; "
        "contradicted when none parts them.",
        measures="measures of coarseness",
        caution="",
        would_change="More variants that do not grok, or one on the wrong side of the threshold.",
        figures=("early_coarseness",),
    )


def failure_is_predictable(evidence: Evidence) -> Finding:
    """Q5."""
    found = {
        label: _split(evidence, {row.key: row.get(column) for row in evidence.rows})
        for column, label in EARLY_COARSENESS.items()
    }
    for column, label in EARLY_MEASURES.items():
        values = {
            row.key: evidence.at(row.key, "progress_measures", column, epoch=evidence.early_epoch)
            for row in evidence.rows
        }
        found[label] = _split(evidence, values)
    return _judge(
        found,
        evidence,
        id="Q5",
        question=f"Can failure be predicted at epoch {evidence.early_epoch:,}?",
        claim="A measure at the early epoch parts the variants that fail from those that grok.",
        rule="The measures of Q1, losses, restricted loss, Gini coefficient and weights at the early epoch, "
        "none of which looks ahead. Supported when one parts the groups by a threshold with exact p < 0.05 "
        "after Bonferroni's correction; contradicted when none parts them.",
        measures="measures",
        caution=", and of {m} measures some part a single failure from the rest by chance",
        would_change="Variants that fail, chosen beforehand, predicted by the best measure and its "
        "threshold.",
        figures=("early_coarseness", "progress"),
    )


def _judge(
    found: dict[str, Separation], evidence: Evidence, *, measures: str, caution: str, **words: Any
) -> Finding:
    """The finding on measures of which one may part failed from grokked variants.

    Args:
        found: measure -> how it parts them.
        evidence: of the study.
        measures: what they are called.
        caution: what else can't be said, a template.
        words: of the finding that do not depend on the numbers.
    """
    verdict, best = _predictable(found, evidence)
    answer = (
        f"Of {{m}} {measures} at epoch {{early}}, these part {{failed}} no-grok variants from {{grokked}} "
        "that grok: {parting}. Best: {best}, at {threshold}, p = {p} (corrected {corrected})."
    )
    limits = (
        "With {failed} of {both} variants failing p can't be below {least} for one measure unless values tie"
    )
    return Finding(
        verdict=verdict,
        numbers=_numbers(found, best, evidence),
        answer=answer if evidence.failed else NOTHING_FAILED,
        control=RENAMED if evidence.failed else "",
        limits=f"{limits}{caution}." if evidence.failed else "",
        **words,
    )


def _split(evidence: Evidence, values: dict[str, float]) -> Separation:
    """Failed against grokked variants by a measure; those without it are left out."""

    def of(rows: tuple[Row, ...]) -> list[float]:
        return [values[row.key] for row in rows if not math.isnan(values[row.key])]

    return separate(of(evidence.failed), of(evidence.grokked))


def _predictable(found: dict[str, Separation], evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict, and the measure that parts best ("" when none is known)."""
    known = {label: s for label, s in found.items() if not math.isnan(s.p_value)}
    parting = {label: s for label, s in known.items() if s.threshold is not None}
    best = min(parting or known, key=lambda label: known[label].p_value, default="")
    if not known:
        return "undecided", best
    if not parting and len(known) == len(found):
        return "contradicted", best
    significant = bool(parting) and known[best].p_value * len(found) < ALPHA
    return ("supported" if significant and not evidence.open else "undecided"), best


def _numbers(
    found: dict[str, Separation], best: str, evidence: Evidence
) -> dict[str, float | int | str | bool | None]:
    failed, grokked = len(evidence.failed), len(evidence.grokked)
    one = found.get(best)
    return {
        "m": len(found),
        "early": evidence.early_epoch,
        "failed": failed,
        "grokked": grokked,
        "both": failed + grokked,
        "parting": listed([label for label, s in found.items() if s.threshold is not None]),
        "best": best or "unknown",
        "threshold": "no threshold" if one is None or one.threshold is None else one.threshold,
        "p": one.p_value if one else math.nan,
        "corrected": min(1.0, one.p_value * len(found)) if one else math.nan,
        "least": smallest_separation(failed, grokked),
        "control": _renamed_parts(evidence),
    }


def _renamed_parts(evidence: Evidence) -> float:
    """Share of random relabellings under which early mean coarseness parts failed from grokked variants."""
    generator = np.random.default_rng(_SEED)
    sides: list[Float64] = []
    for rows in (evidence.failed, evidence.grokked):
        choices = [
            evidence.labellings(row.key, "mean_coarseness", pick=exactly(evidence.early_epoch))
            for row in rows
        ]
        if not choices or not all(len(values) for values in choices):
            return math.nan
        sides.append(np.stack([generator.choice(values, _DRAWS) for values in choices]))
    one, other = sides
    apart = (one.max(axis=0) < other.min(axis=0)) | (one.min(axis=0) > other.max(axis=0))
    return float(apart.mean())
