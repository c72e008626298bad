"""What a study's runs came to: by variant, by base variant with the spread, or as a distribution; and where.

One run's number is one draw: rounding alone gives another, so the text names the processor.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tdw.drawing.crowd import FEW
from tdw.errors import NotFound
from tdw.markdown import show, table
from tdw.recipes.common.outcome_groups import grouping_fields
from tdw.recipes.family import Family
from tdw.recipes.measures import Quantity
from tdw.recipes.reading.evidence import Evidence, Row, outcome, progress
from tdw.reports.comparison_report import quantity_cell
from tdw.statistics.components import variance_components
from tdw.store import Address, Store
from tdw.store.layout import CHECKPOINTS

_DRAWS = (
    "Each number is what one run came to, on the processor and in the form below. Training is chaotic in "
    "its rounding: another processor, or weights moved by 1e-7, can give another number for the same key. A "
    "number of one run is therefore a draw, not a property of its key{replicates}"
)
_REPLICATED = "; replicates show how far the draws of one key lie apart."
_ALONE = ", and without replicates nothing here says how far the draws of one key lie apart."


def runs(evidence: Evidence, family: Family) -> str:
    """The table of what was run, as Markdown: a row per base variant, or quantities where there are many."""
    if len(evidence.by_base) > FEW:
        return _distributions(evidence, family)
    return _by_base(evidence, family) if evidence.replicated else _by_variant(evidence, family)


def draws(evidence: Evidence) -> str:
    """What a number of one run is worth, in words; `computed_by` stands below it."""
    return _DRAWS.format(replicates=_REPLICATED if evidence.replicated else _ALONE)


def _overview(family: Family) -> list[Quantity]:
    return [quantity for quantity in family.quantities if quantity.overview]


def _by_variant(evidence: Evidence, family: Family) -> str:
    event, overview = evidence.outcome, _overview(family)
    rows = [
        [
            row.key,
            f"{show(row.get('num_checkpoints'))} {progress(row)}",
            *([outcome(row)] if event else []),
            *(quantity_cell(row, quantity) for quantity in overview),
        ]
        for row in evidence.rows
    ]
    outcomes = [event.epoch_label] if event else []
    return table(["variant", "checkpoints", *outcomes, *(quantity.label for quantity in overview)], rows)


def _by_base(evidence: Evidence, family: Family) -> str:
    """A row per base variant: median of its replicates, and their range."""
    event, overview = evidence.outcome, _overview(family)
    rows = [
        [
            key,
            show(len(members)),
            *([_reached(members), spread([row.epoch for row in members])] if event else []),
            *(spread([row.get(quantity.column) for row in members]) for quantity in overview),
        ]
        for key, members in evidence.by_base.items()
    ]
    outcomes = [event.did, event.epoch_label] if event else []
    return table(["variant", "replicates", *outcomes, *(quantity.label for quantity in overview)], rows) + (
        "\n\nMedian of the replicates, and in brackets the least and the greatest; those without a number "
        "are left out of it."
    )


def _reached(members: Sequence[Row]) -> str:
    return f"{sum(row.reached is True for row in members)} of {len(members)}"


def spread(values: Sequence[float]) -> str:
    """'1,300 (1,100 to 1,500)'; the value alone where all agree; what is NaN is left out."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "unknown"
    low, high = min(known), max(known)
    middle = show(float(np.median(known)))
    return middle if low == high else f"{middle} ({show(low)} to {show(high)})"


def _distributions(evidence: Evidence, family: Family) -> str:
    """A row per quantity: how it lies over all runs; single ones are in the table `comparison`."""
    event = evidence.outcome
    lines: list[tuple[str, list[float]]] = [
        (quantity.label, [row.get(quantity.column) for row in evidence.rows])
        for quantity in _overview(family)
    ]
    if event:
        label = f"{event.epoch_label} (without {event.none})"
        lines.insert(0, (label, [row.epoch for row in evidence.rows]))
    rows: list[list[str]] = []
    for label, values in lines:
        known = np.array([value for value in values if not math.isnan(value)])
        marks = np.percentile(known, [0, 25, 50, 75, 100]).tolist() if len(known) else [math.nan] * 5
        rows.append([label, show(len(known)), *map(show, marks)])
    columns = ["", "runs with it", "least", "lower quartile", "median", "upper quartile", "greatest"]
    return (
        f"{len(evidence.rows)} runs of {len(evidence.by_base)} variants; one by one they are in the table "
        f"`comparison`.\n\n{table(columns, rows)}"
    )


def computed_by(store: Store, evidence: Evidence) -> str:
    """Which processor and which form of the network trained the runs, from their last checkpoints."""
    names = ("device", "cpu", "threads", "form", "torch", "numba")
    found: Counter[tuple[str, ...]] = Counter()
    for row in evidence.rows:
        epoch = row.get("last_epoch")
        if not epoch >= 0:
            continue
        address = Address(row.config.family, row.key, CHECKPOINTS, int(epoch))
        try:
            environment = store.provenance(address).environment
        except NotFound:
            continue
        found[tuple(str(environment.get(name) or "not recorded") for name in names)] += 1
    if not found:
        return "### Where it was computed\n\nNo checkpoint is here that could tell."
    rows = [[show(count), *values] for values, count in found.most_common()]
    columns = ["runs", "device", "processor", "threads", "form", "torch", "numba"]
    said = "All runs were computed alike." if len(found) == 1 else (
        "Runs were not computed alike: what differs between them may be the processor or the form."
    )  # fmt: skip
    return f"### Where it was computed\n\n{said}\n\n{table(columns, rows)}"


def variance(evidence: Evidence, family: Family) -> str:
    """How much of the outcome's variance is rounding, seed and group; "" without an outcome or replicates."""
    event = evidence.outcome
    reached = evidence.reached
    if event is None or not evidence.replicated or len(reached) < 3:
        return ""
    fields = grouping_fields(family, [row.config for row in evidence.rows])
    group = [tuple(row.fields.get(name) for name in fields) for row in reached]
    found = variance_components(
        [row.epoch for row in reached], group=group, variant=[row.base_key for row in reached]
    )
    names = (" and ".join(fields) or "group", "seed", "replicate (rounding)")
    parts = zip(names, (found.group, found.seed, found.replicate), found.shares, strict=True)
    rows = [[name, show(math.sqrt(value)), show(share)] for name, value, share in parts]
    left = len(evidence.rows) - len(reached)
    notes = [found.note, f"{left} runs without the outcome are left out, so it is about those with it"]
    said = "; ".join(note for note in (notes if left else notes[:1]) if note)
    return (
        f"### What the {event.epoch_label} varies with\n\nVariance components of a nested model, method of "
        f"moments, {found.n_runs} runs of {found.n_variants} variants.{f' {said}.' if said else ''}\n\n"
        + table(["", "standard deviation (optimizer steps)", "share of the variance"], rows)
    )
