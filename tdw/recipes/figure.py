"""What a plot declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from tdw.drawing.chart import Chart
    from tdw.recipes.common.panels import Maps
    from tdw.recipes.reading.reader import Sources

Scope = Literal["variant", "comparison"]


@dataclass(frozen=True)
class NoParameters:
    """None: the figure has nothing to set."""


@dataclass(frozen=True)
class Listed:
    """A parameter that lists parts of the model by index; on the figure's page a reader chooses them.

    Attributes:
        parameter: its name.
        default: what is shown where it is None, in words.
        most: how many can be listed.
    """

    parameter: str
    default: str
    most: int


@dataclass(frozen=True)
class Plot:
    """One figure, and what must be known about it.

    Attributes:
        name, title, description: `description` is Markdown: what it shows, formula and source, how to read
            it.
        code_version: changed by hand whenever the same data would give another figure.
        scope: one variant, or several side by side.
        load: (sources, parameters) -> the figure's data, a frozen dataclass of arrays and tables.
        chart: data -> the description that both pens draw.
        table: data -> the figure's data in long form, units in the column names' documentation.
        needs: what must be there: "history", "checkpoints", "summaries/<name>" or an analyzer's name.
        uses: what is shown where it is there, named alike.
        parameters: frozen dataclass; its defaults are the plot's.
        every: (sources, parameters) -> maps at every epoch that there is, for the page of a figure whose own
            slider can't carry them all; None for other figures.
        chooses: what a reader can choose there; None for nothing.
    """

    name: str
    title: str
    description: str
    code_version: str
    scope: Scope
    load: Callable[[Sources, Any], Any]
    chart: Callable[[Any], Chart]
    table: Callable[[Any], pd.DataFrame]
    needs: tuple[str, ...]
    uses: tuple[str, ...] = ()
    parameters: type[Any] = NoParameters
    every: Callable[[Sources, Any], Maps] | None = None
    chooses: Listed | None = None
