"""Answers: conditional (ETag), on two worker threads, errors with their remedy."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound, TdwError
from tdw_workbench.web.http.templates import render

# Two: a slice keeps a core busy, and every further thread would keep memory arenas of its own.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="tdw-web")
_STATUS: tuple[tuple[type[TdwError], int], ...] = (
    (BadConfig, 400),
    (NotFound, 404),
    (FingerprintMismatch, 409),
    (CorruptFile, 500),
)


def on_worker(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that runs `answer` on a worker thread."""

    async def endpoint(request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(_POOL, answer, request)

    return endpoint


def on_worker_with_body(
    answer: Callable[[Request, bytes], Response], *, most: int
) -> Callable[[Request], Awaitable[Response]]:
    """The same for what is sent to us, of at most so many bytes."""

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise HTTPException(413, f"more than {most:,} bytes were sent")
        return await asyncio.get_running_loop().run_in_executor(_POOL, answer, request, bytes(body))

    return endpoint


def etag_of(parts: Iterable[object]) -> str:
    """A weak validator from whatever decides the answer."""
    return f'W/"{hashlib.sha256(repr(tuple(parts)).encode()).hexdigest()[:24]}"'


def conditional(
    request: Request,
    etag: str,
    make: Callable[[], bytes],
    *,
    media_type: str,
    headers: dict[str, str] | None = None,
) -> Response:
    """What `make` gives, unless the browser has it already. It is asked to check each time."""
    common = {"ETag": etag, "Cache-Control": "no-cache", **(headers or {})}
    if etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=common)
    return Response(make(), media_type=media_type, headers=common)


async def on_error(request: Request, error: Exception) -> Response:
    """An error as JSON, or as a page for a person."""
    if isinstance(error, TdwError):
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        what, remedy = error.what, error.remedy
    elif isinstance(error, HTTPException):
        status, what, remedy = error.status_code, error.detail, "start from the first page"
    else:
        raise error
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": what, "remedy": remedy}, status_code=status)
    return render(request, "error.html", status_code=status, status=status, what=what, remedy=remedy)
