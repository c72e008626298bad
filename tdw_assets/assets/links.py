"""What assets show people in Dagster's UI: numbers, files, links to our pages, columns, their code."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import dagster as dg

from tdw.execution.done import Done
from tdw.execution.make import function_of
from tdw.inventory.products import Product
from tdw.store import reading
from tdw.store.formats import tablefile
from tdw_resources import links
from tdw_resources.wanted import WantedAssets

Metadata = dict[str, float | int | str | dg.TableSchema | dg.MetadataValue]


def metadata_of(wanted: WantedAssets, done: Done) -> Metadata:
    """The metadata of a materialization; below our webserver the preview's link shows the picture."""
    found: Metadata = dict(done.metadata)
    product, family, version = wanted.product(done.name), wanted.family.name, done.version.content
    if product.kind == "plots":
        where = done.variant or wanted.study.folder
        page = links.plot_page(family, where, product.short_name, version=version)
        title = f"{product.title}, {done.variant}" if done.variant else product.title
        found["preview"] = dg.MetadataValue.md(links.plot_preview(title, page))
        found["interactive"] = dg.MetadataValue.url(page)
    elif product.kind == "reports":
        page = links.report_page(family, wanted.study.folder, product.short_name, version=version)
        found["report"] = dg.MetadataValue.url(page)
    else:
        found["path"] = dg.MetadataValue.path(done.path)
    if product.kind in ("summaries", "history"):
        found |= _table_metadata(Path(done.path))
    if wanted.family.explorer and done.name in wanted.family.explorer.analyzers:
        found["explorer"] = dg.MetadataValue.url(links.explorer_page(family, done.variant))
    return found


def tell_where_to_watch(context: dg.AssetExecutionContext, wanted: WantedAssets, variant: str) -> None:
    """A line in the run's log, with a link, to the page where the curves of this training grow."""
    page = links.variant_page(wanted.family.name, variant)
    context.log_event(
        dg.AssetObservation(
            wanted.checkpoint,
            description=f"{variant} trains: watch its curves grow at {page}",
            metadata={"watch": dg.MetadataValue.url(page)},
        )
    )


def _table_metadata(path: Path) -> Metadata:
    """Columns with their types, and the number of rows, where Dagster looks for them."""
    table, _, _ = tablefile.decode(reading.read_bytes(path), path=path)
    columns = [dg.TableColumn(str(name), str(kind)) for name, kind in table.dtypes.items()]
    return {"dagster/column_schema": dg.TableSchema(columns), "dagster/row_count": len(table)}


def code_metadata(wanted: WantedAssets, product: Product) -> dict[str, Any]:
    """Where the function that makes a product is: Dagster's UI opens its file in an editor."""
    function = inspect.unwrap(function_of(wanted.family, product))
    file = inspect.getsourcefile(function) if inspect.isfunction(function) else None
    if file is None:  # made at run time, or its source is not there
        return {}
    line = function.__code__.co_firstlineno
    label = f"{function.__module__}.{function.__qualname__}"
    place = dg.LocalFileCodeReference(file_path=file, line_number=line, label=label)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[place])}
