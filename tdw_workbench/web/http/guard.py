"""The door of the whole server, Dagster's routes included: which requests are answered at all.

The server is for the person at this machine and for programs. A page of another origin must neither drive it
nor read it through that person's browser. What gives such a page away:

- Host: a name that it made resolve to this machine ("DNS rebinding");
- Origin: sent with every POST and every websocket, and with every GET that could be read;
- Sec-Fetch-Site: sent with everything, but only to https and to loopback addresses;
- a content type other than JSON: a page can't send JSON elsewhere without asking first (CORS "preflight").

Programs (curl, the daemon, `DagsterGraphQLClient`) send neither Origin nor Sec-Fetch-Site, and are answered.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tdw_workbench.web.http.settings import ANY_HOST

READING = ("GET", "HEAD")
FILES = ("/notebook", "/dagit/notebook", "/logs/", "/download_debug/")
"""Dagster's downloads: not opened from elsewhere. /notebook shows any notebook file with its scripts."""
NOT_SHARED = "open the address in a tab of its own: other pages may neither read nor use the workbench"
BEHIND_A_PROXY = "if this is a reverse proxy, have it pass the Host header on unchanged"
_HOST = re.compile(r"(?:[\w.\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?", re.ASCII)
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_DENIAL = "websocket.http.response"


class Guard:
    """ASGI middleware in front of every route, websockets too.

    Args:
        app: what answers if nothing is wrong.
        allowed_hosts: names in a Host header that are answered, in lower case; "*" allows every one.
        path_prefix: where Dagster's routes begin, such as "/dagster"; "" for the root.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str], path_prefix: str = "") -> None:
        self._app = app
        self._hosts = allowed_hosts
        self._prefix = path_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Without Sec-Fetch-Dest (plain http on a network) only this keeps a foreign page from showing
                # ours in a frame and having the person click in it.
                MutableHeaders(scope=message).setdefault("X-Frame-Options", "SAMEORIGIN")
            await send(message)

        answer = refuse(scope, self._hosts, path_prefix=self._prefix)
        if answer is None:
            await self._app(scope, receive, send_unframed)
        elif scope["type"] == "websocket" and _DENIAL not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, send_unframed)


def refuse(scope: Scope, allowed_hosts: frozenset[str], *, path_prefix: str = "") -> JSONResponse | None:
    """Why a request is not answered, or None."""
    headers = Headers(scope=scope)
    # A websocket acts: what it may ask is not known before it is open.
    method: str = scope.get("method", "WEBSOCKET")
    path: str = scope["path"].removeprefix(path_prefix)
    return (
        _foreign_host(headers, allowed_hosts)
        or _foreign_page(headers, opens=method in READING and not path.startswith(FILES))
        # Not ==: a router's pattern may match more, such as a line feed at the end.
        or (_not_graphql(method, headers) if path.startswith("/graphql") else None)
        or (_not_json(headers) if method not in (*READING, "OPTIONS", "WEBSOCKET") else None)
    )


def refusal(status: int, what: str, remedy: str, **headers: str) -> JSONResponse:
    """An answer that says what was wrong and what to do."""
    return JSONResponse({"error": what, "remedy": remedy}, status_code=status, headers=headers)


def host_name(host: str) -> str:
    """The name in a Host header, without the port; "" when it is none."""
    if not _HOST.fullmatch(host):  # a URL's parser would find a name in user@name or name/else
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _foreign_host(headers: Headers, allowed: frozenset[str]) -> JSONResponse | None:
    host = ", ".join(headers.getlist("host"))  # of two, proxies and servers would choose differently
    if ANY_HOST in allowed or host_name(host) in allowed:
        return None
    return refusal(
        403,
        f"the host {host[:80]!r} is not served",
        "use 127.0.0.1 or localhost, or list the name in TDW_ALLOWED_HOSTS and start again",
    )


def _foreign_page(headers: Headers, *, opens: bool) -> JSONResponse | None:
    """Refuse what a page of another origin asks; `opens`: a link on it may lead to this address."""
    for origin in headers.getlist("origin"):
        if not _is_own(origin, headers.get("host", "")):
            return refusal(403, f"a page of {origin[:80]!r} asked", f"{NOT_SHARED}; {BEHIND_A_PROXY}")
    # "same-site" is no friend: another port of this machine is same-site.
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin") or (opens and _opens_a_page(headers)):
        return None
    return refusal(403, "a page of another origin asked", NOT_SHARED)


def _is_own(origin: str, host: str) -> bool:
    """Whether `origin` is the one that the request went to. The scheme may differ: a proxy may end TLS."""
    scheme, _, authority = origin.lower().partition("://")
    port = _DEFAULT_PORT.get(scheme)
    return port is not None and authority != "" and authority == host.lower().removesuffix(port)


def _opens_a_page(headers: Headers) -> bool:
    """A person followed a link from elsewhere: the other page does not see the answer."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _not_graphql(method: str, headers: Headers) -> JSONResponse | None:
    """GraphQL is asked by POST with JSON: Dagster would also run a query, or a mutation, from the address."""
    if method in READING and "text/html" not in headers.get("accept", ""):  # GraphiQL's page
        return refusal(405, f"GraphQL is not answered by {method}", "send it by POST as JSON", Allow="POST")
    if method == "POST" and "content-type" not in headers:
        return _needs_json("no content type")
    return None


def _not_json(headers: Headers) -> JSONResponse | None:
    kind = headers.get("content-type")
    if kind is None:  # such as a report whose values stand in the address
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        return _needs_json("no content type") if has_body else None
    if kind.partition(";")[0].strip().lower() == "application/json":
        return None
    return _needs_json(f"the content type {kind[:80]!r}")


def _needs_json(what: str) -> JSONResponse:
    return refusal(415, f"the request has {what}", "send JSON with the header Content-Type: application/json")
