"""What a plot's asset shows in Dagster's UI: a small picture, and a link to the interactive page."""

from __future__ import annotations

import dagster as dg

from tdw.recipes.figure import Plot
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.materializations import Metadata
from tdw_resources import links


def plot_metadata(grid: Grid, variant: str, plot: Plot, *, version: str, nbytes: int) -> Metadata:
    """Links for the event log; below our webserver the preview's link shows the picture.

    Args:
        version: of the plot's content, so that browsers see a new picture where there is one.
    """
    family = grid.family.name
    page = links.plot_page(family, variant or None, plot.name, version=version)
    preview = links.plot_preview(plot.title, family, variant or None, plot.name, version=version)
    return {"preview": dg.MetadataValue.md(preview), "interactive": dg.MetadataValue.url(page)}
