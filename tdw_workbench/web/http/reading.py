"""Beyond the guard, our own pages: all but dashboards are only read, and every answer carries the security
headers.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tdw_workbench.web.http.guard import READING, refusal

MAX_URL = 8192
WRITTEN = {"POST": ("/dashboards/", "/notes"), "DELETE": ("/dashboards/",)}
"""Where something may be sent to, or deleted; each route says for itself whether it takes it."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Reading:
    """ASGI middleware around the routes below /tdw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (_refuse(scope) or self._app)(scope, receive, send_with_headers)


def _refuse(scope: Scope) -> JSONResponse | None:
    """Why a request is not answered, or None."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    sent = path.startswith(WRITTEN.get(scope["method"], ()))
    if scope["method"] not in READING and not sent:
        return refusal(
            405,
            f"{scope['method']} is not answered here",
            "pages only read: act in Dagster",
            Allow=", ".join(READING),
        )
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URL:
        return refusal(414, "the address is too long", "ask for fewer variants, neurons or epochs at once")
    return None
