"""The first page: the state of every variant, with links. Read-only: actions are started in Dagster."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from tdw.errors import TdwError
from tdw.families import Family, all_families, get_family
from tdw.families.stored import stored_variants
from tdw.recipes.family import VariantConfig
from tdw.store.layout import COMPARISON
from tdw_workbench.web.data.now import Now, work_now
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.templates import render
from tdw_workbench.web.pages import report as reports
from tdw_workbench.web.pages.fields import VariedField, varied_fields
from tdw_workbench.web.pages.rows import PlotLink, Row, cell, last_epoch, link_of, plots_of, row_of

if TYPE_CHECKING:
    from tdw.reports.registry import ReportAsset
    from tdw.study import Study


MANY = 24
"""Of more variants, the plots are named on each one's page alone: they are most of a long table."""


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

    @functools.cached_property
    def varied(self) -> list[VariedField]:
        """The fields in which its variants differ, in the family's order."""
        return varied_fields(self.family, self._configs)

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """Key -> name -> value, of those fields."""
        names = [field.name for field in self.varied]
        return {config.key: {name: getattr(config, name) for name in names} for config in self._configs}

    @functools.cached_property
    def _configs(self) -> list[VariantConfig]:
        return [self.family.parse_variant(row.variant) for row in self.rows]


def page(request: Request) -> Response:
    """Every study's variants, and what else is in the store."""
    library: StoreCache = request.app.state.library
    # What is shown and chosen is read by the page's script.
    params.require_known(request, ("theme", "show", "chosen"))
    dagster = library.settings.dagster_url
    return render(
        request,
        "overview.html",
        sections=sections_of(library),
        MANY=MANY,
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
    now = work_now(library)
    with library.one_at_a_time:  # who comes while it is read for the first time waits, and finds it read
        for family in dict.fromkeys(
            [*(study.family_declaration for study in library.studies), *all_families()]
        ):
            studies = [study for study in library.studies if study.family == family.name]
            listed = [key for study in studies for key in library.known_variants(study)]
            rest = [key for key in stored_variants(library.store, family) if key not in listed]
            for study in studies:
                more = rest if len(studies) == 1 else []
                found.append(_section(library, family, study, [*library.known_variants(study), *more], now))
            if rest and len(studies) != 1:
                found.append(_section(library, family, None, rest, now))
    return found or [_section(library, all_families()[0], None, [])]


def _section(
    library: StoreCache,
    family: Family,
    study: Study | None,
    variants: Sequence[str],
    working: Mapping[str, Now] | None = None,
) -> Section:
    now = working or {}
    rows = [row_of(library, family, key, study, now=now.get(f"{family.name}/{key}")) for key in variants]
    folder = library.store.where_compared(family.name, study.folder if study else COMPARISON)
    return Section(
        study,
        family,
        folder,
        rows,
        [link_of(library, family, folder, plot) for plot in plots_of(family, "comparison")],
        reports.written(library.store, family.name, folder),
        last_epoch(rows, study),
    )


def row(request: Request) -> Response:
    """One row as HTML, as it is now, to be put in place of the one that a page shows.

    `study` and `last` are the study whose table it stands in, "" for none, and that table's last epoch; with
    `brief` it names no plots, as in a table of many rows.
    """
    library: StoreCache = request.app.state.library
    params.require_known(request, ("study", "last", "brief"))
    family = get_family(params.family_of(request))
    variant = params.known_variant_of(request, library, family)
    last = params.number_in(request, "last", low=1, high=99_999_999)
    name = request.query_params.get("study", "")
    study = next((each for each in library.studies if each.name == name), None)
    now = work_now(library).get(f"{family.name}/{variant}")
    found = row_of(library, family, variant, study, now=now)
    brief = "brief" in request.query_params
    return render(
        request,
        "row.html",
        row=found,
        family=family,
        study=study,
        last=last,
        cell=cell,
        open=False,
        brief=brief,
    )


def now(request: Request) -> Response:
    """`family/variant` -> a mark of what is done with it, as JSON; another mark, another row."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    marks = {place: found.mark for place, found in work_now(library).items()}
    body = json.dumps(marks).encode()
    return conditional(request, etag_of([body]), lambda: body, media_type="application/json")
