"""A path in front of ours: JupyterHub and reverse proxies serve below one, such as /user/me/proxy/3000.

Every address that a page emits is below it. A proxy may pass the whole path on or take the prefix off first:
the application sees the whole one either way.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from tdw.errors import BadConfig

_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~@:+-]+)*")


def prefix_of(base_url: str) -> str:
    """The path of a base URL, without a slash at its end; "" where it has none.

    Raises:
        BadConfig: a path that can't be one, or more than a path after the host.
    """
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    if parts.query or parts.fragment or not _PREFIX.fullmatch(path):
        raise BadConfig(
            f"TDW_BASE_URL is {base_url!r}",
            "give scheme, host, port and a path of letters, digits and . _ ~ @ : + - (@ itself, not %40), "
            "such as http://hub.example/user/me/proxy/3000",
        )
    return path


class Prefixed:
    """ASGI application that puts the prefix in front of a path from which a proxy has taken it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] in ("http", "websocket") and not self._is_whole(scope["path"]):
            raw = scope.get("raw_path")
            scope = {
                **scope,
                "path": self._prefix + scope["path"],
                "raw_path": None if raw is None else self._prefix.encode() + raw,
            }
        await self._app(scope, receive, send)

    def _is_whole(self, path: str) -> bool:
        return path == self._prefix or path.startswith(f"{self._prefix}/")
