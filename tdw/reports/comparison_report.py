"""R2: two variants, or two groups of variants, side by side: what differs in them, and what came out.

Of two single variants only the difference can be said. Of groups the exact rank test says how often as clear
a division would come about by chance; with few variants that is often, and the report says how often at best.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdw.errors import BadConfig
from tdw.families.base import Family, VariantConfig
from tdw.reports.evidence import Evidence, Row, outcome, progress, read_evidence
from tdw.reports.figures import PICTURES, draw
from tdw.reports.finding import ALPHA, show
from tdw.reports.page import table, to_html
from tdw.store import Store
from tdw.summaries.statistics import Separation, separate

QUANTITIES: Mapping[str, str] = {
    "grokking_epoch": "grokking epoch (no grok left out)",
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
        first, second: values of the variants that have it.
        test: the exact rank test between the groups.
    """

    name: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    test: Separation


@dataclass(frozen=True)
class ComparisonReport:
    """A report as files: `report.md`, `report.html`, `differences.json` and the figures."""

    title: str
    files: Mapping[str, bytes]
    differences: tuple[Difference, ...]

    @property
    def markdown(self) -> str:
        """The Markdown."""
        return self.files["report.md"].decode()

    @property
    def html(self) -> str:
        """The self-contained page."""
        return self.files["report.html"].decode()


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
    differences = tuple(_difference(name, groups[0], groups[1]) for name in QUANTITIES)
    title = f"{one} and {other}"
    parts = [
        f"# {title}",
        _settings(first, second, one, other),
        _outcomes(evidence, keys[0], one, other),
        _differences(differences, one, other),
        _caution(len(first), len(second), len(differences)),
        "## Figures",
        *(f"![{PICTURES[n].caption}]({n}.svg)\n\n*{PICTURES[n].caption}*" for n in _FIGURES),
    ]
    pictures = {f"{name}.svg": draw(PICTURES[name], evidence) for name in _FIGURES}
    markdown = "\n\n".join(parts) + "\n"
    files = {
        "report.md": markdown.encode(),
        "report.html": to_html(markdown, title=title, pictures=pictures).encode(),
        "differences.json": _as_json(differences),
        **pictures,
    }
    return ComparisonReport(title, files, differences)


def _name(group: Sequence[VariantConfig]) -> str:
    return group[0].key if len(group) == 1 else f"{len(group)} variants ({', '.join(c.key for c in group)})"


def _difference(name: str, first: Sequence[Row], second: Sequence[Row]) -> Difference:
    def values(rows: Sequence[Row]) -> tuple[float, ...]:
        return tuple(row.get(name) for row in rows if not math.isnan(row.get(name)))

    one, other = values(first), values(second)
    return Difference(name, one, other, separate(one, other))


def _settings(first: Sequence[VariantConfig], second: Sequence[VariantConfig], one: str, other: str) -> str:
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


def _outcomes(evidence: Evidence, first: set[str], one: str, other: str) -> str:
    rows = [
        [
            row.key,
            one if row.key in first else other,
            outcome(row),
            show(row.get("early_mean_coarseness")),
            show(row.get("max_num_blobs")),
            "yes" if row.finished else f"no, {progress(row)}",
        ]
        for row in evidence.rows
    ]
    columns = ["variant", "side", "grokking epoch", "mean coarseness, early", "blobs, most", "finished"]
    return "## What came out\n\n" + table(columns, rows)


def _differences(differences: Sequence[Difference], one: str, other: str) -> str:
    rows: list[list[str]] = []
    for found in differences:
        mean = [float(np.mean(v)) if v else math.nan for v in (found.first, found.second)]
        tested = min(len(found.first), len(found.second)) > 1
        rows.append(
            [
                QUANTITIES[found.name],
                f"{show(mean[0])} (n = {len(found.first)})",
                f"{show(mean[1])} (n = {len(found.second)})",
                show(mean[1] - mean[0]),
                f"p = {show(found.test.p_value)}" if tested else "not tested",
            ]
        )
    columns = ["mean of", one, other, "difference", "exact rank test"]
    return "## Side by side\n\n" + table(columns, rows)


def _caution(n: int, m: int, quantities: int) -> str:
    if min(n, m) == 1:
        text = "A side with one variant can't be told from the variation between runs: nothing is tested."
    else:
        least = 2 / math.comb(n + m, n)
        text = (
            f"With {n} and {m} variants p can't be below {show(least)} unless values tie. {quantities} "
            f"quantities "
            f"are tested, uncorrected: about {show(quantities * ALPHA)} would be below {ALPHA} by chance. "
            "Variants without grokking are left out of the mean of grokking epochs, not of the rest."
        )
    return f"## What this can't say\n\n{text}"


def _as_json(differences: Sequence[Difference]) -> bytes:
    rows = [
        {
            "name": found.name,
            "first": found.first,
            "second": found.second,
            "auc": None if math.isnan(found.test.auc) else found.test.auc,
            "p_value": None if math.isnan(found.test.p_value) else found.test.p_value,
        }
        for found in differences
    ]
    return (json.dumps(rows, indent=1) + "\n").encode()
