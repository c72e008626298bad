"""R2: two variants, or two groups of variants, side by side: what differs in them, and what came out.

Two single variants have a difference, and no test. Of groups the exact rank test says how often as clear
a division would come about by chance; with few variants that is often, and the report says how often at best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdw.errors import BadConfig
from tdw.known_settings import under_known_settings
from tdw.markdown import show, table
from tdw.recipes.common.pictures import draw, pictures_of
from tdw.recipes.consistency.differences import sides_of
from tdw.recipes.family import Family, VariantConfig, fields_of
from tdw.recipes.measures import Picture, Quantity
from tdw.recipes.outcome import Outcome
from tdw.recipes.reading.evidence import Evidence, Row, outcome, progress
from tdw.reports.claims.verdicts import ALPHA
from tdw.reports.document import Document, as_files
from tdw.reports.evidence import read_evidence
from tdw.statistics.exact import Separation, separate
from tdw.store import Store

DIFFERENCES = "differences.json"

_ONE_VARIANT = "A side with one variant can't be told from the variation between runs: nothing is tested."
_GROUPS = (
    "With {n} and {m} variants, p can't be below {least} unless values tie. {quantities} quantities are "
    "tested without correction: up to {chance} of them would be below {alpha} by chance."
)
_CENSORED = (
    "Variants with {outcome.none} count as the latest in the test of the {outcome.epoch_label}, and are left "
    "out of its mean."
)


@dataclass(frozen=True)
class Difference:
    """One quantity in both groups.

    Attributes:
        quantity: column of the comparison table, with its label.
        first, second: values of the variants that have it; infinity for an outcome that is later than all.
        test: the exact rank test between the groups.
    """

    quantity: Quantity
    first: tuple[float, ...]
    second: tuple[float, ...]
    test: Separation

    @property
    def name(self) -> str:
        """The column's name."""
        return self.quantity.column


@dataclass(frozen=True)
class ComparisonReport(Document):
    """Two groups side by side."""

    differences: tuple[Difference, ...]


@under_known_settings
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
        names: of the groups; None for everything in which their configurations differ.
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
    one, other = names or (side.name for side in sides_of(family, [first, second]))
    configs = [*first, *second]
    evidence = read_evidence(store, family, configs, early_epoch=early_epoch, last_epoch=last_epoch)
    groups = tuple(tuple(row for row in evidence.rows if row.key in group) for group in keys)
    differences = compare_groups(evidence, family, groups[0], groups[1])
    pictures = {name: picture for name, picture in pictures_of(family).items() if picture.groups}
    title = f"{one} and {other}"
    parts = [
        f"# {title}",
        settings_table(first, second, one, other),
        "## What came out\n\n"
        + outcomes_table(evidence, family, lambda row: one if row.key in keys[0] else other),
        "## Side by side\n\n" + differences_table(differences, one, other, family.outcome),
        "## What this can't say\n\n" + caution(len(first), len(second), len(differences), family.outcome),
        "## Figures",
        *(show_picture(name, picture, evidence) for name, picture in pictures.items()),
    ]
    drawn = {f"{name}.svg": draw(picture, evidence) for name, picture in pictures.items()}
    files = as_files(parts, title=title, pictures=drawn, numbers={DIFFERENCES: as_rows(differences)})
    return ComparisonReport(title, files, differences)


def show_picture(name: str, picture: Picture, evidence: Evidence) -> str:
    """A figure with its caption, as Markdown."""
    caption = picture.said(evidence)
    return f"![{caption}]({name}.svg)\n\n*{caption}*"


def quantities_of(family: Family) -> tuple[Quantity, ...]:
    """What is put side by side: the epoch of the outcome, if there is one, and the family's quantities."""
    if family.outcome is None:
        return family.quantities
    label = f"{family.outcome.epoch_label} (mean without, test with {family.outcome.none})"
    epoch = Quantity(family.outcome.epoch, label, panel=family.outcome.epoch_label, decides=True)
    return (epoch, *family.quantities)


def compare_groups(
    evidence: Evidence, family: Family, first: Sequence[Row], second: Sequence[Row]
) -> tuple[Difference, ...]:
    """Every quantity of two groups. A variant without it is left out, one without the outcome the latest."""
    epoch = evidence.outcome.epoch if evidence.outcome else None

    def values(rows: Sequence[Row], name: str) -> tuple[float, ...]:
        of_row = evidence.times if name == epoch else {row.key: row.get(name) for row in rows}
        found = [of_row.get(row.key, math.nan) for row in rows]
        return tuple(value for value in found if not math.isnan(value))

    found: list[Difference] = []
    for quantity in quantities_of(family):
        pair = values(first, quantity.column), values(second, quantity.column)
        found.append(Difference(quantity, *pair, separate(*pair)))
    return tuple(found)


def settings_table(
    first: Sequence[VariantConfig], second: Sequence[VariantConfig], one: str, other: str
) -> str:
    """What is configured differently, and what alike."""

    def flat(config: VariantConfig) -> dict[str, Any]:
        return {name: value for name, value in fields_of(config).items() if not isinstance(value, dict)}

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


def outcomes_table(evidence: Evidence, family: Family, side: Callable[[Row], str]) -> str:
    """One row per variant, as Markdown; `side` names the group or groups that it is in."""
    overview = [quantity for quantity in family.quantities if quantity.overview]
    cells = [
        [
            row.key,
            side(row),
            *([outcome(row)] if evidence.outcome else []),
            *(quantity_cell(row, quantity) for quantity in overview),
            "yes" if row.finished else f"no, {progress(row)}",
        ]
        for row in evidence.rows
    ]
    epoch = [evidence.outcome.epoch_label] if evidence.outcome else []
    labels = [quantity.label for quantity in overview]
    return table(["variant", "side", *epoch, *labels, "finished"], cells)


def quantity_cell(row: Row, quantity: Quantity) -> str:
    """A quantity of a variant for people, with the number out of which it counts."""
    text = show(row.get(quantity.column))
    known = quantity.of and not math.isnan(row.get(quantity.column))
    return f"{text} of {show(row.get(quantity.of))}" if known else text


def differences_table(
    differences: Sequence[Difference], one: str, other: str, outcome: Outcome | None
) -> str:
    """One row per quantity: both means, their difference and the test, as Markdown."""
    none = outcome.none if outcome else ""
    rows: list[list[str]] = []
    for found in differences:
        known = [[value for value in side if math.isfinite(value)] for side in (found.first, found.second)]
        mean = [float(np.mean(values)) if values else math.nan for values in known]
        tested = min(len(found.first), len(found.second)) > 1
        rows.append(
            [
                found.quantity.label,
                f"{show(mean[0])} ({_count(found.first, none)})" if found.first else "not known",
                f"{show(mean[1])} ({_count(found.second, none)})" if found.second else "not known",
                show(mean[1] - mean[0]),
                f"p = {show(found.test.p_value)}" if tested else "not tested",
            ]
        )
    columns = ["mean of", one, other, "difference", "exact rank test"]
    return table(columns, rows)


def _count(values: Sequence[float], none: str) -> str:
    """How many values, and how many variants without the outcome."""
    late = sum(math.isinf(value) for value in values)
    return f"n = {len(values) - late}, and {late} {none}" if late else f"n = {len(values)}"


def caution(n: int, m: int, quantities: int, outcome: Outcome | None) -> str:
    """What groups of n and m variants can't show."""
    if min(n, m) == 1:
        return _ONE_VARIANT
    least, chance = show(2 / math.comb(n + m, n)), show(quantities * ALPHA)
    text = _GROUPS.format(n=n, m=m, least=least, quantities=quantities, chance=chance, alpha=ALPHA)
    return f"{text} {_CENSORED.format(outcome=outcome)}" if outcome else text


def as_rows(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Differences for programs; null for an outcome that was not reached and for what is not known."""

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
