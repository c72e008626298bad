"""Where assets' metadata and descriptions lead: pages of the workbench, on whatever server shows them.

Events hold links and no pictures. Below our own webserver the link to a plot shows its picture and opens over
Dagster's page (tdw_workbench/static/embed.js), on whatever port it runs by then; on a stock server the link
opens the page of `tdw up` or `tdw serve` at the base URL. A picture in an event would be a broken one
wherever that server does not run.
"""

from __future__ import annotations

import os
from urllib.parse import quote

LOCATION = "tdw"
"""Name of our code location, in `tdw up` and in workspace.yaml."""
DEFAULT_BASE_URL = "http://127.0.0.1:3001"
"""Where `tdw serve` listens by default."""


def base_url() -> str:
    """$TDW_BASE_URL (scheme, host, port and path prefix, without /tdw), else that of `tdw serve`."""
    return os.environ.get("TDW_BASE_URL", DEFAULT_BASE_URL).rstrip("/")


def variant_page(family: str, variant: str) -> str:
    """The page of a variant, where its curves grow while it trains."""
    return f"{base_url()}/tdw/view/variant/{quote(family, safe='')}/{quote(variant, safe='')}"


def plot_page(family: str, variant: str, name: str, *, version: str = "") -> str:
    """The interactive page of a plot.

    Args:
        variant: its key, or the folder of the study over whose variants the plot is.
        version: the content's fingerprint, so that a browser fetches a new picture for a new version.
    """
    path = "/".join(quote(part, safe="") for part in (family, variant, name))
    return f"{base_url()}/tdw/view/plot/{path}" + (f"?v={version[:16]}" if version else "")


def report_page(family: str, folder: str, name: str, *, version: str = "") -> str:
    """The page of a report over the variants of a study, which is in the study's folder."""
    path = "/".join(quote(part, safe="") for part in (family, folder, name))
    return f"{base_url()}/tdw/view/report/{path}" + (f"?v={version[:16]}" if version else "")


def explorer_page(family: str, variant: str) -> str:
    """The explorer of a variant, as its family brings it."""
    return f"{base_url()}/tdw/explorer/{quote(family, safe='')}/{quote(variant, safe='')}"


def plot_preview(title: str, page: str) -> str:
    """Markdown for a plot's metadata or description: below our webserver it becomes picture and link."""
    return f"[{title}: open the interactive plot]({page})"
