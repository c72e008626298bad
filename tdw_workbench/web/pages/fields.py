"""The fields by which a table of variants is searched, sorted, grouped and filtered: those that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tdw.recipes.consistency.differences import values_of
from tdw.recipes.family import Family, VariantConfig

MOST_LISTED = 24
"""Values to check one by one; more numbers are chosen by a range."""


@dataclass(frozen=True)
class VariedField:
    """A field that is not the same in all variants of a table, with its values there, ascending."""

    name: str
    help: str
    choices: Sequence[Any]

    @property
    def listed(self) -> bool:
        """Whether its values are checked one by one."""
        return len(self.choices) <= MOST_LISTED or isinstance(self.choices[0], str)


def varied_fields(family: Family, configs: Sequence[VariantConfig]) -> list[VariedField]:
    """The fields in which configurations differ, in the family's order."""
    if not configs:
        return []
    found = (VariedField(field.name, field.help, values_of(field.name, configs)) for field in family.fields)
    return [field for field in found if len(field.choices) > 1]
