"""Names under which this version stores things: what lies under another one may be anybody's."""

from __future__ import annotations

from functools import cache

from tdw.store.layout import CHECKPOINTS, STATES


@cache
def artifact_kinds() -> frozenset[str]:
    """Folders of artifacts: checkpoints, states and those of the analyzers."""
    from tdw.analysis.registry import ANALYZERS

    return frozenset([CHECKPOINTS, STATES, *(analyzer.name for analyzer in ANALYZERS)])


@cache
def table_names() -> frozenset[str]:
    """Tables: the history, the summaries, and those over all variants."""
    from tdw.making.comparison import ASSOCIATIONS, COMPARISON
    from tdw.summaries.registry import SUMMARIES
    from tdw.training.records import HISTORY

    return frozenset([HISTORY, COMPARISON, ASSOCIATIONS, *(summary.name for summary in SUMMARIES)])


@cache
def plot_names() -> frozenset[str]:
    """Plots and reports, which are stored alike."""
    from tdw.plots.registry import PLOTS
    from tdw.reports.registry import REPORTS

    return frozenset([plot.name for plot in PLOTS] + [report.name for report in REPORTS])
