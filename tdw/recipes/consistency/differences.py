"""How configurations differ: what stands side by side is called by every field in which it differs.

A comparison of two variants of other moduli, seeds and fractions is none of two moduli. So a side is named by
all of its fields that are not the same on every side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tdw.errors import BadConfig
from tdw.recipes.family import Family, VariantConfig

MOST_LISTED = 4
"""Values of a field that are written one by one; of more their number and their range."""


@dataclass(frozen=True)
class Side:
    """What stands beside others: a variant, or a group of them.

    Attributes:
        name: every field in which it differs from other sides, with its values.
        configs: of its variants, one or more.
    """

    name: str
    configs: tuple[VariantConfig, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Of its variants."""
        return tuple(config.key for config in self.configs)


def values_of(name: str, configs: Sequence[VariantConfig]) -> list[Any]:
    """The values that a field has in some configurations, each once, ascending."""
    return sorted({getattr(config, name) for config in configs})


def written(values: Sequence[Any]) -> str:
    """Values of a field for people: `97, 101`, or `40 values, 1 to 40`."""
    if len(values) <= MOST_LISTED:
        return ", ".join(map(str, values))
    return f"{len(values)} values, {values[0]} to {values[-1]}"


def differing(family: Family, groups: Sequence[Sequence[VariantConfig]]) -> tuple[str, ...]:
    """The family's fields whose values are not the same in every group, in the family's order."""
    return tuple(
        field.name
        for field in family.fields
        if len({tuple(values_of(field.name, group)) for group in groups}) > 1
    )


def alike(family: Family, configs: Sequence[VariantConfig]) -> dict[str, Any]:
    """Field -> its value, of the fields that are the same in all configurations."""
    found = {field.name: values_of(field.name, configs) for field in family.fields}
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def sides_of(family: Family, groups: Sequence[Sequence[VariantConfig]]) -> tuple[Side, ...]:
    """Groups with their names: of each the fields in which it differs from others.

    Groups of equal configurations (as sets of values) are named by the keys of their variants.
    """
    names = differing(family, groups)
    found: list[Side] = []
    for group in groups:
        parts = [_said(name, values_of(name, group)) for name in names]
        found.append(Side(", ".join(parts), tuple(group)))
    if len({side.name for side in found}) == len(found) and all(side.name for side in found):
        return tuple(found)
    return tuple(Side(written([config.key for config in side.configs]), side.configs) for side in found)


def _said(name: str, values: Sequence[Any]) -> str:
    """`p = 97`, `seed in {1, 2}` or `seed: 40 values, 1 to 40`."""
    if len(values) == 1:
        return f"{name} = {values[0]}"
    return f"{name} in {{{written(values)}}}" if len(values) <= MOST_LISTED else f"{name}: {written(values)}"


def grouped(family: Family, configs: Sequence[VariantConfig], by: Sequence[str]) -> tuple[Side, ...]:
    """Variants grouped by the values of some fields, ascending; without fields each by itself.

    Raises:
        BadConfig: a field that the family does not have; lists those that it has.
    """
    known = [field.name for field in family.fields]
    unknown = [name for name in by if name not in known]
    if unknown:
        raise BadConfig(
            f"family {family.name} has no field {unknown[0][:80]!r}", f"use one of: {', '.join(known)}"
        )
    if not by:
        return sides_of(family, [[config] for config in configs])
    groups: dict[tuple[Any, ...], list[VariantConfig]] = {}
    for config in configs:
        groups.setdefault(tuple(getattr(config, name) for name in by), []).append(config)
    return sides_of(family, [groups[value] for value in sorted(groups)])
