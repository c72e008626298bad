"""What an event shows people in Dagster's UI: numbers, the file, and links to our pages."""

from __future__ import annotations

import dagster as dg

from tdw.inventory.done import Done
from tdw_assets.cells.wanted import Grid
from tdw_resources import links

Metadata = dict[str, float | int | str | dg.MetadataValue]


def metadata_of(grid: Grid, done: Done) -> Metadata:
    """The metadata of a materialization; below our webserver the preview's link shows the picture."""
    found: Metadata = dict(done.metadata)
    product, family, version = grid.product(done.name), grid.family.name, done.version.content
    if product.kind == "plots":
        address = (family, done.variant or None, product.short_name)
        preview = links.plot_preview(product.title, *address, version=version)
        found["preview"] = dg.MetadataValue.md(preview)
        found["interactive"] = dg.MetadataValue.url(links.plot_page(*address, version=version))
    elif product.kind == "reports":
        page = links.report_page(family, product.short_name, version=version)
        found["report"] = dg.MetadataValue.url(page)
    else:
        found["path"] = dg.MetadataValue.path(done.path)
    if grid.family.explorer and done.name in grid.family.explorer.analyzers:
        found["explorer"] = dg.MetadataValue.url(links.explorer_page(family, done.variant))
    return found
