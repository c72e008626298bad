"""The dashboard that each family has by default: what its declaration names."""

from __future__ import annotations

from tdw.families import Family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.dashboard import TABLE, VIEW, size_of
from tdw_workbench.web.dashboards.files import Saved
from tdw_workbench.web.dashboards.model import Dashboard, Kind, Panel

KINDS: dict[str, Kind] = {VIEW: "maps", TABLE: "table"}
MOST_PLOTS = 6
"""Of a family that declares no dashboard."""


def default_of(family: Family) -> Saved:
    """What the family declares; where it declares nothing, its first plots of one variant."""
    plots = [plot.name for plot in catalog_of(family).plots if plot.scope == "variant"]
    names = family.dashboard or plots[:MOST_PLOTS]
    dashboard = Dashboard(family=family.name, title=family.title, panels=tuple(map(panel_of, names)))
    return Saved(family.name, 0, dashboard)


def panel_of(shown: str) -> Panel:
    """The panel of an entry in a family's declaration."""
    name, width, height = size_of(shown)
    for start, kind in KINDS.items():
        if name.startswith(start):
            return Panel(kind=kind, name=name.removeprefix(start), width=width, height=height)
    return Panel(kind="figure", name=name, width=width, height=height)
