"""What a family offers to claims and reports: measures, controls, quantities, figures and sections.

A claim names a measure; the family says how it is read from a variant's tables. So kinds of claim know
nothing of what a family's networks do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.recipes.reading.evidence import HISTORY, Evidence, Float64, Row
from tdw.store import Store

if TYPE_CHECKING:
    from tdw.drawing.chart import Chart


@dataclass(frozen=True)
class Number:
    """One number per variant; NaN where it is not known.

    Attributes:
        label: what sentences call it.
        read: of a variant.
        depends_on: what it depends on that the task does not see, such as names, "" for nothing. Whether
            such a number goes with the outcome can't be asked.
    """

    label: str
    read: Callable[[Row], float]
    depends_on: str = ""


@dataclass(frozen=True)
class Series:
    """Numbers over epochs: of a variant the epochs and values, empty arrays where there are none."""

    label: str
    of: Callable[[Row], tuple[Float64, Float64]]
    depends_on: str = ""


@dataclass(frozen=True)
class Members:
    """A set of a variant's parts by index: the rows of a table in which a column is set."""

    label: str
    table: str
    column: str

    def of(self, row: Row) -> np.ndarray | None:
        """Whether each part is in the set, bool (n,); None without the table."""
        table = row.tables.get(self.table)
        return None if table is None else table[self.column].notna().to_numpy()


@dataclass(frozen=True)
class Choices:
    """Which of the numbers 1, 2, ... a variant has chosen at its end.

    Attributes:
        label: what sentences call them.
        of: the chosen ones of a variant; None where they are not known.
        number: how many there are to choose from.
    """

    label: str
    of: Callable[[Row], frozenset[int] | None]
    number: Callable[[Row], int]


Measure = Number | Series | Members | Choices


@dataclass(frozen=True)
class Control:
    """Runs that are as probable as the observed ones and that a claim has to hold for, too.

    Attributes:
        title: heads the control's sentences in a report.
        adjective: what its runs are called; names of numbers contain it.
        series: what it can give under each draw.
        draws: (row, name of a series) -> epochs (n,) and values (n, draws), the observed run first; empty
            arrays where it is not there.
        caution: one sentence for reports that do not apply the control.
        figure: printed figure of its draws, which every claim with the control shows; "" for none.
    """

    title: str
    adjective: str
    series: tuple[str, ...]
    draws: Callable[[Row, str], tuple[Float64, Float64]]
    caution: str = ""
    figure: str = ""


@dataclass(frozen=True)
class Quantity:
    """A column of the comparison table that reports put side by side.

    Attributes:
        column, label: of the table, and for people.
        overview: part of the overview of all variants.
        panel: title of its panel in the figure of a group, "" for none; may break into two lines.
        of: column with the number out of which it counts, "" for none.
        decides: the outcome is defined by it, so groups made by the outcome are not compared in it.
    """

    column: str
    label: str
    overview: bool = False
    panel: str = ""
    of: str = ""
    decides: bool = False


@dataclass(frozen=True)
class Picture:
    """A printed figure: its caption, its chart without a title, its height in inches.

    `groups` says whether comparisons of groups show it, too. A caption that depends on what is drawn is a
    function of it.
    """

    caption: str | Callable[[Evidence], str]
    chart: Callable[[Evidence], Chart]
    height: float = 3.2
    groups: bool = True

    def said(self, evidence: Evidence) -> str:
        """The caption of the figure about some variants."""
        return self.caption if isinstance(self.caption, str) else self.caption(evidence)

    def has_data(self, evidence: Evidence) -> bool:
        """Whether something would be drawn of these variants."""
        return any(panel.marks for panel in self.chart(evidence).panels)


@dataclass(frozen=True)
class Section:
    """A section of the study report that the family writes: (store, evidence) -> Markdown."""

    name: str
    code_version: str
    write: Callable[[Store, Evidence], str]


def column(name: str, label: str, depends_on: str = "") -> Number:
    """A numeric column of the comparison table."""
    return Number(label, lambda row: row.get(name), depends_on)


def series(label: str, table: str, name: str, depends_on: str = "") -> Series:
    """A column of a table over epochs."""
    return Series(label, lambda row: row.series(table, name), depends_on)


def early(table: str, name: str, label: str) -> Number:
    """A column of a table at the study's early epoch."""
    return Number(label, lambda row: row.at(table, name, epoch=row.early_epoch))


COMMON = {
    "train_loss": series("train loss", HISTORY, "train_loss"),
    "test_loss": series("test loss", HISTORY, "test_loss"),
    "test_accuracy": series("test accuracy", HISTORY, "test_accuracy"),
}
"""Measures that every family has: its training history."""
