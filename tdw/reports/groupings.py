"""The groups that a study has, by rule: which variants stand against which, and what the sides are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tdw.recipes.consistency.differences import differing, values_of, written
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.reading.evidence import Row

MOST_VALUES = 8  # a parameter with more values than this is no grouping


@dataclass(frozen=True)
class Grouping:
    """Two sides of a study.

    Attributes:
        names: of the sides, such as "seed = 485".
        keys: variants on either side.
        fields: that make the sides, and name them; () where the outcome makes them.
    """

    names: tuple[str, str]
    keys: tuple[frozenset[str], frozenset[str]]
    fields: tuple[str, ...] = ()

    @property
    def by_outcome(self) -> bool:
        """The sides are made by the outcome."""
        return not self.fields

    @property
    def title(self) -> str:
        """Both names."""
        return f"{self.names[0]} and {self.names[1]}"


def groupings(family: Family, configs: Sequence[VariantConfig], rows: Sequence[Row] = ()) -> list[Grouping]:
    """The groups that a study has, by the rule of this module; no division of the variants occurs twice.

    A division that several fields make is named by all of them.

    Args:
        family: whose fields are looked at, in their order.
        configs: of the study's variants.
        rows: their outcomes, for the last grouping.
    """
    found: list[Grouping] = []
    for field in family.fields:
        by_value: dict[Any, set[str]] = {}
        for config in configs:
            by_value.setdefault(getattr(config, field.name), set()).add(config.key)
        values = sorted(by_value)
        if not 2 <= len(values) <= MOST_VALUES:
            continue
        for value in values[:1] if len(values) == 2 else values:
            rest = [other for other in values if other != value]
            name = f"{field.name} = {value}"
            others = f"{field.name} = {rest[0]}" if len(rest) == 1 else f"other {field.name}"
            keys = frozenset(by_value[value]), frozenset[str]().union(*(by_value[other] for other in rest))
            found.append(Grouping((name, others), keys, (field.name,)))
    reached = frozenset(row.key for row in rows if row.reached)
    failed = frozenset(row.key for row in rows if row.reached is False and row.finished)
    if reached and failed and family.outcome:
        names = family.outcome.did, family.outcome.none
        found.append(Grouping(names, (reached, failed)))
    every: dict[frozenset[frozenset[str]], Grouping] = {}
    for grouping in found:
        division = frozenset(grouping.keys)
        every[division] = _merged(every[division], grouping) if division in every else grouping
    return list(every.values())


def _merged(first: Grouping, second: Grouping) -> Grouping:
    """The same division by two fields, named by both; that the outcome divides it, too, adds no name."""
    if second.by_outcome:
        return first
    names = second.names if second.keys == first.keys else second.names[::-1]
    one, other = (f"{name}, {more}" for name, more in zip(first.names, names, strict=True))
    return replace(first, names=(one, other), fields=(*first.fields, *second.fields))


def further(family: Family, configs: Sequence[VariantConfig], grouping: Grouping) -> str:
    """In which other fields the sides of a grouping differ, too; "" for none."""
    sides = [[config for config in configs if config.key in keys] for keys in grouping.keys]
    found = [
        f"{name} ({' and '.join(written(values_of(name, side)) for side in sides)})"
        for name in differing(family, sides)
        if name not in grouping.fields
    ]
    return f"**They also differ in**: {'; '.join(found)}." if found else ""
