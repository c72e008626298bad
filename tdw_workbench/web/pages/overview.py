"""The first page: the state of every variant, with links. Read-only: actions are started in Dagster."""

from __future__ import annotations

import contextlib
import functools
import json
import threading

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import BadConfig, TdwError
from tdw.families import get_family
from tdw_workbench.web.data.now import work_now
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.templates import render
from tdw_workbench.web.pages import sections
from tdw_workbench.web.pages.rows import cell, last_epoch, row_of


def page(request: Request) -> Response:
    """Every study's variants, and what else is in the store."""
    library: StoreCache = request.app.state.library
    # What is shown and chosen is read by the page's script.
    params.require_known(request, ("theme", "show", "chosen"))
    dagster = library.settings.dagster_url
    return render(
        request,
        "overview.html",
        sections=sections.sections_of(library),
        ON_A_PAGE=sections.ON_A_PAGE,
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
            sections.sections_of(library)

    threading.Thread(target=read, name="tdw-warm", daemon=True).start()


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
        brief=brief,
    )


def rows(request: Request) -> Response:
    """Rows of a table as HTML, of the variants that `v` names, in its order: at most those of a page.

    `last` is the table's last epoch; a curve that goes further than the table's first page moves the edge.

    Raises:
        NotFound: no such table, or a variant that it has not.
        BadConfig: none is named, or more than a page holds.
    """
    library: StoreCache = request.app.state.library
    params.require_known(request, ("table", "v", "last"))
    table = _table(request, library)
    keys = request.query_params.get("v", "").split(",")
    if not 1 <= len(keys) <= sections.ON_A_PAGE or not all(keys):
        raise BadConfig(f"{len(keys)} rows are asked for", f"name 1 to {sections.ON_A_PAGE}: v=KEY,KEY")
    known = {*table.keys}
    for key in keys:
        params.one_of(key, known, what="variant")
    found = table.rows(library, keys, work_now(library))
    last = params.number_in(request, "last", low=1, high=99_999_999)
    return render(
        request,
        "rows.html",
        rows=found,
        family=table.family,
        study=table.study,
        last=max(last, last_epoch(found, table.study)),
        cell=cell,
        brief=table.brief,
    )


def words(request: Request) -> Response:
    """Key -> what the cells of its row say, curves left out, as JSON; a page whose script searches and sorts
    by them has the rows of some variants only. Raises NotFound for no such table.
    """
    library: StoreCache = request.app.state.library
    params.require_known(request, ("table",))
    table = _table(request, library)
    found = table.rows(library, table.keys, work_now(library))
    return JSONResponse({row.variant: row.words for row in found}, headers={"Cache-Control": "no-cache"})


def _table(request: Request, library: StoreCache) -> sections.Table:
    """The table of that name. Raises NotFound."""
    family = params.family_of(request)
    tables = {table.name: table for table in sections.tables_of(library) if table.family.name == family}
    return tables[params.one_of(request.query_params.get("table", ""), tables, what="table")]


def now(request: Request) -> Response:
    """`family/variant` -> a mark of what is done with it, as JSON; another mark, another row."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    marks = {place: found.mark for place, found in work_now(library).items()}
    body = json.dumps(marks).encode()
    return conditional(request, etag_of([body]), lambda: body, media_type="application/json")
