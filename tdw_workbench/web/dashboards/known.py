"""What panels of a family can show."""

from __future__ import annotations

import dataclasses
from typing import Any

from tdw.families import Family
from tdw.making.comparison import COMPARISON
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import REPORTS


def known(family: Family) -> dict[str, dict[str, dict[str, Any]]]:
    """By kind of panel: name -> "title", whether it is "over" several variants; of figures whether they are
    maps at "every" epoch, and of maps their view.
    """
    catalog = catalog_of(family)
    views = family.explorer.views if family.explorer else ()
    tables = {summary.name: {"title": summary.title, "over": False} for summary in catalog.summaries}
    if family.comparison is not None:
        tables[COMPARISON] = {"title": "Comparison of variants", "over": True}
    return {
        "figure": {
            plot.name: {
                "title": plot.title,
                "over": plot.scope == "comparison",
                "every": plot.every is not None,
            }
            for plot in catalog.plots
        },
        "maps": {view.name: {**dataclasses.asdict(view), "over": False} for view in views},
        "table": tables,
        "section": {report.name: {"title": report.title, "over": True} for report in REPORTS},
    }
