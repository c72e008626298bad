"""The registered plots: an explicit list, added to by a person. Imports neither torch nor plotly."""

from __future__ import annotations

from tdw.errors import BadConfig
from tdw.plots import mean_coarseness, training_curves
from tdw.plots.base import Plot, Scope

PLOTS: tuple[Plot, ...] = (
    training_curves.PLOT,
    mean_coarseness.PLOT,
    mean_coarseness.COMPARISON,
)


def get_plot(name: str, *, scope: Scope | None = None) -> Plot:
    """The plot called `name`.

    Raises:
        BadConfig: there is none, or none of this scope; lists those there are.
    """
    fitting = [plot for plot in PLOTS if scope in (None, plot.scope)]
    for plot in fitting:
        if plot.name == name:
            return plot
    kind = {"variant": "plot of a variant", "comparison": "plot over variants", None: "plot"}[scope]
    known = ", ".join(plot.name for plot in fitting)
    raise BadConfig(f"no {kind} is called {name[:80]!r}", f"use one of: {known}")
