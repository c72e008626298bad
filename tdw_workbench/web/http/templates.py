"""Pages from templates: every value is escaped, every script is a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tdw.html_templates import templates_in
from tdw_workbench.web.http.static_files import family_files, static_files

if TYPE_CHECKING:
    from tdw_workbench.web.data.store_cache import StoreCache

FOLDER = Path(__file__).resolve().parent.parent.parent / "templates"


def environment() -> Environment:
    """Our templates."""
    return templates_in(FOLDER)


def render(request: Request, template: str, *, status_code: int = 200, **values: Any) -> Response:
    """A page. Templates know `root` (our prefix), `static` (prefix of versioned files), and `graphql`: where
    Dagster is asked to start and stop work, None where it is not on this server.
    """
    page = environment().get_template(template)
    return _answer(page, status_code, **_places(request), **values)


def render_of_family(request: Request, family: str, text: str, **values: Any) -> Response:
    """The same from a family's template, which may extend ours; it knows `own`, too: prefix of its files."""
    places = _places(request)
    own = f"{places['static']}/{family_files(family)}"
    return _answer(environment().from_string(text), 200, own=own, family=family, **places, **values)


def _places(request: Request) -> dict[str, str | None]:
    root = request.scope.get("root_path", "")
    library: StoreCache = request.app.state.library
    graphql = f"{library.settings.dagster_url}/graphql" if library.runs else None
    return {"root": root, "static": f"{root}/static/{static_files().version}", "graphql": graphql}


def _answer(template: Template, status_code: int, **values: Any) -> Response:
    return HTMLResponse(template.render(**values), status_code, headers={"Cache-Control": "no-cache"})


@cache
def markdown(text: str) -> Markup:
    """Markdown of ours as HTML; raw HTML in it stays text."""
    from markdown_it import MarkdownIt

    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
