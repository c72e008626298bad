"""The routes below /tdw as one Starlette application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

import tdw
from tdw.errors import TdwError
from tdw_workbench.web.dashboards.routes import ROUTES as DASHBOARDS
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.data.selections import Selections
from tdw_workbench.web.data.so_far import FiguresSoFar
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http.answers import on_error, on_worker
from tdw_workbench.web.http.guard import Guard
from tdw_workbench.web.http.reading import Reading
from tdw_workbench.web.http.settings import Settings
from tdw_workbench.web.http.static_files import serve_static
from tdw_workbench.web.pages import actions, compare, explorer, maps, outdated, overview
from tdw_workbench.web.pages import plot as plots
from tdw_workbench.web.pages import report as reports
from tdw_workbench.web.pages import variant as variants
from tdw_workbench.web.prefix import Prefixed

PREFIX = "/tdw"


def build_app(settings: Settings, runs: Runs | None = None) -> Starlette:
    """The application to be mounted at /tdw, behind a server's `Guard`."""
    app = Starlette(
        routes=[
            Route("/ping", ping),
            Route("/static/{name:path}", serve_static),
            Route("/", on_worker(overview.page)),
            Route("/api/now", on_worker(overview.now)),
            Route("/api/row/{family}/{variant}", on_worker(overview.row)),
            Route("/api/rows/{family}", on_worker(overview.rows)),
            Route("/api/words/{family}", on_worker(overview.words)),
            Route("/api/outdated/{family}/{variant}", on_worker(outdated.outdated)),
            Route("/api/configure/{family}", on_worker(actions.configure)),
            Route("/api/plan/{family}/{variant}", on_worker(actions.plan)),
            Route("/api/densify/{family}/{variant}", on_worker(actions.densify)),
            Route("/api/remove/{family}/{variant}", on_worker(actions.remove)),
            Route("/new/{family}", on_worker(actions.new)),
            Route("/view/compare/{family}", on_worker(compare.page)),
            Route("/compare/{family}/{file}", on_worker(compare.file)),
            Route("/compare/{family}/{name}/{file}", on_worker(compare.figure)),
            Route("/view/variant/{family}/{variant}", on_worker(variants.page)),
            Route("/view/plot/{family}/{variant}/{name}", on_worker(plots.page)),
            Route("/view/report/{family}/{name}", on_worker(reports.page)),
            Route("/view/report/{family}/{folder}/{name}", on_worker(reports.page)),
            Route("/report/{family}/{folder}/{name}.pdf", on_worker(reports.pdf)),
            Route("/plot/{family}/{variant}/{name}/preview.png", on_worker(plots.preview)),
            Route("/plot/{family}/{variant}/{name}/now.json", on_worker(plots.so_far)),
            Route("/plot/{family}/{variant}/{name}/maps", on_worker(maps.maps)),
            Route("/plot/{family}/{variant}/{name}/{file}", on_worker(plots.file)),
            *DASHBOARDS,
            Route("/explorer/{family}/{variant}", on_worker(explorer.page)),
            Route("/api/explorer/{family}/{variant}", on_worker(explorer.describe)),
            Route("/api/{slice}/{family}/{variant}", on_worker(explorer.slice_of)),
            Route("/api/{slice}/{family}/{variant}/{epoch}", on_worker(explorer.slice_of)),
        ],
        middleware=[Middleware(Reading)],
        exception_handlers={TdwError: on_error, HTTPException: on_error},
    )
    app.state.library = StoreCache(settings, runs)
    app.state.so_far = FiguresSoFar()
    app.state.selections = Selections()
    return app


def ping(request: Request) -> Response:
    """Who answers. Compare the JSON: a stock Dagster server answers any path with 200 and a page."""
    return JSONResponse({"tdw": tdw.__version__, "ok": True})


def mount(
    settings: Settings, path_prefix: str = "", *, warm: bool = False, runs: Runs | None = None
) -> list[BaseRoute]:
    """Routes for a server: the application at `path_prefix`/tdw.

    Args:
        settings: of the pages.
        path_prefix: in front of /tdw.
        warm: read the first page's data ahead.
        runs: of Dagster, where that is the server: then the pages start and stop work.
    """
    where = f"{path_prefix}{PREFIX}"
    app = build_app(settings, runs)
    if warm:
        overview.warm(app.state.library)

    def to_first_page(request: Request) -> Response:
        return RedirectResponse(f"{where}/", status_code=307)

    return [Route(where, to_first_page), Mount(where, app=app)]


def standalone(settings: Settings, *, warm: bool = False, runs: Runs | None = None) -> ASGIApp:
    """A server of its own (`tdw serve`): the same routes, and / leads to the first page."""
    prefix = settings.prefix

    def to_first_page(request: Request) -> Response:
        return RedirectResponse(f"{prefix}{PREFIX}/", status_code=307)

    app = Starlette(
        routes=[*mount(settings, prefix, warm=warm, runs=runs), Route(f"{prefix}/", to_first_page)],
        middleware=[Middleware(Guard, allowed_hosts=settings.allowed_hosts)],
    )
    return Prefixed(app, prefix) if prefix else app
