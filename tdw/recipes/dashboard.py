"""What a family declares of its default dashboard: the names of what is on it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tdw.errors import BadConfig
from tdw.recipes.family import Family
from tdw.recipes.figure import Plot
from tdw.recipes.summary import Summary

TABLE, VIEW = "summaries/", "explorer/"
"""Before the name of a table, and of a view of the explorer; plots have their name alone."""
_SIZED = re.compile(r"(\S+) ([0-9]{1,2})x([0-9]{1,2})")


def size_of(shown: str) -> tuple[str, int, int]:
    """The name of what is shown, its columns of twelve and its rows: 4 x 8 unless it says otherwise."""
    match = _SIZED.fullmatch(shown)
    return (match[1], int(match[2]), int(match[3])) if match else (shown, 4, 8)


def require_dashboard(family: Family, plots: Iterable[Plot], summaries: Iterable[Summary]) -> None:
    """Raise BadConfig for a default dashboard or a view of the explorer that names what is not there."""
    views = family.explorer.views if family.explorer else ()
    known = [
        *(plot.name for plot in plots),
        *(f"{TABLE}{summary.name}" for summary in summaries),
        *(f"{VIEW}{view.name}" for view in views),
    ]
    unknown = [shown for shown in family.dashboard if size_of(shown)[0] not in known]
    if unknown:
        raise BadConfig(
            f"the dashboard of family {family.name} shows {', '.join(unknown)}",
            f"name what is there: {', '.join(known)}",
        )
    for view in views:
        recipe = family.explorer.slices.get(view.slice) if family.explorer else None
        if recipe is None or view.index not in recipe.indices or recipe.one_epoch:
            raise BadConfig(
                f"the view {view.name} of the explorer of family {family.name} is drawn from {view.slice} "
                f"by {view.index}",
                "name a slice over all epochs, and one of its indices",
            )
