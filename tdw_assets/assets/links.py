"""What assets show in Dagster's UI beside numbers: pictures and pages, tables' columns, their code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dagster as dg

from tdw.recipes.figure import Plot
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.materializations import Metadata
from tdw_resources import links

if TYPE_CHECKING:
    import pandas as pd


def plot_metadata(grid: Grid, variant: str, plot: Plot, *, version: str, nbytes: int) -> Metadata:
    """Links for the event log; below our webserver the preview's link shows the picture.

    Args:
        version: of the plot's content, so that browsers see a new picture where there is one.
    """
    family = grid.family.name
    page = links.plot_page(family, variant or None, plot.name, version=version)
    preview = links.plot_preview(plot.title, family, variant or None, plot.name, version=version)
    return {"preview": dg.MetadataValue.md(preview), "interactive": dg.MetadataValue.url(page)}


def table_metadata(table: pd.DataFrame) -> Metadata:
    """Columns with their types, and the number of rows, where Dagster looks for them."""
    columns = [dg.TableColumn(str(name), str(kind)) for name, kind in table.dtypes.items()]
    return {"dagster/column_schema": dg.TableSchema(columns), "dagster/row_count": len(table)}


def code_metadata(function: Callable[..., Any]) -> dict[str, Any]:
    """Where the function that makes an asset is: Dagster's UI opens its file in an editor."""
    function = inspect.unwrap(function)
    try:
        file, (_, line) = inspect.getsourcefile(function), inspect.getsourcelines(function)
    except (TypeError, OSError):  # made at run time, or its source is not there
        return {}
    label = f"{function.__module__}.{function.__qualname__}"
    place = dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=label)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[place])}
