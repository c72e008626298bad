"""A report as files: what all reports are made of, and how one is committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tdw.html_repr import html_frame
from tdw.recipes.family import Family
from tdw.reports.page import to_html
from tdw.store import Provenance, Store, Written, tdw_version

MARKDOWN, PAGE = "report.md", "report.html"


@dataclass(frozen=True)
class Document:
    """A report as files: `report.md`, `report.html`, its numbers as JSON, and the figures of the Markdown."""

    title: str
    files: Mapping[str, bytes]

    @property
    def markdown(self) -> str:
        """The Markdown."""
        return self.files[MARKDOWN].decode()

    @property
    def html(self) -> str:
        """The self-contained page."""
        return self.files[PAGE].decode()

    def pdf(self) -> bytes:
        """The page as PDF.

        Raises:
            NoBrowser: there is no Chromium or Chrome to print it.
        """
        from tdw.drawing.pdf import to_pdf

        return to_pdf(self.files[PAGE])

    def _repr_html_(self) -> str:
        return html_frame(self.html)


def as_files(
    parts: list[str], *, title: str, pictures: Mapping[str, bytes], numbers: Mapping[str, Any]
) -> dict[str, bytes]:
    """The files of a report.

    Args:
        parts: Markdown, joined by empty lines.
        title: of the page.
        pictures: SVG by file name, as the Markdown refers to them.
        numbers: file name -> what is written into it as JSON.
    """
    markdown = "\n\n".join(parts) + "\n"
    return {
        MARKDOWN: markdown.encode(),
        PAGE: to_html(markdown, title=title, pictures=pictures).encode(),
        **{name: (json.dumps(value, indent=1) + "\n").encode() for name, value in numbers.items()},
        **pictures,
    }


def commit(
    report: Document,
    store: Store,
    family: Family,
    *,
    name: str,
    code_version: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    folder: str | None = None,
) -> Written:
    """Commit a report beside the plots over variants.

    Args:
        report: to be committed.
        store: where to.
        family: of the variants.
        name: of the report, and of the code behind it `code_version`.
        code_version: of the code that made it.
        parameters: what it was asked for.
        inputs: "<variant>/<summary>" -> hash of what that was made from.
        folder: of the study that it is about, as `Study.folder`; None for none.

    Raises:
        StoreError: the commit failed; what was there stays.
    """
    provenance = Provenance(
        family=family.name,
        variant="",
        name=name,
        code_version=code_version,
        parameters=dict(parameters),
        inputs=dict(inputs),
        environment={"tdw": tdw_version()},
    )
    return store.write_document(family.name, folder, name, files=report.files, provenance=provenance)
