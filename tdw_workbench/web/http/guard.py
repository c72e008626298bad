"""The door: who may ask, and what every answer carries.

Pages are for the browser of the person at this machine. A foreign page must not read them through that
browser (Origin, Sec-Fetch-Site), nor by a name that it made resolve to this machine (Host; "DNS rebinding").
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tdw_workbench.web.http.settings import ANY_HOST

MAX_URL = 4096
NOT_SHARED = "open the page itself: its data is not shared"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-site",
}


class Guard:
    """ASGI middleware: refuses what should not be answered, adds the security headers to what is."""

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = refuse(scope, self._hosts)
        app = self._app if refusal is None else refusal
        await app(scope, receive, send_with_headers)


def refuse(scope: Scope, allowed_hosts: frozenset[str]) -> JSONResponse | None:
    """Why a request is not answered, or None."""
    headers = Headers(scope=scope)
    if scope["method"] not in ("GET", "HEAD"):
        return _refusal(
            405,
            f"{scope['method']} is not answered here",
            "pages only read: act in Dagster",
            Allow="GET, HEAD",
        )
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URL:
        return _refusal(414, "the address is too long", "ask for fewer neurons or epochs at once")
    host = headers.get("host", "")
    if ANY_HOST not in allowed_hosts and host_name(host) not in allowed_hosts:
        return _refusal(
            403,
            f"the host {host[:80]!r} is not served",
            "use 127.0.0.1 or localhost, or list the name in TDW_ALLOWED_HOSTS",
        )
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return _refusal(403, f"a page of {origin[:80]!r} asked", NOT_SHARED)
    if headers.get("sec-fetch-site") == "cross-site" and not _opens_a_page(headers):
        return _refusal(403, "a page of another site asked", NOT_SHARED)
    return None


def host_name(host: str) -> str:
    """The name in a Host header, without the port; "" when it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _opens_a_page(headers: Headers) -> bool:
    """A person followed a link from elsewhere: the other page does not see the answer."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _refusal(status: int, what: str, remedy: str, **headers: str) -> JSONResponse:
    return JSONResponse({"error": what, "remedy": remedy}, status_code=status, headers=headers)
