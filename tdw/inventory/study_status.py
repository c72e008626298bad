"""The state of a whole study as plain values: what `tdw status` prints and programs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tdw.epochs import format_epochs
from tdw.inventory.cells import VariantGaps
from tdw.inventory.state import ProductStates
from tdw.inventory.wanted import Wanted
from tdw.study.extra_epochs import Choice


@dataclass(frozen=True)
class StudyStatus:
    """A study's state.

    Attributes:
        wanted: the cells, extra epochs included.
        choice, choice_due: the extra epochs in force, and whether they are to be chosen (again).
        gaps: variant -> its cells.
        failed: variant -> product -> epochs that failed when last tried.
        tables, comparison: tables and figures by variant, and those over all variants.
        busy: variants that are being worked on.
        foreign: partition keys that name no variant, and are ignored.
        asked: what automation asked for last, and why, in words; "" where it never did.
        waits: what automation leaves alone for now, and what it waits for.
    """

    wanted: Wanted
    choice: Choice | None
    choice_due: bool
    gaps: Mapping[str, VariantGaps]
    failed: Mapping[str, Mapping[str, list[int]]]
    tables: ProductStates
    comparison: ProductStates
    busy: frozenset[str]
    foreign: tuple[str, ...] = ()
    asked: str = ""
    waits: tuple[str, ...] = ()

    def states(self, variant: str) -> dict[str, str]:
        """Table or figure -> "done", "missing", "out_of_date" or "waiting" (for what it is made from)."""
        states = self.tables if variant else self.comparison
        return {each.product.name: each.state for each in states.by_variant.get(variant, ())}

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; epochs are written as `parse_epochs` reads them."""
        variants = {variant: self._variant(variant) for variant in self.gaps}
        return {
            "study": self.wanted.name,
            "family": self.wanted.family.name,
            "epochs": format_epochs(self.wanted.epochs),
            "adaptive": self._adaptive(),
            "complete": self.complete,
            "totals": {
                name: sum(variant["totals"][name] for variant in variants.values()) for name in _TOTALS
            },
            "variants": variants,
            "foreign_keys": list(self.foreign),
            "comparison": self.states(""),
            "automation": {"asked": self.asked, "waits": list(self.waits)},
        }

    @property
    def complete(self) -> bool:
        """Nothing is missing, unrecorded, out of date or to be chosen."""
        cells = [cells for of in self.gaps.values() for cells in of.cells.values()]
        tables = [each.state for each in (*self.tables.states, *self.comparison.states)]
        histories = [of.history is not None for of in self.gaps.values()]
        return (
            not self.choice_due
            and not any(each.to_fill(out_of_date=True) for each in cells)
            and all(state in ("done", "waiting") for state in tables)
            and all(histories)
        )

    def _adaptive(self) -> dict[str, Any] | None:
        """The extra epochs, which are among `epochs`, and whose losses they were chosen by."""
        if self.wanted.study.adaptive is None:
            return None
        return {
            "extra_epochs": format_epochs(self.wanted.extra),
            "chosen_by": list(self.choice.variants) if self.choice else [],
            "due": self.choice_due,
        }

    def _variant(self, variant: str) -> dict[str, Any]:
        failed = self.failed.get(variant, {})
        cells = {
            name: {
                "there": len(asset.recorded.keys() & self.wanted.epoch_set),
                "missing": format_epochs(asset.missing),
                "unrecorded": format_epochs(asset.unrecorded),
                "out_of_date": format_epochs(asset.out_of_date),
                "not_in_study": format_epochs(asset.orphaned),
                "failed": format_epochs(failed.get(name, [])),
            }
            for name, asset in self.gaps[variant].cells.items()
        }
        tables = self.states(variant)
        every = self.gaps[variant].cells.values()
        return {
            "busy": variant in self.busy,
            "history": self.gaps[variant].history is not None,
            "cells": cells,
            "tables_and_plots": tables,
            "totals": {
                "cells": len(self.wanted.epochs) * len(cells),
                "there": sum(len(asset.recorded.keys() & self.wanted.epoch_set) for asset in every),
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
