"""What a kind of claim judges by: the evidence, with measures and controls looked up in the family."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdw.markdown import show
from tdw.recipes.family import Family
from tdw.recipes.measures import Choices, Members, Number, Series
from tdw.recipes.reading.evidence import Evidence, Float64, Row
from tdw.study.claim_terms import Control, Limit, measures_of


@dataclass(frozen=True)
class Case:
    """The evidence on a study's variants, and the family that says how measures are read."""

    evidence: Evidence
    family: Family

    def number(self, name: str) -> Callable[[Row], float]:
        """How a number is read."""
        return self._measure(name, Number).read

    def series(self, name: str) -> Series:
        """A series by its name."""
        return self._measure(name, Series)

    def members(self, name: str) -> Members:
        """A set by its name."""
        return self._measure(name, Members)

    def choices(self, name: str) -> Choices:
        """What variants choose, by its name."""
        return self._measure(name, Choices)

    def label(self, name: str) -> str:
        """What sentences call a measure."""
        return measures_of(self.family)[name].label

    def _measure(self, name: str, wanted: type[Any]) -> Any:
        found = measures_of(self.family)[name]
        assert isinstance(found, wanted), name  # checked when the claim was read
        return found

    def values(self, name: str, rows: Sequence[Row]) -> dict[str, float]:
        """Key -> number, of the variants where it is known."""
        read = self.number(name)
        found = {row.key: read(row) for row in rows}
        return {key: value for key, value in found.items() if not math.isnan(value)}

    def limit(self, limit: Limit, row: Row) -> float:
        """A limit as a number of one variant."""
        return limit.share * self.number(limit.of)(row)

    def draws(self, control: Control | None, row: Row) -> Float64:
        """A control's values at its epoch (draws,), the observed run first; empty where there are none."""
        if control is None:
            return np.empty(0)
        epochs, values = self.family.controls[control.name].draws(row, control.series)
        at = epochs == row.epoch_at(control.at, epochs)
        return values[at][0] if at.any() else np.empty(0)

    def adjective(self, control: Control | None) -> str:
        """What the runs of a control are called, "" without a control."""
        return self.family.controls[control.name].adjective if control else ""

    def terms(self) -> dict[str, str]:
        """Words that every sentence may use."""
        return {"early": show(self.evidence.early_epoch), "last": show(self.evidence.last_epoch)}


def matching(rows: Sequence[Row], which: Mapping[str, Any] | None) -> list[Row]:
    """The variants with these values of fields; all for None."""
    return [
        row for row in rows if all(row.fields.get(name) == value for name, value in (which or {}).items())
    ]


def named(which: Mapping[str, Any]) -> str:
    """Values of fields for people: "p=101, seed=999"."""
    return ", ".join(f"{name}={value}" for name, value in which.items())
