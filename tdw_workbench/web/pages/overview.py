"""The first page: the state of every variant, with links. Read-only: actions are started in Dagster."""

from __future__ import annotations

import contextlib
import functools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from tdw.errors import TdwError
from tdw.families import Family, all_families
from tdw.families.stored import stored_variants
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import Plot, Scope
from tdw.recipes.overview import OverviewColumn
from tdw.store import TableAddress
from tdw.store.layout import CHECKPOINTS, COMPARISON
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.coverage import Coverage, coverages
from tdw_workbench.web.data.sparkline import MOST_POINTS, Points, sparkline
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.templates import render
from tdw_workbench.web.pages import report as reports

if TYPE_CHECKING:
    import pandas as pd

    from tdw.reports.registry import ReportAsset
    from tdw.study import Study

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Curve:
    """A series over epochs, thinned, and its last known value."""

    points: Points
    last_epoch: int
    last_value: float


@dataclass(frozen=True)
class PlotLink:
    """A plot of the first page: `there` once it was materialized."""

    plot: Plot
    href: str
    there: bool


@dataclass(frozen=True)
class Section:
    """A table of the first page.

    Attributes:
        study: None for what is in the store and in no study.
        folder: of its plots over variants and its reports.
        last_epoch: the right edge of all curves.
    """

    study: Study | None
    family: Family
    folder: str
    rows: Sequence[Row]
    comparisons: Sequence[PlotLink]
    reports: Sequence[ReportAsset]
    last_epoch: int

    @property
    def name(self) -> str:
        """Of the study; that of the family for what is in none."""
        return self.study.name if self.study else f"other-{self.family.name}"


@dataclass(frozen=True)
class Row:
    """One variant.

    Attributes:
        trained, analyzed: what is there; `cells` and `wanted` count analyzer outputs over all kinds.
        shown: of each column of the family, its words or its curve; None where there is nothing yet.
    """

    variant: str
    trained: Coverage
    analyzed: Sequence[Coverage]
    shown: Sequence[tuple[OverviewColumn, str | Curve | None]]
    plots: Sequence[PlotLink]
    asset: str

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


def page(request: Request) -> Response:
    """Every study's variants, and what else is in the store."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ("theme",))
    dagster = library.settings.dagster_url
    return render(
        request,
        "overview.html",
        sections=sections_of(library),
        cell=cell,
        sensor=functools.partial(links.sensor_page, dagster),
        study_problem=library.study_problem,
        study_read=bool(library.studies),
        assets=f"{dagster}/asset-groups",
        runs=f"{dagster}/runs",
    )


def warm(library: StoreCache) -> None:
    """Read what the first page shows, in the background, so that its first visitor does not wait for it."""

    def read() -> None:
        with contextlib.suppress(TdwError, OSError):
            sections_of(library)

    threading.Thread(target=read, name="tdw-warm", daemon=True).start()


def sections_of(library: StoreCache) -> list[Section]:
    """The studies in their order, each with its variants in its own; then what else is in the store.

    Variants of no study stand with the only study of their family, as they do that were added in Dagster.
    """
    found: list[Section] = []
    with library.one_at_a_time:  # who comes while it is read for the first time waits, and finds it read
        for family in dict.fromkeys(
            [*(study.family_declaration for study in library.studies), *all_families()]
        ):
            studies = [study for study in library.studies if study.family == family.name]
            listed = [key for study in studies for key in study.variant_keys]
            rest = [key for key in stored_variants(library.store, family) if key not in listed]
            for study in studies:
                more = rest if len(studies) == 1 else []
                found.append(_section(library, family, study, [*study.variant_keys, *more]))
            if rest and len(studies) != 1:
                found.append(_section(library, family, None, rest))
    return found or [_section(library, all_families()[0], None, [])]


def _section(library: StoreCache, family: Family, study: Study | None, variants: Sequence[str]) -> Section:
    rows = [row_of(library, family, key, study) for key in variants]
    folder = library.store.where_compared(family.name, study.folder if study else COMPARISON)
    return Section(
        study,
        family,
        folder,
        rows,
        [_link(library, family, folder, plot) for plot in plots_of(family, "comparison")],
        reports.written(library.store, family.name, folder),
        _last_epoch(rows),
    )


def row_of(library: StoreCache, family: Family, variant: str, study: Study | None = None) -> Row:
    """The state of one variant, from file names and three small tables."""
    kinds = coverages(library, family.name, variant, study=study)

    def table(name: str, view: Any) -> Any:
        return library.view_of_table(TableAddress(family.name, variant, name), view)

    return Row(
        variant=variant,
        trained=kinds[CHECKPOINTS],
        analyzed=[found for kind, found in kinds.items() if kind != CHECKPOINTS],
        shown=[(column, table(column.table, view_of(column))) for column in family.overview],
        plots=[_link(library, family, variant, plot) for plot in plots_of(family, "variant")],
        asset=links.asset_page(library.settings.dagster_url, study, ("checkpoint",)),
    )


def _link(library: StoreCache, family: Family, where: str, plot: Plot) -> PlotLink:
    manifest = library.store.document_folder(family.name, where, plot.name) / "manifest.json"
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
    points = list(zip(epochs[some].tolist(), values[some].tolist(), strict=True))
    return Curve(points, int(points[-1][0]), points[-1][1])


def _last_epoch(rows: Sequence[Row]) -> int:
    """The right edge of all curves."""
    curves = [shown for row in rows for _, shown in row.shown if isinstance(shown, Curve)]
    return max((curve.last_epoch for curve in curves), default=1)


def cell(column: OverviewColumn, shown: str | Curve | None, last: int) -> Markup | str:
    """A cell of the table: words, or a curve as a picture."""
    if not isinstance(shown, Curve):
        return shown or "–"
    value = "unknown" if math.isnan(shown.last_value) else f"{shown.last_value:.3g} {column.unit}".strip()
    label = f"{column.title} over epochs 0 to {shown.last_epoch:,} ({column.note}); last {value}"
    return sparkline(shown.points, label=label, last=last, low=column.low, high=column.high, log=column.log)
