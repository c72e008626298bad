"""Static files: a fixed list, ours and those of the families' explorers, addressed by content.

So a browser may keep them for good. The list is made again when a family is loaded, and never from a request.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from tdw.drawing.offline_page import PAGE
from tdw.families import all_families

FOLDER = Path(__file__).resolve().parent.parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class StaticFiles:
    """The files by name, and the version they have together (16 hex digits)."""

    paths: dict[str, Path]
    version: str


def static_files() -> StaticFiles:
    """Our scripts and styles, those of the families, and plotly.js of the plotly package (not imported)."""
    explorers = [(family.name, family.explorer) for family in all_families()]
    return _files_of(tuple((name, explorer.folder) for name, explorer in explorers if explorer))


def family_files(family: str) -> str:
    """The path of a family's explorer below the static files."""
    return f"families/{family}"


@cache
def _files_of(explorers: tuple[tuple[str, Path], ...]) -> StaticFiles:
    folders = [
        ("", FOLDER),
        ("figure/", PAGE),
        *((f"{family_files(name)}/", folder) for name, folder in explorers),
    ]
    paths = {
        f"{prefix}{path.relative_to(folder)}": path
        for prefix, folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES
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
