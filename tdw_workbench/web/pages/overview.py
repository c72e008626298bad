"""The first page: what there is of every variant, and where to look at it. A map: actions are Dagster's."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.analysis.registry import recorded_spec_version, spec_version
from tdw.errors import CorruptFile, NotFound, TdwError
from tdw.families import FAMILIES, Family
from tdw.recipes.figure import Plot
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
LOSS_RANGE = (1e-8, 1e1)
"""Heights of all test loss curves, in nats: they can be compared by eye."""


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
        grokking: "10,400", "no grok by 25,000" or "".
    """

    variant: str
    trained: Coverage
    analyzed: Sequence[Coverage]
    grokking: str
    loss: Curve | None
    coarseness: Curve | None
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
    families = [(family, rows_of(library, family)) for family in FAMILIES]
    shown = [(family, rows) for family, rows in families if rows] or families[:1]
    dagster = library.settings.dagster_url
    return render(
        request,
        "overview.html",
        families=shown,
        comparisons={family.name: comparison_plots(library, family) for family, _ in shown},
        reported={family.name: reports.written(library.store, family.name) for family, _ in shown},
        curve_of_loss=curve_of_loss,
        curve_of_coarseness=curve_of_coarseness,
        study_problem=library.study_problem,
        study=library.settings.study.name if library.settings.study else "",
        assets=f"{dagster}/asset-groups",
        runs=f"{dagster}/runs",
    )


def warm(library: Library) -> None:
    """Read what the first page shows, in the background, so that its first visitor does not wait for it."""

    def read() -> None:
        with contextlib.suppress(TdwError, OSError):
            for family in FAMILIES:
                rows_of(library, family)

    threading.Thread(target=read, name="tdw-warm", daemon=True).start()


def rows_of(library: Library, family: Family) -> list[Row]:
    """The study's variants in its order, then what else is in the store."""
    study = library.study
    planned = list(study.variant_keys) if study and study.family == family.name else []
    stored = library.store.variants(family.name)
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
        grokking=table("grokking", grokking_text) or "",
        loss=table("history", loss_curve),
        coarseness=table("coarseness", coarseness_curve),
        plots=[_link(library, family, variant, plot) for plot in library.plots["variant"].values()],
        asset=links.asset_page(library.settings.dagster_url, family.name, ("checkpoint",)),
    )


def kinds_of(library: Library, family: Family) -> tuple[str, ...]:
    """The analyzers that the study, or else the family, asks for."""
    study = library.study
    return tuple(study.analyzers) if study and study.family == family.name else family.analyzers


def comparison_plots(library: Library, family: Family) -> list[PlotLink]:
    """The plots over several variants."""
    return [_link(library, family, None, plot) for plot in library.plots["comparison"].values()]


def _link(library: Library, family: Family, variant: str | None, plot: Plot) -> PlotLink:
    manifest = library.store.plot_folder(family.name, variant, plot.name) / "manifest.json"
    href = f"/view/plot/{family.name}/{variant or COMPARISON}/{plot.name}"
    return PlotLink(plot, href, stamp(manifest) is not None)


def loss_curve(table: pd.DataFrame) -> Curve | None:
    """Test loss at the evaluated epochs."""
    return _curve(table["epoch"].to_numpy(), table["test_loss"].to_numpy(), skip_unknown=True)


def coarseness_curve(table: pd.DataFrame) -> Curve | None:
    """Mean coarseness of the neurons."""
    return _curve(table["epoch"].to_numpy(), table["mean_coarseness"].to_numpy())


def grokking_text(table: pd.DataFrame) -> str:
    """'10,400', or 'no grok by 25,000'."""
    row: Any = table.iloc[0]
    if bool(row["grokked"]):
        return f"{int(row['grokking_epoch']):,}"
    return f"no grok by {int(row['censored_at']):,}"


def _curve(epochs: Array, values: Array, *, skip_unknown: bool = False) -> Curve | None:
    """Few enough points for a small picture; a test loss is known at some epochs only, and that is no gap."""
    places = np.flatnonzero(~np.isnan(values)) if skip_unknown else np.arange(len(values))
    if not places.size:
        return None
    some = places[np.linspace(0, places.size - 1, min(places.size, MOST_POINTS)).round().astype(int)]
    points = list(zip(epochs[some].tolist(), values[some].tolist(), strict=True))
    return Curve(points, int(points[-1][0]), points[-1][1])


def curve_of_loss(row: Row, last: int) -> Markup:
    """The test loss as a picture."""
    curve = row.loss
    if curve is None:
        return Markup("")
    last_known = "unknown" if math.isnan(curve.last_value) else f"{curve.last_value:.2g} nats"
    label = f"test loss over epochs 0 to {curve.last_epoch:,}, logarithmic; last {last_known}"
    low, high = LOSS_RANGE
    return sparkline(curve.points, label=label, last=last, low=low, high=high, log=True)


def curve_of_coarseness(row: Row, last: int) -> Markup:
    """The mean coarseness as a picture."""
    curve = row.coarseness
    if curve is None:
        return Markup("")
    label = f"mean coarseness (0 to 1) over epochs 0 to {curve.last_epoch:,}; last {curve.last_value:.3f}"
    return sparkline(curve.points, label=label, last=last, low=0, high=1)


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
    declared = next(each for each in FAMILIES if each.name == family)
    counts = {}
    for kind in kinds_of(library, declared):
        expected = spec_version(kind, given)
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
