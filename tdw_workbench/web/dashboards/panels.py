"""What panels show, below /tdw/panel: the answers of other routes, where "not there yet" is no error.

On a dashboard a plot that is not made yet is nothing wrong, and a browser would write every answer of 400 or
more into its console. So these come as 200 with the header x-tdw-refused, which the page's scripts read.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import Message, Receive, Scope, Send

from tdw.reports.registry import REPORTS
from tdw.store import TableAddress
from tdw.store.document_files import MANIFEST
from tdw_workbench.web.dashboards import contents
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of, on_worker
from tdw_workbench.web.pages import explorer, maps
from tdw_workbench.web.pages import plot as plots

REFUSED = b"x-tdw-refused"


def table(request: Request) -> Response:
    """A table of a variant, or of what covers several, as JSON."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    family = params.family_of(request)
    where = params.place_of(request, library, family)
    name = request.path_params["name"]
    etag = etag_of([request.url.path, stamp(library.store.path(TableAddress(family, where, name)))])
    make = lambda: contents.table_json(library.store, family, where, name)  # noqa: E731
    return conditional(request, etag, make, media_type="application/json")


def section(request: Request) -> Response:
    """A section of a report, as JSON with its HTML."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    family = params.family_of(request)
    folder = params.place_of(request, library, family)
    report = params.one_of(request.path_params["name"], [each.name for each in REPORTS], what="report")
    part = request.path_params["part"]
    where = library.store.document_folder(family, folder, report)
    etag = etag_of([request.url.path, stamp(where / MANIFEST)])
    make = lambda: contents.section_json(library.store, family, folder, report, part)  # noqa: E731
    return conditional(request, etag, make, media_type="application/json")


class _Panels:
    def __init__(self) -> None:
        self._router = Router(
            [
                Route("/plot/{family}/{variant}/{name}/maps", on_worker(maps.maps)),
                Route("/plot/{family}/{variant}/{name}/{file}", on_worker(plots.file)),
                Route("/api/{slice}/{family}/{variant}", on_worker(explorer.slice_of)),
                Route("/table/{family}/{variant}/{name}", on_worker(table)),
                Route("/section/{family}/{variant}/{name}/{part}", on_worker(section)),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_quietly(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = [*message["headers"], (REFUSED, str(message["status"]).encode())]
                message = {**message, "status": 200, "headers": headers}
            await send(message)

        await self._router(scope, receive, send_quietly)


PANELS = Mount("/panel", app=_Panels())


async def ask(app: Starlette, address: str) -> tuple[bytes, bool]:
    """What the application answers, and whether it refused; nothing goes over a network.

    Args:
        app: of the pages.
        address: below /tdw, such as "panel/table/family/variant/name".
    """
    path, _, query = f"/{address}".partition("?")
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "server": ("localhost", 0),
    }
    body = bytearray()
    refused = False

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def take(message: Message) -> None:
        nonlocal refused
        if message["type"] == "http.response.start":
            refused = message["status"] >= 400 or any(name == REFUSED for name, _ in message["headers"])
        body.extend(message.get("body", b""))

    await app(scope, receive, take)
    return bytes(body), refused
