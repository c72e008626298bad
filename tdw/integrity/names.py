"""Names under which this version stores things: anything under another name may be anybody's."""

from __future__ import annotations

from tdw.families import all_families
from tdw.recipes.catalog import Catalog, catalog_of
from tdw.store.layout import CHECKPOINTS, STATES


def artifact_kinds() -> frozenset[str]:
    """Folders of artifacts: checkpoints, states and those of the analyzers of any family."""
    return frozenset([CHECKPOINTS, STATES, *(name for each in _catalogs() for name in each.analyzer_names)])


def table_names() -> frozenset[str]:
    """Tables: the history, the summaries of any family, and those over all variants."""
    from tdw.making.comparison import ASSOCIATIONS, COMPARISON
    from tdw.training.records import HISTORY

    names = [summary.name for each in _catalogs() for summary in each.summaries]
    return frozenset([HISTORY, COMPARISON, ASSOCIATIONS, *names])


def plot_names() -> frozenset[str]:
    """Plots of any family and reports, which are stored alike."""
    from tdw.reports.registry import REPORTS

    plots = [plot.name for each in _catalogs() for plot in each.plots]
    return frozenset(plots + [report.name for report in REPORTS])


def _catalogs() -> list[Catalog]:
    return [catalog_of(family) for family in all_families()]
