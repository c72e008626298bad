"""What panels show beside figures and maps, which have routes of their own: tables, sections, notes."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tdw.errors import BadConfig, NotFound
from tdw.families import get_family
from tdw.reports.document import MARKDOWN
from tdw.reports.page import section_html, sections_of
from tdw.store import Store, TableAddress
from tdw_workbench.web.dashboards.known import known

if TYPE_CHECKING:
    import pandas as pd

MOST_CELLS = 200_000
"""Of a table in the browser."""


def table_json(store: Store, family: str, where: str, name: str) -> bytes:
    """A table as JSON: {"title", "columns": [{"name", "values"}]}; numbers in six digits, null for NaN.

    Args:
        store: where it is.
        family: of the variant.
        where: the variant, or the folder of what covers several.
        name: of the summary.

    Raises:
        NotFound, CorruptFile: it can't be read; names the file.
        BadConfig: it is too large for a panel.
    """
    table = store.read_table(TableAddress(family, where, name))
    if table.size > MOST_CELLS:
        raise BadConfig(
            f"{name} of {where} has {table.size:,} cells, and a panel shows at most {MOST_CELLS:,}",
            f'look at it in a notebook: tdw.open().variant("{where}").summary("{name}")',
        )
    columns = [{"name": str(column), "values": _values(table[column])} for column in table.columns]
    return json.dumps({"title": title_of_table(family, name), "columns": columns}).encode()


def title_of_table(family: str, name: str) -> str:
    """As panels call it; of what they can't choose, its name."""
    tables = known(get_family(family))["table"]
    return tables[name]["title"] if name in tables else name


def _values(column: pd.Series[Any]) -> list[Any]:
    missing = column.isna().tolist()
    return [None if gone else _plain(value) for value, gone in zip(column.tolist(), missing, strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    return str(value)


def section_json(store: Store, family: str, folder: str, report: str, part: str) -> bytes:
    """A section of a report as JSON: {"html"}.

    Raises:
        NotFound: there is no such report yet, or no such section in it.
    """
    bundle = store.read_document(family, folder, report)
    pictures = {name: bundle.read(name) for name in bundle.files if name.endswith((".svg", ".png"))}
    text = bundle.read(MARKDOWN).decode()
    html = section_html(text, part, pictures=pictures)
    if not html:
        there = ", ".join(section.anchor for section in sections_of(text))
        raise NotFound(f"the report {report} has no section {part!r}", f"choose one of: {there}")
    return json.dumps({"html": html}).encode()


def sections(store: Store, family: str, folder: str, report: str) -> list[Mapping[str, str]]:
    """What a panel can show of a report: {"part", "title"} of each section; a dash before those below one."""
    found: list[Mapping[str, str]] = []
    for section in sections_of(store.read_document(family, folder, report).read(MARKDOWN).decode()):
        found.append({"part": section.anchor, "title": section.title})
        found += [{"part": below.anchor, "title": f"– {below.title}"} for below in section.parts]
    return found


@functools.lru_cache(256)
def note_html(text: str) -> Markup:
    """A person's Markdown as HTML. Raw HTML stays text, and no picture is loaded from anywhere."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(reader.render(text))
