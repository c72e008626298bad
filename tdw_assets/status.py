"""The state of a whole study as plain values: what `tdw status` prints and programs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from tdw.epochs import format_epochs
from tdw.store import Store
from tdw_assets.automation.extra_epochs import Settled, look
from tdw_assets.automation.work_in_progress import find_busy
from tdw_assets.cells.failed import find_failed
from tdw_assets.cells.gaps import AssetGaps, VariantGaps, find_gaps
from tdw_assets.cells.partitions import foreign_keys, with_registered
from tdw_assets.cells.products import Standing, find_comparison_gaps, find_derived_gaps
from tdw_assets.cells.wanted import Grid


@dataclass(frozen=True)
class Survey:
    """A study's state.

    Attributes:
        settled: how the choice of extra epochs stands.
        gaps: variant -> its cells.
        failed: variant -> asset -> epochs that failed when last tried.
        derived, comparison: tables and plots by variant, and those over all variants.
        busy: variants that are being worked on.
        foreign: partition keys that name no variant, and are left aside.
    """

    grid: Grid
    settled: Settled
    gaps: Mapping[str, VariantGaps]
    failed: Mapping[str, Mapping[str, list[int]]]
    derived: Standing
    comparison: Standing
    busy: frozenset[str]
    foreign: tuple[str, ...] = ()

    @classmethod
    def take(cls, grid: Grid, instance: dg.DagsterInstance, store: Store) -> Survey:
        """Look at everything once; reads file names and event tags."""
        settled = look(with_registered(grid, instance), store)
        grid = settled.grid
        gaps = find_gaps(grid, instance, store)
        return cls(
            grid=grid,
            settled=settled,
            gaps=gaps,
            failed=find_failed(grid, instance, gaps),
            derived=find_derived_gaps(grid, instance, store, gaps),
            comparison=find_comparison_gaps(grid, instance, store),
            busy=find_busy(grid, instance).variants,
            foreign=foreign_keys(grid, instance),
        )

    def assets(self, variant: str) -> dict[str, AssetGaps]:
        """Asset name -> the variant's cells of it."""
        return {"checkpoint": self.gaps[variant].checkpoint, **self.gaps[variant].analyzers}

    def tables(self, variant: str) -> dict[str, str]:
        """Table or plot -> "done", "missing", "out_of_date" or "waiting" (for what it is made from)."""
        standing = self.derived if variant else self.comparison
        return {gap.asset.name: gap.state for gap in standing.gaps if gap.variant == variant}

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; epochs are written as `parse_epochs` reads them."""
        variants = {variant: self._variant(variant) for variant in self.gaps}
        return {
            "study": self.grid.name,
            "family": self.grid.family.name,
            "epochs": format_epochs(self.grid.epochs),
            "adaptive": self._adaptive(),
            "complete": self.complete,
            "totals": {
                name: sum(variant["totals"][name] for variant in variants.values()) for name in _TOTALS
            },
            "variants": variants,
            "foreign_keys": list(self.foreign),
            "comparison": self.tables(""),
        }

    @property
    def complete(self) -> bool:
        """Nothing is missing, unrecorded, out of date or to be chosen."""
        cells = [asset for variant in self.gaps for asset in self.assets(variant).values()]
        tables = [gap.state for gap in (*self.derived.gaps, *self.comparison.gaps)]
        histories = [of.history is not None for of in self.gaps.values()]
        return (
            not self.settled.due
            and not any(asset.to_fill(out_of_date=True) for asset in cells)
            and all(state in ("done", "waiting") for state in tables)
            and all(histories)
        )

    def _adaptive(self) -> dict[str, Any] | None:
        """The extra epochs, which are among `epochs`, and whose losses they were chosen by."""
        settled = self.settled
        if self.grid.study.adaptive is None:
            return None
        return {
            "extra_epochs": format_epochs(self.grid.extra),
            "chosen_by": list(settled.choice.variants) if settled.choice else [],
            "due": settled.due,
        }

    def _variant(self, variant: str) -> dict[str, Any]:
        failed = self.failed.get(variant, {})
        cells = {
            name: {
                "there": len(asset.recorded.keys() & self.grid.epoch_set),
                "missing": format_epochs(asset.missing),
                "unrecorded": format_epochs(asset.unrecorded),
                "out_of_date": format_epochs(asset.out_of_date),
                "not_in_study": format_epochs(asset.orphaned),
                "failed": format_epochs(failed.get(name, [])),
            }
            for name, asset in self.assets(variant).items()
        }
        tables = self.tables(variant)
        every = self.assets(variant).values()
        return {
            "busy": variant in self.busy,
            "history": self.gaps[variant].history is not None,
            "cells": cells,
            "tables_and_plots": tables,
            "totals": {
                "cells": len(self.grid.epochs) * len(cells),
                "there": sum(cell["there"] for cell in cells.values()),
                "missing": sum(len(asset.missing) for asset in every),
                "unrecorded": sum(len(asset.unrecorded) for asset in every),
                "out_of_date": sum(len(asset.out_of_date) for asset in every),
                "failed": sum(map(len, failed.values())),
                "tables_and_plots": len(tables),
                "tables_and_plots_done": sum(state == "done" for state in tables.values()),
            },
        }


_TOTALS = (
    "cells",
    "there",
    "missing",
    "unrecorded",
    "out_of_date",
    "failed",
    "tables_and_plots",
    "tables_and_plots_done",
)
