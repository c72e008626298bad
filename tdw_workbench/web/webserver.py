"""Dagster's webserver behind our guard, with our routes on the same origin and one script in its page.

It builds on three methods of `DagsterWebserver` (1.13.27): `build_routes`, `build_middleware` and
`index_html_endpoint`, on the instance of its `_process_context`, on the name that `dagster_webserver.app`
instantiates and on the one by which
`dagster_webserver.cli` makes the app. tests/contract/test_webserver_seams.py checks them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import dagster_webserver.app as dagster_app
import dagster_webserver.cli as dagster_cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from tdw_workbench.web.app import PREFIX, mount
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.http.guard import Guard
from tdw_workbench.web.http.settings import settings_from_environment

_NONCE = re.compile(r"'nonce-([\w+/=-]+)'")
_log = logging.getLogger(__name__)


class TdwWebserver(DagsterWebserver):
    """`DagsterWebserver` and /tdw, guarded."""

    def build_middleware(self) -> list[Middleware]:
        """The guard first: nothing of Dagster's sees what it refuses."""
        hosts = settings_from_environment().allowed_hosts
        guard = Middleware(Guard, allowed_hosts=hosts, path_prefix=self._app_path_prefix)
        return [guard, *super().build_middleware()]

    def build_routes(self) -> list[BaseRoute]:
        """Ours first: Dagster's last route answers every path."""
        settings = settings_from_environment(dagster_url=self._app_path_prefix)
        runs = Runs(self._process_context.instance)
        return [*mount(settings, self._app_path_prefix, warm=True, runs=runs), *super().build_routes()]

    def index_html_endpoint(self, request: Request) -> HTMLResponse:
        """Dagster's page with our script, under the page's own nonce."""
        return with_script(super().index_html_endpoint(request), f"{self._app_path_prefix}{PREFIX}")


def with_script(page: HTMLResponse, root: str) -> HTMLResponse:
    """`page` with `embed.js`; as it is where it does not look as expected (links still work then)."""
    nonce = _NONCE.search(page.headers.get("content-security-policy", ""))
    body = bytes(page.body).decode()
    if nonce is None or "</body>" not in body:
        _log.warning("Dagster's page has changed: /tdw links open as pages of their own, without the overlay")
        return page
    tag = f'<script nonce="{nonce[1]}" src="{root}/static/embed.js" data-root="{root}" defer></script>'
    headers = {name: value for name, value in page.headers.items() if name != "content-length"}
    return HTMLResponse(body.replace("</body>", f"{tag}</body>", 1), page.status_code, headers)


def install() -> None:
    """Make `dagster-webserver` build ours.

    Raises:
        RuntimeError: this Dagster has no such seam.
    """
    if getattr(dagster_app, "DagsterWebserver", None) is not DagsterWebserver:
        raise RuntimeError(
            "dagster_webserver.app does not name DagsterWebserver, so Dagster's UI would be open to every "
            "page in your browser: install the pinned dagster-webserver"
        )
    dagster_app.DagsterWebserver = TdwWebserver  # type: ignore[misc]


def wrap_app(wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    """Make `dagster-webserver` serve its app inside another one."""
    name = "create_app_from_workspace_process_context"
    create: Callable[..., ASGIApp] = getattr(dagster_cli, name)

    def wrapped(*arguments: Any, **named: Any) -> ASGIApp:
        return wrap(create(*arguments, **named))

    setattr(dagster_cli, name, wrapped)
