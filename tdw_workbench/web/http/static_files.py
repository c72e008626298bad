"""Static files: a fixed list made at start, addressed by content, so a browser may keep them for good."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

FOLDER = Path(__file__).resolve().parent.parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class StaticFiles:
    """The files by name, and the version they have together (16 hex digits)."""

    paths: dict[str, Path]
    version: str


@cache
def static_files() -> StaticFiles:
    """Our scripts and styles, and plotly.js from the plotly package (which is not imported)."""
    paths = {
        str(path.relative_to(FOLDER)): path for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES
    }
    digest = hashlib.sha256()
    for name, path in paths.items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    plotly = plotly_js()
    digest.update(f"{plotly} {plotly.stat().st_size}".encode())
    return StaticFiles({**paths, "plotly.min.js": plotly}, digest.hexdigest()[:16])


@cache
def plotly_js() -> Path:
    """plotly.js as the plotly package brings it."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("plotly is not installed: pip install plotly")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def serve_static(request: Request) -> Response:
    """`/static/<version>/<name>` for good, `/static/<name>` to be checked each time."""
    files = static_files()
    name: str = request.path_params["name"]
    first, _, rest = name.partition("/")
    versioned = first == files.version
    path = files.paths.get(rest if versioned else name)
    if path is None and not versioned:
        path = files.paths.get(rest)  # a page that was opened before an update
    if path is None:
        raise HTTPException(404, "no such file")
    return FileResponse(
        path,
        media_type=TYPES[path.suffix],
        headers={"Cache-Control": FOREVER if versioned else "no-cache"},
    )
