"""How far claims about key frequencies depend on the rule that finds them in the logits."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import progress_measures
from tdw.markdown import show, table
from tdw.recipes.reading.evidence import Evidence, Float64
from tdw.statistics.uniformity import uniform_choice
from tdw.store import Address, Store

FLOORS = (0.0, progress_measures.FLOOR, 0.15)
_ABOUT = """### Key frequencies of the logits at the last epoch, by their least share of the largest norm

At least twice the median norm, and so much of the largest. Without a floor a trained model's remnants count,
too. *Even* is the p-value of the choice being even over all frequencies, of the runs with the outcome,
uncorrected."""


def key_section(store: Store, evidence: Evidence) -> str:
    """A part of the report, as Markdown; "" where no variant has the norms.

    Raises:
        CorruptFile: names the file.
    """
    norms = _read_norms(store, evidence)
    if not norms:
        return ""
    rows: list[list[str]] = []
    for floor in FLOORS:
        chosen = {
            key: progress_measures.keys_of_logits(of, threshold=2.0, floor=floor) for key, of in norms.items()
        }
        sizes = np.array([len(found) for found in chosen.values()])
        rows.append(
            [
                show(floor) if floor else "none",
                show(len(sizes)),
                *map(show, np.percentile(sizes, [0, 50, 100]).tolist()),
                show(_evenness(evidence, norms, chosen)),
            ]
        )
    return f"{_ABOUT}\n\n" + table(["floor", "runs", "least", "median", "most", "even"], rows)


def _read_norms(store: Store, evidence: Evidence) -> dict[str, Float64]:
    """Key -> norm of the logits along each frequency at the last analyzed epoch, ((p-1)/2,)."""
    name = progress_measures.ANALYZER.name
    found: dict[str, Float64] = {}
    for row in evidence.rows:
        epochs = store.epochs(row.config.family, row.key, name)
        if epochs:
            address = Address(row.config.family, row.key, name, epochs[-1])
            found[row.key] = store.read(address).arrays["logit_frequency_norms"].astype(np.float64)
    return found


def _evenness(evidence: Evidence, norms: Mapping[str, Float64], chosen: Mapping[str, np.ndarray]) -> float:
    """NaN where the runs choose from different numbers of frequencies, or none has chosen."""
    sets = [chosen[row.key].tolist() for row in evidence.reached if row.key in chosen]
    numbers = {len(norms[row.key]) for row in evidence.reached if row.key in norms}
    if len(numbers) != 1 or not any(sets):
        return math.nan
    return uniform_choice(sets, numbers.pop()).p_value
