"""HTML from the files in `templates/`: every value is escaped, unless it is HTML already."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "templates"


@cache
def templates_in(folder: Path) -> Environment:
    """The templates of a folder; a name that is not given is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def render_html(template: str, **values: Any) -> str:
    """The HTML of a template with these values."""
    return templates_in(_FOLDER).get_template(template).render(**values)
