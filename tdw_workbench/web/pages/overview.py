"""The first page: what there is of every variant, and where to look at it. A map: actions are Dagster's."""

from __future__ import annotations

import contextlib
import functools
import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import CorruptFile, NotFound, TdwError
from tdw.families import Family, all_families
from tdw.families.stored import stored_variants
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import Plot, Scope
from tdw.recipes.overview import OverviewColumn
from tdw.recipes.versions import recorded_spec_version
from tdw.store import Address, TableAddress
from tdw.store.layout import CHECKPOINTS, COMPARISON
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.coverage import Coverage, coverage
from tdw_workbench.web.data.sparkline import MOST_POINTS, Points, sparkline
from tdw_workbench.web.data.store_cache import Library
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.templates import render
from tdw_workbench.web.pages import report as reports

if TYPE_CHECKING:
    import pandas as pd

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
    """Every family's variants."""
    library: Library = request.app.state.library
    params.require_known(request, ("theme",))
    families = [(family, rows_of(library, family)) for family in all_families()]
    shown = [(family, rows) for family, rows in families if rows] or families[:1]
    dagster = library.settings.dagster_url
    return render(
        request,
        "overview.html",
        families=shown,
        comparisons={family.name: comparison_plots(library, family) for family, _ in shown},
        reported={family.name: reports.written(library.store, family.name) for family, _ in shown},
        last_epochs={family.name: _last_epoch(rows) for family, rows in shown},
        cell=cell,
        study_problem=library.study_problem,
        study_read=library.study is not None,
        study=library.study.name if library.study else "",
        assets=f"{dagster}/asset-groups",
        runs=f"{dagster}/runs",
    )


def warm(library: Library) -> None:
    """Read what the first page shows, in the background, so that its first visitor does not wait for it."""

    def read() -> None:
        with contextlib.suppress(TdwError, OSError):
            for family in all_families():
                rows_of(library, family)

    threading.Thread(target=read, name="tdw-warm", daemon=True).start()


def rows_of(library: Library, family: Family) -> list[Row]:
    """The study's variants in its order, then what else is in the store."""
    study = library.study
    planned = list(study.variant_keys) if study and study.family == family.name else []
    stored = stored_variants(library.store, family)
    with library.one_at_a_time:  # who comes while it is read for the first time waits, and finds it read
        return [row_of(library, family, key) for key in dict.fromkeys([*planned, *stored])]


def row_of(library: Library, family: Family, variant: str) -> Row:
    """What there is of one variant: file names and three small tables."""

    def table(name: str, view: Any) -> Any:
        return library.view_of_table(TableAddress(family.name, variant, name), view)

    return Row(
        variant=variant,
        trained=coverage(library, family.name, variant, kind=CHECKPOINTS),
        analyzed=[coverage(library, family.name, variant, kind=kind) for kind in kinds_of(library, family)],
        shown=[(column, table(column.table, view_of(column))) for column in family.overview],
        plots=[_link(library, family, variant, plot) for plot in plots_of(family, "variant")],
        asset=links.asset_page(library.settings.dagster_url, family.name, ("checkpoint",)),
    )


def kinds_of(library: Library, family: Family) -> tuple[str, ...]:
    """The analyzers that the study, or else the family, asks for."""
    study = library.study
    return (
        tuple(study.analyzers) if study and study.family == family.name else catalog_of(family).analyzer_names
    )


def comparison_plots(library: Library, family: Family) -> list[PlotLink]:
    """The plots over several variants."""
    return [_link(library, family, None, plot) for plot in plots_of(family, "comparison")]


def _link(library: Library, family: Family, variant: str | None, plot: Plot) -> PlotLink:
    manifest = library.store.plot_folder(family.name, variant, plot.name) / "manifest.json"
    href = f"/view/plot/{family.name}/{variant or COMPARISON}/{plot.name}"
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


def outdated(request: Request) -> Response:
    """How many analyzer outputs of a variant were made by other code or parameters than the study's, as JSON.

    Read from the header of every file, so it is asked for after the page is there.
    """
    library: Library = request.app.state.library
    params.require_known(request, ())
    family = params.family_of(request)
    variant = params.variant_of(request, library.store, family)
    study = library.study
    given = study.analyzer_parameters if study and study.family == family else {}
    declared = next(each for each in all_families() if each.name == family)
    counts = {}
    for kind in kinds_of(library, declared):
        expected = catalog_of(declared).spec_version(kind, given)
        made = _specs(library, family, variant, kind)
        stale = sum(count for spec, count in made.items() if spec != expected)
        if stale:
            counts[kind] = stale
    return JSONResponse({"out_of_date": counts}, headers={"Cache-Control": "no-cache"})


def _specs(library: Library, family: str, variant: str, kind: str) -> Counter[str]:
    """By what the files of a kind were computed: spec version -> how many; "" for unreadable ones."""

    def read() -> Counter[str]:
        return Counter(spec(epoch) for epoch in library.store.epochs(family, variant, kind))

    def spec(epoch: int) -> str:
        try:
            return recorded_spec_version(library.store.provenance(Address(family, variant, kind, epoch)))
        except (CorruptFile, NotFound, TdwError):
            return ""

    return library.by_folder(family, variant, kind, read)
