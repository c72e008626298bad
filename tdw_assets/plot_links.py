"""What a plot's asset shows in Dagster's UI: a small picture, and a link to the interactive page."""

from __future__ import annotations

import os

import dagster as dg

from tdw.plots.base import Plot
from tdw.store.layout import COMPARISON
from tdw_assets.grid import Grid
from tdw_assets.reports import Metadata


def base_url() -> str:
    """Where the workbench's pages are: $TDW_BASE_URL, else the server that shows the link."""
    return os.environ.get("TDW_BASE_URL", "").rstrip("/")


def plot_metadata(grid: Grid, variant: str, plot: Plot, *, version: str, nbytes: int) -> Metadata:
    """Links for the event log. Pictures go by URL: one in metadata would be stored four times and sent with
    every page.

    Args:
        version: of the plot's content, so that browsers see a new picture where there is one.
    """
    of = f"{grid.family.name}/{variant or COMPARISON}/{plot.name}"
    page = f"{base_url()}/tdw/view/plot/{of}?v={version}"
    picture = f"{base_url()}/tdw/plot/{of}/preview.png?v={version}"
    return {
        "preview": dg.MetadataValue.md(f"[![{plot.title}]({picture})]({page})"),
        "interactive": dg.MetadataValue.url(page),
    }
