"""Variants that a person chose, side by side: what differs in them, what came out, the family's figures.

Nothing is stored and nothing of a study is touched: everything is computed from the variants' own tables, by
the functions that make a study's comparison. The page `/tdw/view/compare` and `Workbench.compare` are this.
"""

# Plotly ships no types.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.errors import BadConfig
from tdw.html_repr import html_table
from tdw.making.figures import Drawn, chosen_figure
from tdw.recipes.catalog import catalog_of
from tdw.recipes.consistency.differences import Side, alike, differing, grouped, sides_of, values_of, written
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.figure import Plot
from tdw.recipes.reading.evidence import Evidence, Row
from tdw.recipes.reading.reader import Beside
from tdw.reports.comparison_report import ComparisonReport, compare_groups, comparison_report, quantities_of
from tdw.reports.evidence import read_evidence
from tdw.store import Store

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MOST_NAMED = 8


@dataclass(frozen=True)
class Chosen:
    """Some variants of one family, as they are stored now.

    Attributes:
        store: where their tables are.
        family: of the variants.
        sides: what stands side by side: variants, or groups of them; each is named by all that differs.
        early_epoch: at which "early" is read.
        last_epoch: at which a variant is finished; None for the family's default.
        known: the tables of these variants where they were read already, in any order.
    """

    store: Store = field(repr=False)
    family: Family = field(repr=False)
    sides: tuple[Side, ...]
    early_epoch: int = 1000
    last_epoch: int | None = None
    known: Evidence | None = field(default=None, repr=False)

    @property
    def configs(self) -> tuple[VariantConfig, ...]:
        """Of all variants, side by side."""
        return tuple(config for side in self.sides for config in side.configs)

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all variants, side by side."""
        return tuple(config.key for config in self.configs)

    @property
    def title(self) -> str:
        """The names of the sides, each with everything in which it differs; of many their number."""
        if len(self.sides) > _MOST_NAMED:
            return f"{len(self.sides)} {'variants' if len(self.keys) == len(self.sides) else 'groups'}"
        return " and ".join(side.name for side in self.sides)

    @property
    def alike(self) -> dict[str, Any]:
        """Field -> its value, of the fields that are the same in all variants."""
        return alike(self.family, self.configs)

    @property
    def settings(self) -> pd.DataFrame:
        """A row per field that is not the same in all variants, a column per side: its values there."""
        import pandas as pd

        same = self.alike
        varied = [field.name for field in self.family.fields if field.name not in same]
        values = {
            side.name: [written(values_of(name, side.configs)) for name in varied] for side in self.sides
        }
        return pd.DataFrame(values, index=pd.Index(varied, name="field"))

    @property
    def within(self) -> tuple[str, ...]:
        """Fields that vary inside the sides but not between them, such as seeds."""
        between = differing(self.family, [side.configs for side in self.sides])
        return tuple(name for name in map(str, self.settings.index) if name not in between)

    @cached_property
    def evidence(self) -> Evidence:
        """The variants' tables. Raises FingerprintMismatch for those that were not computed alike."""
        if self.known is not None:
            return self.known
        return read_evidence(
            self.store, self.family, self.configs, early_epoch=self.early_epoch, last_epoch=self.last_epoch
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row per variant (S5)."""
        return self.evidence.table

    @property
    def associations(self) -> pd.DataFrame | None:
        """The family's table of associations over these variants; None for a family without."""
        of = self.family.comparison
        return of.associate(self.table) if of and of.associate else None

    @property
    def numbers(self) -> pd.DataFrame:
        """A row per quantity and side.

        Columns quantity, label, side, n (variants that have it), none (variants without the outcome, which
        are not in the mean), mean, low, high, and p_value: of the exact rank test between two sides of
        several variants each, else NaN.
        """
        import pandas as pd

        rows = [self._rows(side) for side in self.sides]
        found: list[dict[str, Any]] = []
        tests = self._tests(rows)
        for quantity in quantities_of(self.family):
            for side, of in zip(self.sides, rows, strict=True):
                values = self._values(of, quantity.column)
                known = [value for value in values if math.isfinite(value)]
                found.append(
                    {
                        "quantity": quantity.column,
                        "label": quantity.label,
                        "side": side.name,
                        "n": len(known),
                        "none": len(values) - len(known),
                        "mean": float(np.mean(known)) if known else math.nan,
                        "low": min(known, default=math.nan),
                        "high": max(known, default=math.nan),
                        "p_value": tests.get(quantity.column, math.nan),
                    }
                )
        columns = ["quantity", "label", "side", "n", "none", "mean", "low", "high", "p_value"]
        return pd.DataFrame(found, columns=columns)

    @property
    def plots(self) -> tuple[Plot, ...]:
        """The family's figures over variants."""
        return tuple(plot for plot in catalog_of(self.family).plots if plot.scope == "comparison")

    def draw(self, name: str) -> Drawn:
        """One of `plots` over these variants, with its data; sides of several variants are its groups.

        Raises:
            BadConfig: the family has no such figure; lists those that it has.
            NotFound: no variant has what the figure needs.
        """
        several = any(len(side.configs) > 1 for side in self.sides)
        groups = {key: side.name for side in self.sides for key in side.keys} if several else {}
        beside = Beside(self.table, groups)
        return chosen_figure(self.store, self.family, name, variants=self.keys, beside=beside)

    def plot(self, name: str) -> go.Figure:
        """The interactive figure; see `draw`."""
        return self.draw(name).figure

    def report(self) -> ComparisonReport:
        """The comparison report (R2) of two sides. Raises BadConfig where there are more or fewer."""
        if len(self.sides) != 2:
            raise BadConfig(
                f"a comparison report is of two sides, not of {len(self.sides)}",
                "name two variants or two lists, or group by a field with two values",
            )
        first, second = self.sides
        return comparison_report(
            self.store,
            self.family,
            first.configs,
            second.configs,
            early_epoch=self.early_epoch,
            last_epoch=self.last_epoch,
        )

    def _rows(self, side: Side) -> list[Row]:
        return [row for row in self.evidence.rows if row.key in side.keys]

    def _values(self, rows: Sequence[Row], name: str) -> list[float]:
        """A quantity of some variants, infinity for an outcome later than all; without the unknown."""
        event = self.evidence.outcome
        is_epoch = event is not None and name == event.epoch
        found = [self.evidence.times.get(r.key, math.nan) if is_epoch else r.get(name) for r in rows]
        return [value for value in found if not math.isnan(value)]

    def _tests(self, rows: Sequence[Sequence[Row]]) -> dict[str, float]:
        if len(rows) != 2 or min(len(of) for of in rows) < 2:
            return {}
        found = compare_groups(self.evidence, self.family, rows[0], rows[1])
        return {each.name: each.test.p_value for each in found if min(len(each.first), len(each.second)) > 1}

    def _repr_html_(self) -> str:
        if len(self.sides) == 2:
            return self.report()._repr_html_()  # pyright: ignore[reportPrivateUsage]
        settings = self.settings
        rows = [(name, *row) for name, row in zip(settings.index, settings.to_numpy(str), strict=True)]
        columns = ("differs", *(side.name for side in self.sides))
        return html_table(f"{len(self.keys)} variants side by side", rows, columns=columns)


def choose(
    store: Store,
    family: Family,
    groups: Sequence[Sequence[VariantConfig]],
    *,
    by: Sequence[str] = (),
    early_epoch: int = 1000,
    last_epoch: int | None = None,
) -> Chosen:
    """Variants side by side.

    Args:
        store: where their tables are.
        family: of the variants.
        groups: two or more to stand side by side; or one, whose variants are grouped by `by`, or stand each
            by itself.
        by: fields of the family.
        early_epoch, last_epoch: see `Chosen`.

    Raises:
        BadConfig: no variant, one twice, a field that is not there, or fields together with several groups.
    """
    configs = [config for group in groups for config in group]
    keys = [config.key for config in configs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice or not all(groups) or not keys:
        what = f"{twice[0]} is named twice" if twice else "there is no variant to compare, or an empty group"
        raise BadConfig(what, "name at least one variant on every side, each once")
    if by and len(groups) > 1 and any(len(group) > 1 for group in groups):
        raise BadConfig(
            f"groups are given, and fields to group by: {', '.join(by)}", "give one list, or leave `by` out"
        )
    one = len(groups) == 1 or bool(by)
    sides = grouped(family, configs, by) if one else sides_of(family, groups)
    return Chosen(store, family, sides, early_epoch, last_epoch)
