"""A row of the first page: what there is of a variant, its small curves, and what is done with it now."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from tdw.families import Family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import Plot, Scope
from tdw.recipes.overview import OverviewColumn
from tdw.store import TableAddress
from tdw.store.layout import CHECKPOINTS
from tdw.training.records import HISTORY
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.coverage import Coverage, coverages
from tdw_workbench.web.data.now import Now
from tdw_workbench.web.data.sparkline import MOST_POINTS, sparkline
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links

if TYPE_CHECKING:
    import pandas as pd

    from tdw.study import Study
    from tdw.training.live import Running

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Curve:
    """A series over epochs, thinned, and its last known value."""

    points: tuple[tuple[float, float], ...]
    last_epoch: int
    last_value: float


@dataclass(frozen=True)
class PlotLink:
    """A plot of the first page: `there` once it was materialized."""

    plot: Plot
    href: str
    there: bool


@dataclass(frozen=True)
class Row:
    """One variant.

    Attributes:
        trained, analyzed: what is there; `cells` and `wanted` count analyzer outputs over all kinds.
        shown: of each column of the family, its words or its curve; None where there is nothing yet.
        now: what is done with it; None for nothing.
    """

    variant: str
    trained: Coverage
    analyzed: Sequence[Coverage]
    shown: Sequence[tuple[OverviewColumn, str | Curve | None]]
    plots: Sequence[PlotLink]
    asset: str
    now: Now | None = None

    @property
    def cells(self) -> int:
        """Analyzer outputs that are there."""
        return sum(each.scheduled - len(each.missing) for each in self.analyzed)

    @property
    def wanted(self) -> int:
        """Analyzer outputs that the schedule wants."""
        return sum(each.scheduled for each in self.analyzed)

    @property
    def gaps(self) -> list[str]:
        """A line for each kind that lacks epochs."""
        return [each.note for each in (self.trained, *self.analyzed) if each.note]

    @property
    def state(self) -> str:
        """One word, for people and for the style: complete, gaps, training or empty."""
        if not self.trained.there:
            return "empty"
        return "gaps" if self.gaps else "complete"

    @property
    def said(self) -> str:
        """The state, for people."""
        return {"complete": "complete", "gaps": "has gaps", "empty": "not trained"}[self.state]

    @property
    def words(self) -> list[str]:
        """What its cells say, from the second on, in the order of the table; no lists, and "" for a curve."""
        now = self.now
        state = (now.words, now.text, now.stopped) if now else (self.said,)
        trained = self.trained.scheduled - len(self.trained.missing)
        return [
            " ".join(filter(None, state)),
            f"{trained} / {self.trained.scheduled}",
            f"{self.cells} / {self.wanted}",
            *(shown if isinstance(shown, str) else "" for _, shown in self.shown),
        ]


def row_of(
    library: StoreCache, family: Family, variant: str, study: Study | None = None, *, now: Now | None = None
) -> Row:
    """What there is of one variant: file names and small tables; while it trains, its history so far."""
    kinds = coverages(library, family.name, variant, study=study)
    running = library.running(family.name, variant) if now and now.stage == "train" else None
    so_far = None if running is None else running.table()

    def table(name: str, view: Any) -> Any:
        if name == HISTORY and so_far is not None:
            return view(so_far)
        return library.view_of_table(TableAddress(family.name, variant, name), view)

    return Row(
        variant=variant,
        trained=kinds[CHECKPOINTS],
        analyzed=[found for kind, found in kinds.items() if kind != CHECKPOINTS],
        shown=[(column, table(column.table, view_of(column))) for column in family.overview],
        plots=[
            link
            for plot in plots_of(family, "variant")
            if (link := link_of(library, family, variant, plot)).there
            or not catalog_of(family).switched_off(plot, kinds)
        ],
        asset=links.asset_page(library.settings.dagster_url, study, ("checkpoint",)),
        now=_with_epochs(now, running) if now and running else now,
    )


def _with_epochs(now: Now, running: Running) -> Now:
    """How far a training is, as its history so far tells it."""
    _, _, text = str(running).partition(", ")
    return replace(now, text=text, fraction=running.epoch / max(1, running.last_epoch))


def link_of(library: StoreCache, family: Family, where: str, plot: Plot) -> PlotLink:
    """Where a plot of a variant, or of the folder of a study, is looked at."""
    manifest = library.manifest(family.name, where, plot.name)
    href = f"/view/plot/{family.name}/{where}/{plot.name}"
    return PlotLink(plot, href, stamp(manifest) is not None)


def plots_of(family: Family, scope: Scope) -> list[Plot]:
    """The plots of a family that are of one variant, or over several."""
    return [plot for plot in catalog_of(family).plots if plot.scope == scope]


@functools.cache
def view_of(column: OverviewColumn) -> Callable[[pd.DataFrame], str | Curve | None]:
    """How a column is read from its table; the same object each time, since views are cached by it."""

    def view(table: pd.DataFrame) -> str | Curve | None:
        if column.text is not None:
            return column.text(table)
        return _thin(*column.curve(table)) if column.curve else None

    return view


def _thin(epochs: Array, values: Array) -> Curve | None:
    """Few enough points for a small picture."""
    if not len(values):
        return None
    some = np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).round().astype(int)
    points = tuple(zip(epochs[some].tolist(), values[some].tolist(), strict=True))
    return Curve(points, int(points[-1][0]), points[-1][1])


def last_epoch(rows: Sequence[Row], study: Study | None) -> int:
    """The right edge of all curves: the study's last epoch, or theirs where that is later."""
    curves = [shown for row in rows for _, shown in row.shown if isinstance(shown, Curve)]
    return max([curve.last_epoch for curve in curves] + [study.epochs if study else 1])


@functools.lru_cache(maxsize=4096)
def cell(column: OverviewColumn, shown: str | Curve | None, last: int) -> Markup | str:
    """A cell of the table: words, or a curve as a picture. Kept: most curves of a long table stand still."""
    if not isinstance(shown, Curve):
        return shown or "–"
    value = "unknown" if math.isnan(shown.last_value) else f"{shown.last_value:.3g} {column.unit}".strip()
    label = f"{column.title} over epochs 0 to {shown.last_epoch:,} ({column.note}); last {value}"
    return sparkline(shown.points, label=label, last=last, low=column.low, high=column.high, log=column.log)
