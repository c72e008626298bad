"""What claims, controls, report sections and printed figures read: the tables of a study's variants.

Values only. Reading them from a store is `tdw.reports.evidence`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from tdw.drawing.crowd import is_crowd
from tdw.markdown import show
from tdw.recipes.family import VariantConfig, base_key, fields_of
from tdw.recipes.outcome import Outcome

if TYPE_CHECKING:
    import pandas as pd

Float64 = npt.NDArray[np.float64]
At = Literal["early", "outcome", "last"]
"""An analyzed epoch of a variant: the study's early epoch, the first from its outcome on, or the last."""

HISTORY = "history"


@dataclass(frozen=True)
class Row:
    """One variant as claims see it.

    Attributes:
        config: of the variant.
        outcome: what the family's variants may reach; None for a family without an outcome.
        reached: whether the variant reached the outcome; None where it is not known.
        epoch: of the outcome, NaN where it was not reached.
        censored: last evaluated epoch of a variant that did not reach the outcome, else NaN.
        finished: trained to the study's last epoch.
        early_epoch: at which "early" is read.
        values: numeric columns of the comparison table.
        tables: summary name -> table, and "history"; those that are there.
        inputs: summary name -> hash of what it was made from.
    """

    config: VariantConfig
    outcome: Outcome | None
    reached: bool | None
    epoch: float
    censored: float
    finished: bool
    early_epoch: int
    values: Mapping[str, float] = field(repr=False)
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    inputs: Mapping[str, str] = field(repr=False)

    @property
    def key(self) -> str:
        """The variant's key."""
        return self.config.key

    @property
    def base_key(self) -> str:
        """The key that its replicates share."""
        return base_key(self.config)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The variant's configuration, by field; also those that its record leaves out at the default."""
        return fields_of(self.config)

    def get(self, name: str) -> float:
        """A number of the comparison table, NaN where there is none."""
        return self.values.get(name, math.nan)

    def series(self, name: str, column: str) -> tuple[Float64, Float64]:
        """Epochs and a column of a table, NaN rows left out; empty where there is none."""
        table = self.tables.get(name)
        if table is None or column not in table:
            return np.empty(0), np.empty(0)
        values = table[column].to_numpy(np.float64)
        known = ~np.isnan(values)
        return table["epoch"].to_numpy(np.float64)[known], values[known]

    def at(self, name: str, column: str, *, epoch: float) -> float:
        """A column of a table at an epoch, NaN where there is none."""
        epochs, values = self.series(name, column)
        found = values[epochs == epoch]
        return float(found[0]) if len(found) else math.nan

    def epoch_at(self, at: At, epochs: Float64) -> float:
        """Which of some ascending epochs is meant by `at`; NaN for none."""
        if at == "early":
            return self.early_epoch
        found = epochs[epochs >= self.epoch] if at == "outcome" else epochs[-1:]
        return float(found[0]) if len(found) else math.nan


@dataclass(frozen=True)
class Evidence:
    """The variants of a study.

    Attributes:
        table: the comparison, one row per variant.
        rows: the same variants, in the study's order.
        times: key -> epoch of the outcome, infinity for none that is later than all; without the unplaced.
        early_epoch: at which "early" is read.
        last_epoch: at which a variant is finished.
        outcome: what the family's variants may reach; None for a family without an outcome.
    """

    table: pd.DataFrame
    rows: tuple[Row, ...]
    times: Mapping[str, float]
    early_epoch: int
    last_epoch: int
    outcome: Outcome | None

    @property
    def keys(self) -> list[str]:
        """The variants' keys."""
        return [row.key for row in self.rows]

    @cached_property
    def by_base(self) -> dict[str, tuple[Row, ...]]:
        """Base key -> its replicates, in the study's order."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.base_key, []).append(row)
        return {key: tuple(rows) for key, rows in found.items()}

    @property
    def replicated(self) -> bool:
        """Whether a base variant has several runs."""
        return len(self.by_base) < len(self.rows)

    @property
    def crowded(self) -> bool:
        """Whether figures show groups in place of single runs."""
        return is_crowd(runs=len(self.rows), bases=len(self.by_base))

    def of(self, rows: Sequence[Row]) -> Evidence:
        """The evidence on some of the variants alone."""
        keys = {row.key for row in rows}
        return Evidence(
            table=self.table[self.table["variant"].isin(keys)].reset_index(drop=True),
            rows=tuple(rows),
            times={key: epoch for key, epoch in self.times.items() if key in keys},
            early_epoch=self.early_epoch,
            last_epoch=self.last_epoch,
            outcome=self.outcome,
        )

    @property
    def outcomes(self) -> dict[str, float]:
        """Key -> epoch of the outcome, of the variants that reached it."""
        return {row.key: row.epoch for row in self.reached}

    def series(self, name: str, column: str) -> dict[str, tuple[Float64, Float64]]:
        """Key -> epochs and a column of a table, of every variant; empty arrays where there is none."""
        return {row.key: row.series(name, column) for row in self.rows}

    @property
    def reached(self) -> tuple[Row, ...]:
        """Variants that reached the outcome."""
        return tuple(row for row in self.rows if row.reached)

    @property
    def failed(self) -> tuple[Row, ...]:
        """Variants that were watched to the study's end and did not reach the outcome."""
        return tuple(row for row in self.rows if row.reached is False and row.finished)

    @property
    def open(self) -> tuple[Row, ...]:
        """Variants of which it is not known whether they reach the outcome by the study's last epoch."""
        return tuple(row for row in self.rows if not row.reached and not row.finished)

    @property
    def inputs(self) -> dict[str, str]:
        """ "<variant>/<summary>" -> hash of what that was made from, for a provenance."""
        return {f"{row.key}/{name}": found for row in self.rows for name, found in row.inputs.items()}


def outcome(row: Row) -> str:
    """When a variant reached the outcome, for people."""
    if row.reached is None or row.outcome is None:
        return "not known yet"
    return show(row.epoch) if row.reached else f"{row.outcome.none} by {show(row.censored)}"


def progress(row: Row) -> str:
    """How far a variant is trained, for people."""
    trained = row.get("last_epoch")
    return f"at epoch {show(trained)}" if trained >= 0 else "not begun"


def is_later(one: Row, other: Row) -> bool | None:
    """Whether one variant's outcome is later than another's; None for a tie or where it is open."""
    if not math.isnan(one.epoch) and not math.isnan(other.epoch):
        return None if one.epoch == other.epoch else one.epoch > other.epoch
    if math.isnan(one.epoch) and one.censored >= other.epoch:
        return True
    if math.isnan(other.epoch) and other.censored >= one.epoch:
        return False
    return None
