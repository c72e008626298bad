"""P3: the coarseness of every neuron over training, a facet per variant."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing.chart import Chart, Choice, Option, Panel, sentences
from tdw.drawing.crowd import FEW
from tdw.drawing.marks import EPOCHS, Axis, Heat, Rule, Scale
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.figures.coarseness.neuron_matrix import (
    MOST,
    Data,
    Facet,
    load,
    orders,
)
from tdw.families.modulo_addition_1layer.figures.subject import not_analyzed
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

_MOST_COLUMNS, _MOST_SMALL = 4, 4
_SCALE = Scale("coarseness")
_FIRST = "first blob epoch"


def chart(data: Data) -> Chart:
    """Heat maps on shared axes and one scale of colors; the buttons sort the neurons."""
    first = data.facets[0].subject
    one = len(data.facets) == 1
    columns = min(len(data.facets), _MOST_COLUMNS)
    by_facet = [orders(facet, blob_from=data.blob_from) for facet in data.facets]
    common = [name for name in by_facet[0] if all(name in found for found in by_facet)]
    options = tuple(
        Option(f"by {name}", orders={i: _names(found[name]) for i, found in enumerate(by_facet)})
        for name in common
    )
    return Chart(
        f"Coarseness by neuron · {first.label}" if one else "Coarseness by neuron and variant",
        tuple(_panel(facet, i, columns, one=one) for i, facet in enumerate(data.facets)),
        subtitle=sentences(
            f"{len(data.facets)} of {data.of} variants, from the earliest grokking to the latest"
            if data.of > len(data.facets) + len(data.left_out)
            else "",
            first.text if one else "dashed: grokking epoch",
            not_analyzed(data.left_out),
        ),
        choices=(Choice(options, small=common.index(_FIRST)),),
        gaps=(0.03, 0.12),
        share_x=False,
        share_y=not one,
        unified=False,
    )


def _panel(facet: Facet, place: int, columns: int, *, one: bool) -> Panel:
    row, column = divmod(place, columns)
    names = _names(np.arange(len(facet.values)))
    of = facet.subject
    rules = tuple(Rule(y=rule.x, text=rule.text if one else "") for rule in of.rules)
    title = f"<b>{of.label}</b>" + (" · no grok" if of.no_grok else "") + (" · gaps" if of.missing else "")
    return Panel(
        [Heat(names, facet.epochs, np.ascontiguousarray(facet.values.T), _SCALE, name=of.label)],
        x=Axis("neuron", categories=names, places=True, most=12 if one else 4),
        y=EPOCHS if one else EPOCHS.narrow(),
        rules=rules,
        title="" if one else title,
        row=row,
        column=column,
        small=place < _MOST_SMALL,
    )


def _names(order: npt.NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(f"n{i}" for i in order.tolist())


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, then a column per neuron (n0, n1, ...)."""
    import pandas as pd

    tables: list[pd.DataFrame] = []
    for facet in data.facets:
        wide = pd.DataFrame(facet.values.T, columns=list(_names(np.arange(len(facet.values)))))
        wide.insert(0, "epoch", facet.epochs)
        wide.insert(0, "variant", facet.subject.variant)
        tables.append(wide)
    return pd.concat(tables, ignore_index=True)


DESCRIPTION = """\
Coarseness of each MLP neuron (column) at each epoch (row, the first at the bottom), color fixed from 0 to 1.

Coarseness is the share of a neuron's non-constant 2-D Fourier power over (a, b) within the disc of radius
int(p / 8); at 0.7 or above a neuron is a *blob*, below 0.5 *plaid*; a dead neuron has 0.

The buttons sort the columns: by index, by the frequency that explains most of the neuron at the last epoch,
by the first epoch at which it is a blob (those that never are come last), or by coarseness at the last epoch.

**How to read it.** Sorted by first blob epoch, the edge between dark and bright is the course of blob
formation; a bright column that turns dark further up did not stay a blob. Sorted by final frequency, neurons
of one cluster stand together. Empty rows are missing epochs; the dashed line is the grokking epoch. The
numbers at the horizontal axis count the columns; sorted by index they are the neurons' own, and the hover
text always has those.
"""

PLOT = Plot(
    name="neuron_coarseness",
    title="Coarseness by neuron",
    description=DESCRIPTION,
    code_version="4",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/neuron_coarseness",),
    uses=("summaries/neurons", "summaries/grokking"),
    parameters=BlobRule,
)

COMPARISON = dataclasses.replace(
    PLOT,
    name="neuron_coarseness_comparison",
    title="Coarseness by neuron and variant",
    description=DESCRIPTION
    + f"""
A facet per variant, on shared axes and one color scale. Of more than {FEW} variants {MOST} are shown, from
the earliest grokking epoch to the latest, those without one last.
""",
    code_version="5",
    scope="comparison",
)
