"""R2: two variants, or two groups of variants, side by side: what differs in them, and what came out.

Of two single variants only the difference can be said. Of groups the exact rank test says how often as clear
a division would come about by chance; with few variants that is often, and the report says how often at best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdw.errors import BadConfig
from tdw.recipes.family import Family, VariantConfig
from tdw.reports.claims.finding import ALPHA, show
from tdw.reports.document import Document, as_files
from tdw.reports.evidence import Evidence, Row, outcome, progress, read_evidence
from tdw.reports.figures import PICTURES, draw
from tdw.reports.page import table
from tdw.store import Store
from tdw.summaries.statistics import Separation, separate

DIFFERENCES = "differences.json"
QUANTITIES: Mapping[str, str] = {
    "grokking_epoch": "grokking epoch (mean without, test with no grok)",
    "final_test_loss": "final test loss (nats)",
    "final_test_accuracy": "final test accuracy",
    "initial_mean_coarseness": "mean coarseness, epoch 0",
    "early_mean_coarseness": "mean coarseness, early",
    "grokking_mean_coarseness": "mean coarseness, at grokking",
    "final_mean_coarseness": "mean coarseness, last",
    "early_num_blobs": "blobs, early",
    "grokking_num_blobs": "blobs, at grokking",
    "max_num_blobs": "blobs, most",
    "final_num_blobs": "blobs, last",
    "num_stays_blob": "neurons that stay blobs",
    "num_frequencies": "dominant frequencies, last",
    "early_frequency_overlap": "final frequencies among the strongest, early",
    "early_label_rank": "rank of the labels, early",
    "final_label_rank": "rank of the labels, last",
    "num_dead_at_end": "dead neurons, last",
}
_FIGURES = ("test_loss", "coarseness", "blobs", "relabelling", "frequencies", "progress")


@dataclass(frozen=True)
class Difference:
    """One quantity in both groups.

    Attributes:
        name: column of the comparison table.
        first, second: values of the variants that have it; infinity for no grok that is later than all.
        test: the exact rank test between the groups.
    """

    name: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    test: Separation


@dataclass(frozen=True)
class ComparisonReport(Document):
    """Two groups side by side."""

    differences: tuple[Difference, ...]


def comparison_report(
    store: Store,
    family: Family,
    first: Sequence[VariantConfig],
    second: Sequence[VariantConfig],
    *,
    names: tuple[str, str] | None = None,
    early_epoch: int = 1000,
    last_epoch: int | None = None,
) -> ComparisonReport:
    """Compare two variants or groups, from what is stored now.

    Args:
        store: where summaries are read.
        family: of the variants.
        first, second: configurations of either group, one or more.
        names: of the groups; None for the keys.
        early_epoch: at which "early" is read.
        last_epoch: at which a variant is finished; None for the family's default.

    Raises:
        BadConfig: an empty group, or a variant in both.
        FingerprintMismatch: variants that were not computed alike; lists every difference.
        CorruptFile: names the file.
    """
    keys = [{config.key for config in group} for group in (first, second)]
    if not all(keys) or keys[0] & keys[1]:
        raise BadConfig(
            f"the groups {sorted(keys[0])} and {sorted(keys[1])} are empty or overlap",
            "name at least one variant on either side, none on both",
        )
    one, other = names or (_name(first), _name(second))
    configs = [*first, *second]
    evidence = read_evidence(store, family, configs, early_epoch=early_epoch, last_epoch=last_epoch)
    groups = tuple(tuple(row for row in evidence.rows if row.key in group) for group in keys)
    differences = compare_groups(evidence, groups[0], groups[1])
    title = f"{one} and {other}"
    parts = [
        f"# {title}",
        settings_table(first, second, one, other),
        "## What came out\n\n"
        + outcomes_table(evidence.rows, lambda row: one if row.key in keys[0] else other),
        "## Side by side\n\n" + differences_table(differences, one, other),
        "## What this can't say\n\n" + caution(len(first), len(second), len(differences)),
        "## Figures",
        *(f"![{PICTURES[n].caption}]({n}.svg)\n\n*{PICTURES[n].caption}*" for n in _FIGURES),
    ]
    pictures = {f"{name}.svg": draw(PICTURES[name], evidence) for name in _FIGURES}
    files = as_files(parts, title=title, pictures=pictures, numbers={DIFFERENCES: as_rows(differences)})
    return ComparisonReport(title, files, differences)


def _name(group: Sequence[VariantConfig]) -> str:
    return group[0].key if len(group) == 1 else f"{len(group)} variants ({', '.join(c.key for c in group)})"


def compare_groups(evidence: Evidence, first: Sequence[Row], second: Sequence[Row]) -> tuple[Difference, ...]:
    """Every quantity of two groups. A variant without it is left out; no grok is the latest, not left out."""

    def values(rows: Sequence[Row], name: str) -> tuple[float, ...]:
        of_row = evidence.times if name == "grokking_epoch" else {row.key: row.get(name) for row in rows}
        found = [of_row.get(row.key, math.nan) for row in rows]
        return tuple(value for value in found if not math.isnan(value))

    pairs = {name: (values(first, name), values(second, name)) for name in QUANTITIES}
    return tuple(Difference(name, *pair, separate(*pair)) for name, pair in pairs.items())


def settings_table(
    first: Sequence[VariantConfig], second: Sequence[VariantConfig], one: str, other: str
) -> str:
    """What is configured differently, and what alike."""

    def flat(config: VariantConfig) -> dict[str, Any]:
        return {name: value for name, value in config.to_dict().items() if not isinstance(value, dict)}

    rows: list[list[str]] = []
    alike: list[str] = []
    for name in flat(first[0]):
        sides = [sorted({str(flat(config).get(name)) for config in group}) for group in (first, second)]
        if sides[0] == sides[1] and len(sides[0]) == 1:
            alike.append(f"{name} = {sides[0][0]}")
        else:
            rows.append([name, ", ".join(sides[0]), ", ".join(sides[1])])
    text = "## What differs in them\n\n" + table(["", one, other], rows)
    return f"{text}\n\nAlike: {'; '.join(alike)}."


def outcomes_table(rows: Sequence[Row], side: Callable[[Row], str]) -> str:
    """A row a variant, as Markdown; `side` names the group or groups that it is in."""
    cells = [
        [
            row.key,
            side(row),
            outcome(row),
            show(row.get("early_mean_coarseness")),
            show(row.get("max_num_blobs")),
            "yes" if row.finished else f"no, {progress(row)}",
        ]
        for row in rows
    ]
    columns = ["variant", "side", "grokking epoch", "mean coarseness, early", "blobs, most", "finished"]
    return table(columns, cells)


def differences_table(differences: Sequence[Difference], one: str, other: str) -> str:
    """A row a quantity: both means, their difference and the test, as Markdown."""
    rows: list[list[str]] = []
    for found in differences:
        known = [[value for value in side if math.isfinite(value)] for side in (found.first, found.second)]
        mean = [float(np.mean(values)) if values else math.nan for values in known]
        tested = min(len(found.first), len(found.second)) > 1
        rows.append(
            [
                QUANTITIES[found.name],
                f"{show(mean[0])} ({_count(found.first)})" if found.first else "not known",
                f"{show(mean[1])} ({_count(found.second)})" if found.second else "not known",
                show(mean[1] - mean[0]),
                f"p = {show(found.test.p_value)}" if tested else "not tested",
            ]
        )
    columns = ["mean of", one, other, "difference", "exact rank test"]
    return table(columns, rows)


def _count(values: Sequence[float]) -> str:
    """How many values, and how many of them are no grok."""
    late = sum(math.isinf(value) for value in values)
    return f"n = {len(values) - late}" + (f", and {late} no grok" if late else "")


def caution(n: int, m: int, quantities: int) -> str:
    """What groups of n and m variants can't show."""
    if min(n, m) == 1:
        text = "A side with one variant can't be told from the variation between runs: nothing is tested."
    else:
        least = 2 / math.comb(n + m, n)
        text = (
            f"With {n} and {m} variants p can't be below {show(least)} unless values tie. {quantities} "
            f"quantities are tested, uncorrected: up to {show(quantities * ALPHA)} would be below {ALPHA} by "
            "chance. Variants without grokking count as the latest in the test of grokking epochs, and are "
            "left out of the mean."
        )
    return text


def as_rows(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Differences for programs; null for no grok and for what is not known."""

    def finite(values: Sequence[float]) -> list[float | None]:
        return [value if math.isfinite(value) else None for value in values]

    return [
        {
            "name": found.name,
            "first": finite(found.first),
            "second": finite(found.second),
            "auc": None if math.isnan(found.test.auc) else found.test.auc,
            "p_value": None if math.isnan(found.test.p_value) else found.test.p_value,
        }
        for found in differences
    ]
