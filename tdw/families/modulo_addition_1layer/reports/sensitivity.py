"""How far the results depend on choices: thresholds and epochs that could as well have been others.

Computed from the stored tables and each variant's last artifacts of two analyzers; nothing is
analyzed again. The defaults are bold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tdw.drawing.crowd import FEW
from tdw.drawing.style import short_labels
from tdw.families.modulo_addition_1layer.analyzers import neuron_frequencies
from tdw.families.modulo_addition_1layer.reports.key_sensitivity import key_section
from tdw.families.modulo_addition_1layer.summaries.learning import grokking
from tdw.markdown import show, table
from tdw.recipes.measures import Section
from tdw.recipes.reading.evidence import HISTORY, Evidence, Float64, Row
from tdw.statistics.exact import associate
from tdw.store import Address, Store

DOMINANT = ((2.0, 0.3), (1.5, 0.3), (3.0, 0.3), (2.0, 0.2), (2.0, 0.5))
CLUSTER = (0.75, 0.85, 0.95)
BLOB = (0.6, 0.7, 0.8)
EARLY = (200, 500, 1000, 1500, 2000, 3000)
RULES = (("test_loss", 0.1), ("test_loss", 0.01), ("test_loss", 0.001), ("test_accuracy", 0.99))
Fractions = Mapping[str, Float64]


def read_fractions(store: Store, evidence: Evidence) -> Fractions:
    """Key -> share of each neuron's variance that its best frequency explains at the last epoch, (n,).

    Raises:
        CorruptFile: names the file.
    """
    name = neuron_frequencies.ANALYZER.name
    found: dict[str, Float64] = {}
    for row in evidence.rows:
        family = row.config.family
        epochs = store.epochs(family, row.key, name)
        if epochs:
            arrays = store.read(Address(family, row.key, name, epochs[-1])).arrays
            found[row.key] = arrays["best_fraction"].astype(np.float64)
    return found


def sensitivity(evidence: Evidence, fractions: Fractions) -> str:
    """The section of the report, as Markdown."""
    norms = {row.key: _norms(row, evidence.early_epoch) for row in evidence.rows}
    return "\n\n".join(
        [
            "## Sensitivity to thresholds and epochs\n\nThe same quantities under other choices than the "
            "defaults (bold). A verdict that changes with one of them is about the choice.",
            "### Grokking epoch, by rule\n\nFrom which evaluated epoch on it holds at every evaluated epoch.",
            _by_variant(
                evidence, "rule", [(_rule_name(*rule), _grokking(evidence, *rule)) for rule in RULES]
            ),
            "### Blobs at grokking, by threshold\n\nAt the first analyzed epoch from grokking on, at the "
            "last for a variant without grokking.",
            _by_variant(
                evidence, "coarseness at least", [(_bold(t, 0.7), _blobs(evidence, t)) for t in BLOB]
            ),
            "### Dominant frequencies of W_E at the last epoch, by rule (A5)\n\nA frequency counts from so "
            "many times the median norm and so much of the largest on; in brackets the share of them that is "
            f"among as many strongest at epoch {show(evidence.early_epoch)}.",
            _by_variant(
                evidence,
                "median, largest",
                [(_bold(pair, DOMINANT[0]), _dominant(norms, *pair)) for pair in DOMINANT],
            ),
            "### Neurons in a frequency's cluster at the last epoch, by threshold (A6)\n\nNeurons of which "
            "one frequency explains at least so much of the variance.",
            _by_variant(
                evidence,
                "share at least",
                [(_bold(t, 0.85), _clustered(evidence, fractions, t)) for t in CLUSTER],
            ),
            "### Rank correlation of mean coarseness with the grokking epoch, by what is early\n\n"
            "No grok last, exact two-sided p-values. Looking at several epochs and taking the best would be "
            "a test of its own.",
            _early(evidence),
        ]
    )


Cell = Callable[[Row], str]


def _by_variant(evidence: Evidence, first: str, lines: Sequence[tuple[str, Cell]]) -> str:
    labels = short_labels(evidence.keys)
    if len(labels) > FEW:
        return _counted(evidence, first, lines)
    rows = [[name, *(cell(row) for row in evidence.rows)] for name, cell in lines]
    return table([first, *labels.values()], rows)


def _counted(evidence: Evidence, first: str, lines: Sequence[tuple[str, Cell]]) -> str:
    """Of many variants: least, quartiles and greatest of the numbers, and how many have none."""
    rows: list[list[str]] = []
    for name, cell in lines:
        # A cell begins with its number: "1,300", "4 (0.75)", "none by 2,300".
        texts = [cell(row).split(" ")[0].replace(",", "") for row in evidence.rows]
        known = [float(text) for text in texts if text.replace(".", "", 1).isdigit()]
        marks = np.percentile(known, [0, 25, 50, 75, 100]).tolist() if known else [math.nan] * 5
        rows.append([name, show(len(known)), show(len(texts) - len(known)), *map(show, marks)])
    columns = [first, "runs with it", "without", "least", "lower quartile", "median", "upper quartile"]
    return table([*columns, "greatest"], rows)


def _bold(value: float | tuple[float, float], chosen: float | tuple[float, float]) -> str:
    text = ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"
    return f"**{text}**" if value == chosen else text


def _rule_name(metric: str, limit: float) -> str:
    words = f"test loss < {limit:g}" if metric == grokking.LOSS else f"test accuracy ≥ {limit:g}"
    return f"**{words}**" if (metric, limit) == RULES[1] else words


def _grokking(evidence: Evidence, metric: str, limit: float) -> Cell:
    def cell(row: Row) -> str:
        epochs, values = row.series(HISTORY, metric)
        if not len(epochs):
            return "unknown"
        rule = grokking.Parameters(metric=metric, threshold=limit)
        found = grokking.grokking_epoch(epochs.astype(np.int64), values, parameters=rule)
        return f"none by {show(epochs[-1])}" if found is None else show(found)

    return cell


def _blobs(evidence: Evidence, threshold: float) -> Cell:
    def cell(row: Row) -> str:
        epochs, values = row.series("coarseness", f"num_blob_neurons_{threshold:g}")
        at = row.epoch_at("outcome" if row.reached else "last", epochs)
        return show(float(values[epochs == at][0])) if at in epochs else "unknown"

    return cell


def _norms(row: Row, early_epoch: int) -> tuple[Float64, Float64 | None] | None:
    """Norms of the frequencies at the last epoch (n,), and early (n,) or None; None for no such table."""
    found = row.tables.get("frequencies")
    names = [] if found is None else [name for name in found.columns if str(name).startswith("norm_")]
    if found is None or found.empty or not names:
        return None
    norms = found[names].to_numpy(np.float64)
    early = np.flatnonzero(found["epoch"].to_numpy(np.int64) == early_epoch)
    return norms[-1], norms[early[0]] if len(early) else None


def _dominant(
    norms: Mapping[str, tuple[Float64, Float64 | None] | None], threshold: float, relative: float
) -> Cell:
    def cell(row: Row) -> str:
        found = norms[row.key]
        if found is None:
            return "unknown"
        last, early = found
        limit = max(threshold * float(np.median(last)), relative * float(last.max()))
        dominant = np.flatnonzero(last >= limit)
        if early is None or not len(dominant):
            return show(len(dominant))
        strongest = np.argsort(-early, kind="stable")[: len(dominant)]
        return f"{len(dominant)} ({show(float(np.isin(dominant, strongest).mean()))})"

    return cell


def _clustered(evidence: Evidence, fractions: Fractions, threshold: float) -> Cell:
    def cell(row: Row) -> str:
        found = fractions.get(row.key)
        return "unknown" if found is None else show(int((found >= threshold).sum()))

    return cell


def _early(evidence: Evidence) -> str:
    rows: list[list[str]] = []
    for epoch in sorted({*EARLY, evidence.early_epoch}):
        values = {row.key: row.at("coarseness", "mean_coarseness", epoch=epoch) for row in evidence.rows}
        keys = [key for key in evidence.times if not math.isnan(values[key])]
        found = associate([values[key] for key in keys], [evidence.times[key] for key in keys])
        name = f"**{show(epoch)}**" if epoch == evidence.early_epoch else show(epoch)
        rows.append([name, show(found.n), show(found.rho), show(found.p_value), found.interval])
    return table(["epoch", "variants", "correlation", "p", "95 % bootstrap interval"], rows)


def _section(store: Store, evidence: Evidence) -> str:
    parts = sensitivity(evidence, read_fractions(store, evidence)), key_section(store, evidence)
    return "\n\n".join(part for part in parts if part)


SECTION = Section("sensitivity", "3", _section)
