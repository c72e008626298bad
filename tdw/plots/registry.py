"""The registered plots: an explicit list, added to by a person. Imports neither torch nor plotly."""

from __future__ import annotations

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.figures import (
    attention_patterns,
    blob_count,
    coarseness_distribution,
    comparison,
    dominant_frequencies,
    early_coarseness,
    mean_coarseness,
    multi_scale,
    neuron_clusters,
    neuron_coarseness,
    progress_measures,
)
from tdw.recipes.common import training_curves
from tdw.recipes.figure import Plot, Scope

PLOTS: tuple[Plot, ...] = (
    training_curves.PLOT,
    mean_coarseness.PLOT,
    coarseness_distribution.PLOT,
    neuron_coarseness.PLOT,
    blob_count.PLOT,
    dominant_frequencies.PLOT,
    neuron_clusters.PLOT,
    attention_patterns.PLOT,
    multi_scale.PLOT,
    multi_scale.LARGE,
    progress_measures.PLOT,
    early_coarseness.PLOT,
    comparison.PLOT,
    mean_coarseness.COMPARISON,
    neuron_coarseness.COMPARISON,
    blob_count.COMPARISON,
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
