"""Pages from templates: every value is escaped, every script is a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tdw_workbench.web.http.static_files import static_files

FOLDER = Path(__file__).resolve().parent.parent.parent / "templates"


@cache
def environment() -> Environment:
    """The templates."""
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page. Templates know `root` (our prefix) and `static` (prefix of versioned files)."""
    root = request.scope.get("root_path", "")
    text = (
        environment()
        .get_template(template)
        .render(root=root, static=f"{root}/static/{static_files().version}", **values)
    )
    return HTMLResponse(text, status, headers={"Cache-Control": "no-cache"})


@cache
def markdown(text: str) -> Markup:
    """Markdown of ours as HTML; raw HTML in it stays text."""
    from markdown_it import MarkdownIt

    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
