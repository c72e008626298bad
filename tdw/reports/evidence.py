"""Read what reports rest on: the tables of a study's variants, once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tdw.errors import NotFound
from tdw.making.comparison import compare
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.outcome import Outcome
from tdw.recipes.reading.evidence import HISTORY, Evidence, Row
from tdw.recipes.reading.variant_tables import VariantTables, read_tables
from tdw.statistics.censoring import placed_last
from tdw.store import Store, TableAddress

if TYPE_CHECKING:
    import pandas as pd


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
            histories[variant.key] = store.read_table(TableAddress(family.name, variant.key, HISTORY))
        except NotFound:
            continue
    last = family.default_epochs if last_epoch is None else last_epoch
    table = compare(family, variants, early_epoch=early_epoch)
    return make_evidence(
        table, variants, histories, outcome=family.outcome, early_epoch=early_epoch, last_epoch=last
    )


def make_evidence(
    table: pd.DataFrame,
    variants: Sequence[VariantTables],
    histories: Mapping[str, pd.DataFrame],
    *,
    outcome: Outcome | None,
    early_epoch: int,
    last_epoch: int,
) -> Evidence:
    """The evidence from tables that are read.

    Args:
        table: the comparison of these variants.
        variants: their summaries, in the order to show them.
        histories: key -> epoch, train loss and the family's metrics; those that are there.
        outcome: what the family's variants may reach.
        early_epoch: at which "early" is read.
        last_epoch: at which a variant is finished.
    """
    rows: list[Row] = []
    for variant, record in zip(variants, table.to_dict("records"), strict=True):
        history = {HISTORY: histories[variant.key]} if variant.key in histories else {}
        tables = {**variant.tables, **history}
        rows.append(_row(variant, record, tables, outcome, early_epoch=early_epoch, last_epoch=last_epoch))
    times = placed_last({row.key: (row.epoch, row.censored) for row in rows})
    return Evidence(
        table, tuple(rows), times, early_epoch=early_epoch, last_epoch=last_epoch, outcome=outcome
    )


def _row(
    variant: VariantTables,
    record: Mapping[Any, Any],
    tables: Mapping[str, pd.DataFrame],
    outcome: Outcome | None,
    *,
    early_epoch: int,
    last_epoch: int,
) -> Row:
    import pandas as pd

    numbers: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, str):
            continue
        numbers[str(name)] = math.nan if value is None or pd.isna(value) else float(value)
    columns = (outcome.reached, outcome.epoch, outcome.censored) if outcome else ("", "", "")
    reached, epoch, censored = (numbers.get(column, math.nan) for column in columns)
    return Row(
        config=variant.config,
        outcome=outcome,
        reached=None if math.isnan(reached) else bool(reached),
        epoch=epoch,
        censored=censored,
        finished=max(numbers["last_epoch"], -1 if math.isnan(censored) else censored) >= last_epoch,
        early_epoch=early_epoch,
        values=numbers,
        tables=tables,
        inputs=variant.fingerprints,
    )
