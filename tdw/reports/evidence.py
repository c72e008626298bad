"""What the verdicts rest on: the tables of a study's variants, read once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.association import grokking_times
from tdw.making.comparison import compare
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.variant_tables import VariantTables, read_tables
from tdw.reports.claims.finding import FEW, show
from tdw.store import Store, TableAddress

if TYPE_CHECKING:
    import pandas as pd

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One variant as the rules see it.

    Attributes:
        key, p, seed: of the variant.
        grokked: None where it is not known.
        epoch: grokking epoch, NaN for no grok.
        censored: last evaluated epoch of a variant that did not grok, else NaN.
        finished: trained to the study's last epoch.
        values: numeric columns of the comparison table.
    """

    key: str
    p: int
    seed: int
    grokked: bool | None
    epoch: float
    censored: float
    finished: bool
    values: Mapping[str, float]

    def get(self, name: str) -> float:
        """A number of the comparison table, NaN where there is none."""
        return self.values.get(name, math.nan)


def outcome(row: Row) -> str:
    """When a variant grokked, for people."""
    if row.grokked is None:
        return "not known yet"
    return show(row.epoch) if row.grokked else f"no grok by {show(row.censored)}"


def progress(row: Row) -> str:
    """How far a variant is trained, for people."""
    trained = row.get("last_epoch")
    return f"at epoch {show(trained)}" if trained >= 0 else "not begun"


def few(row: Row) -> float:
    """The number of neurons below which blobs are few: 1 % of all."""
    return FEW * row.get("num_neurons")


def is_later(one: Row, other: Row) -> bool | None:
    """Whether one variant groks later than another; None where censoring leaves it open, or for a tie."""
    if not math.isnan(one.epoch) and not math.isnan(other.epoch):
        return None if one.epoch == other.epoch else one.epoch > other.epoch
    if math.isnan(one.epoch) and one.censored >= other.epoch:
        return True
    if math.isnan(other.epoch) and other.censored >= one.epoch:
        return False
    return None


@dataclass(frozen=True)
class Evidence:
    """Tables of a study.

    Attributes:
        table: the comparison, one row a variant.
        variants: their summaries, in the same order.
        histories: key -> columns epoch, train_loss, test_loss, test_accuracy; those that are there.
        early_epoch: at which "early" is read.
        last_epoch: at which a variant is finished.
    """

    table: pd.DataFrame
    variants: tuple[VariantTables, ...]
    histories: Mapping[str, pd.DataFrame]
    early_epoch: int
    last_epoch: int

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The variants, in the study's order."""
        return tuple(_row(record, self.last_epoch) for record in self.table.to_dict("records"))

    @cached_property
    def times(self) -> dict[str, float]:
        """Key -> grokking epoch, infinity for no grok that is later than all; without the unplaced."""
        found = grokking_times(self.table)
        return dict(zip(found.variants, found.epochs, strict=True))

    @property
    def grokked(self) -> tuple[Row, ...]:
        """Variants that grokked."""
        return tuple(row for row in self.rows if row.grokked)

    @property
    def failed(self) -> tuple[Row, ...]:
        """Variants that were watched to the study's end and did not grok."""
        return tuple(row for row in self.rows if row.grokked is False and row.finished)

    @property
    def open(self) -> tuple[Row, ...]:
        """Variants of which it is not known whether they grok by the study's last epoch."""
        return tuple(row for row in self.rows if not row.grokked and not row.finished)

    def find(self, p: int, seed: int) -> Row | None:
        """The variant of a modulus and a seed."""
        return next((row for row in self.rows if (row.p, row.seed) == (p, seed)), None)

    def summary(self, key: str, name: str) -> pd.DataFrame | None:
        """A summary of a variant."""
        return next((v.get(name) for v in self.variants if v.key == key), None)

    def series(self, key: str, name: str, column: str) -> tuple[Float64, Float64]:
        """Epochs and a column of a summary or of "history", NaN rows left out; empty where there is none."""
        table = self.histories.get(key) if name == "history" else self.summary(key, name)
        if table is None or column not in table:
            return np.empty(0), np.empty(0)
        values = table[column].to_numpy(np.float64)
        known = ~np.isnan(values)
        return table["epoch"].to_numpy(np.float64)[known], values[known]

    def at(self, key: str, name: str, column: str, *, epoch: float) -> float:
        """A column at an epoch, NaN where there is none."""
        epochs, values = self.series(key, name, column)
        found = values[epochs == epoch]
        return float(found[0]) if len(found) else math.nan

    def labellings(self, key: str, column: str, *, pick: Callable[[Float64], float]) -> Float64:
        """A column of the relabelling control at one epoch, by labelling, the observed one first.

        Args:
            key: of the variant.
            column: "mean_coarseness" or "num_blob_neurons".
            pick: analyzed epochs -> the epoch to read, NaN for none.
        """
        table = self.summary(key, "relabelling")
        if table is None:
            return np.empty(0)
        epochs = table["epoch"].to_numpy(np.float64)
        return table[column].to_numpy(np.float64)[epochs == pick(np.unique(epochs))]


def first_from(epoch: float) -> Callable[[Float64], float]:
    """Picks the first analyzed epoch at or after one."""

    def pick(epochs: Float64) -> float:
        after = epochs[epochs >= epoch]
        return float(after[0]) if len(after) else math.nan

    return pick


def exactly(epoch: float) -> Callable[[Float64], float]:
    """Picks one epoch."""
    return lambda epochs: epoch


def last(epochs: Float64) -> float:
    """Picks the last analyzed epoch."""
    return float(epochs[-1]) if len(epochs) else math.nan


def read_evidence(
    store: Store,
    family: Family,
    configs: Sequence[VariantConfig],
    *,
    early_epoch: int = 1000,
    last_epoch: int | None = None,
) -> Evidence:
    """Read the summaries and histories of some variants.

    Args:
        store: where they are.
        family: of the variants.
        configs: of the variants, in the order to show them.
        early_epoch: at which "early" is read.
        last_epoch: of the study; None for the family's default.

    Raises:
        FingerprintMismatch, CorruptFile: each names the file or the differences.
    """
    variants = read_tables(store, family, configs)
    histories: dict[str, pd.DataFrame] = {}
    for variant in variants:
        try:
            histories[variant.key] = store.read_table(TableAddress(family.name, variant.key, "history"))
        except NotFound:
            continue
    return Evidence(
        table=compare(family, variants, early_epoch=early_epoch),
        variants=variants,
        histories=histories,
        early_epoch=early_epoch,
        last_epoch=family.default_epochs if last_epoch is None else last_epoch,
    )


def _row(record: Mapping[Any, Any], last_epoch: int) -> Row:
    import pandas as pd

    numbers: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, str):
            continue
        numbers[str(name)] = math.nan if value is None or pd.isna(value) else float(value)
    known = not math.isnan(numbers["grokked"])
    censored = numbers["censored_at"]
    return Row(
        key=str(record["variant"]),
        p=int(numbers.get("p", 0)),
        seed=int(numbers.get("seed", 0)),
        grokked=bool(numbers["grokked"]) if known else None,
        epoch=numbers["grokking_epoch"],
        censored=censored,
        finished=max(numbers["last_epoch"], -1 if math.isnan(censored) else censored) >= last_epoch,
        values=numbers,
    )
