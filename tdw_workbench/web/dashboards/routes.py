"""The routes of dashboards: the list, a page, saving, and the file that works offline."""

from __future__ import annotations

import json
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tdw.drawing.style import CONFIG
from tdw.errors import BadConfig
from tdw.families import Family, all_families, get_family
from tdw.families.stored import stored_variants
from tdw_workbench.web.dashboards import contents, shown
from tdw_workbench.web.dashboards.defaults import default_of
from tdw_workbench.web.dashboards.files import (
    Saved,
    SavedSince,
    delete,
    read,
    save,
    saved_dashboards,
    versions,
)
from tdw_workbench.web.dashboards.model import Dashboard, parse_dashboard
from tdw_workbench.web.dashboards.offline import modules, offline_page
from tdw_workbench.web.dashboards.panels import PANELS
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import on_worker, on_worker_with_body
from tdw_workbench.web.http.guard import refusal
from tdw_workbench.web.http.templates import render

MOST_BYTES = 1 << 20
"""Of what is sent."""
_NEVER = {"Cache-Control": "no-store"}


def listing(request: Request) -> Response:
    """Every dashboard: the families' own, and those that were saved."""
    library = _library(request)
    params.require_known(request, ("theme",))
    families = [family for family in all_families() if stored_variants(library.store, family)]
    return render(
        request,
        "dashboards.html",
        defaults=[default_of(family) for family in families or all_families()[:1]],
        saved=saved_dashboards(library.store),
        editable=_can_save(library),
        titles={family.name: family.title for family in all_families()},
    )


def page(request: Request) -> Response:
    """A dashboard. What is looked at is in the query, which the page's script reads and checks."""
    params.require_known(request, ("theme", "variant", "e", "version"))
    library = _library(request)
    saved = named(library, request.path_params["name"], request.query_params.get("version"))
    return _page(request, library, saved)


def compose(request: Request) -> Response:
    """An empty dashboard of a family, to be filled and saved."""
    params.require_known(request, ("theme", "variant", "e"))
    library = _library(request)
    _require_can_save(library)
    family = get_family(params.family_of(request))
    empty = Dashboard(family=family.name, title="New dashboard")
    return _page(request, library, Saved("", 0, empty))


def named(library: StoreCache, name: str, version: str | None = None) -> Saved:
    """The family's own dashboard, or one that was saved. Raises NotFound, CorruptFile or Unreadable."""
    family = next((family for family in all_families() if family.name == name), None)
    if family is not None:
        return default_of(family)
    return read(library.store, name, None if version is None else params.number(version, what="version"))


def _page(request: Request, library: StoreCache, saved: Saved) -> Response:
    family = _family(saved)
    data = shown.page_data(library, family, saved)
    return render(
        request,
        "dashboard.html",
        saved=saved,
        family=family,
        data=json.dumps(data),
        config=json.dumps(dict(CONFIG)),
        editable=_can_save(library),
        modules=list(modules()),
        versions=versions(library.store, saved.name) if saved.version else [],
    )


def _family(saved: Saved) -> Family:
    known = [family.name for family in all_families()]
    return get_family(params.one_of(saved.dashboard.family, known, what="family"))


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    base: int
    dashboard: dict[str, object]


def save_it(request: Request, body: bytes) -> Response:
    """Save the next version. 409 and nothing written, where somebody saved one meanwhile."""
    library = _library(request)
    _require_can_save(library)
    try:
        sent = _Sent.model_validate_json(body)
    except ValidationError:
        raise BadConfig("no dashboard was sent", 'send JSON: {"base": version, "dashboard": {...}}') from None
    name = request.path_params["name"]
    try:
        saved = save(library.store, name, parse_dashboard(json.dumps(sent.dashboard)), base=sent.base)
    except SavedSince as error:
        return refusal(409, error.what, error.remedy)
    where = f"{request.scope.get('root_path', '')}/dashboards/{quote(saved.name)}"
    return JSONResponse({"name": saved.name, "version": saved.version, "address": where}, headers=_NEVER)


def delete_it(request: Request) -> Response:
    """Delete a dashboard. 409 and nothing removed, where somebody saved one after `version`."""
    params.require_known(request, ("version",))
    library = _library(request)
    _require_can_save(library)
    version = params.number_in(request, "version", low=1, high=99_999)
    try:
        delete(library.store, request.path_params["name"], version=version)
    except SavedSince as error:
        return refusal(409, error.what, error.remedy)
    return Response(status_code=204, headers=_NEVER)


async def export(request: Request) -> Response:
    """The dashboard as one HTML file; `variant` may be given again, and none takes all that it offers."""
    params.require_known(request, ("variant", "version"))
    library = _library(request)
    saved = named(library, request.path_params["name"], request.query_params.get("version"))
    chosen = request.query_params.getlist("variant")
    variants = chosen or shown.offered(library, _family(saved), saved)
    page = await offline_page(request.app, saved, variants=variants)
    headers = {"Content-Disposition": f'attachment; filename="{saved.name}.html"', **_NEVER}
    return Response(page, media_type="text/html", headers=headers)


def note(request: Request, body: bytes) -> Response:
    """Markdown as HTML, for who writes a note."""
    try:
        text = json.loads(body)["text"]
        html = contents.note_html(str(text)[:20_000])
    except (ValueError, KeyError, TypeError):
        raise BadConfig("no note was sent", 'send JSON: {"text": Markdown}') from None
    return JSONResponse({"html": str(html)}, headers=_NEVER)


def choose(request: Request) -> Response:
    """What a person can choose of a family, as JSON."""
    params.require_known(request, ())
    family = get_family(params.family_of(request))
    return JSONResponse(shown.choices(_library(request), family), headers={"Cache-Control": "no-cache"})


def _library(request: Request) -> StoreCache:
    return request.app.state.library


def _can_save(library: StoreCache) -> bool:
    """Beside Dagster: a server that only shows results saves nothing."""
    return library.runs is not None


def _require_can_save(library: StoreCache) -> None:
    if not _can_save(library):
        raise BadConfig(
            "this server only shows results: dashboards are not saved here",
            "compose them on the page that `tdw up` serves",
        )


ROUTES = [
    Route("/dashboards/", on_worker(listing)),
    Route("/dashboards/{name}", on_worker(page), methods=["GET"]),
    Route("/dashboards/{name}/export.html", export),
    Route("/dashboards/{name}", on_worker_with_body(save_it, most=MOST_BYTES), methods=["POST"]),
    Route("/dashboards/{name}", on_worker(delete_it), methods=["DELETE"]),
    Route("/notes", on_worker_with_body(note, most=MOST_BYTES), methods=["POST"]),
    Route("/compose/{family}", on_worker(compose)),
    Route("/choices/{family}", on_worker(choose)),
    PANELS,
]
