"""From Markdown and figures to one HTML file that needs nothing else and prints well."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tdw.html_templates import render_html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True)
class Section:
    """A heading that the table of contents leads to, with those below it."""

    anchor: str
    title: str
    parts: list[Section] = field(default_factory=list["Section"])


def to_html(markdown: str, *, title: str, pictures: Mapping[str, bytes]) -> str:
    """A self-contained page with a table of contents.

    Args:
        markdown: CommonMark with tables; raw HTML in it is shown as text, never run.
        title: of the page.
        pictures: file name, as the Markdown refers to it -> SVG or PNG bytes, put into the page.
    """
    from markupsafe import Markup

    reader, tokens, sections = _read(markdown)
    body = _render(reader, tokens, pictures)
    before, end, after = body.partition("</h1>\n")
    heading, text = (before + end, after) if end else ("", body)
    return render_html(
        "report.html", title=title, heading=Markup(heading), body=Markup(text), sections=sections
    )


def sections_of(markdown: str) -> list[Section]:
    """The headings of the second level, with those of the third below them."""
    return _read(markdown)[2]


def section_html(markdown: str, anchor: str, *, pictures: Mapping[str, bytes]) -> str:
    """One section of a report, with its heading and those below it; "" where there is none.

    Args:
        markdown: as of `to_html`.
        anchor: of the section.
        pictures: as of `to_html`.
    """
    reader, tokens, _ = _read(markdown)
    at = next((i for i, token in enumerate(tokens) if token.attrGet("id") == anchor), None)
    if at is None:
        return ""
    ends = ("h1", "h2") if tokens[at].tag == "h2" else ("h1", "h2", "h3")
    after = (
        i for i in range(at + 1, len(tokens)) if tokens[i].type == "heading_open" and tokens[i].tag in ends
    )
    return _render(reader, tokens[at : next(after, len(tokens))], pictures)


def _read(markdown: str) -> tuple[MarkdownIt, list[Token], list[Section]]:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(markdown)
    return reader, tokens, _give_anchors(tokens)


def _render(reader: MarkdownIt, tokens: Sequence[Token], pictures: Mapping[str, bytes]) -> str:
    """HTML, with the pictures in it."""

    def embed(match: re.Match[str]) -> str:
        data = pictures.get(match[1])
        return match[0] if data is None else f'src="{_data_url(match[1], data)}"'

    body: str = reader.renderer.render(tokens, reader.options, {})
    return re.sub(r'src="([^":]+)"', embed, body)


def _give_anchors(tokens: Sequence[Token]) -> list[Section]:
    """Anchor the headings of the second and third level; the table of contents."""
    found: list[Section] = []
    taken = set[str]()
    for heading, inline in itertools.pairwise(tokens):
        if heading.type == "table_open":
            heading.attrSet("tabindex", "0")  # a wide one scrolls, by keyboard too
        if heading.type != "heading_open" or heading.tag not in ("h2", "h3"):
            continue
        title = "".join(child.content for child in inline.children or ())
        name = re.sub(r"\W+", "-", title.lower()).strip("-")[:60] or "section"
        anchor = next(a for n in range(len(tokens)) if (a := f"{name}-{n}" if n else name) not in taken)
        taken.add(anchor)
        heading.attrSet("id", anchor)
        into = found[-1].parts if heading.tag == "h3" and found else found
        into.append(Section(anchor, title))
    return found


def _data_url(name: str, data: bytes) -> str:
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
