"""P11: variants side by side on shared axes, those that differ in one parameter at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Page, Panel, sentences, with_band
from tdw.drawing.marks import EPOCHS, AnyMark, Axis, Line, Rule, loss, share
from tdw.families.modulo_addition_1layer.figures.side_by_side import Column, Data, Parameters, load
from tdw.families.modulo_addition_1layer.figures.subject import not_analyzed
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

_LEGEND = "test loss thick, train loss thin; mean coarseness with quartiles; dashed: grokking epoch"


def chart(data: Data) -> Chart:
    """A column per variant; a page per choice of variants."""
    blobs = [column.coarseness["blobs"].to_numpy(np.float64) for column in data.columns]
    top = max(float(np.nanmax(each, initial=1)) for each in blobs)
    axes = (
        loss(step=2),
        share("coarseness", most=4),
        Axis(f"blobs ≥ {data.parameters.threshold:g}", range=(0, top * 1.05), form=",d", most=4),
    )
    return Chart(
        "Variants side by side",
        tuple(
            Panel(
                marks,
                x=EPOCHS.narrow(),
                y=axes[row],
                rules=tuple(Rule(x=rule.x) for rule in column.subject.rules),
                title=column.heading if row == 0 else "",
                row=row,
                column=place,
            )
            for place, column in enumerate(data.columns[at] for at in data.shown)
            for row, marks in enumerate(_marks(column))
        ),
        subtitle=sentences(_LEGEND, not_analyzed(data.left_out)),
        pages=tuple(
            Page(choice.label, tuple(sorted(map(data.shown.index, choice.places)))) for choice in data.choices
        ),
        heights=(34, 27, 27),
        gaps=(0.012, 0.06),
        share_y=True,
        unified=False,
        small=_small(data),
    )


def _marks(column: Column) -> tuple[list[AnyMark], ...]:
    """Losses, coarseness and blobs: what stands above each other."""
    table, look = column.coarseness, column.subject.look
    epochs = table["epoch"].to_numpy(np.int64)

    def line(name: str, hover: str) -> Line:
        return Line(
            epochs,
            table[name].to_numpy(np.float64),
            name=column.subject.label,
            color=look.color,
            symbol=look.symbol,
            size=3,
            legend=False,
            hover=f"{hover}<br>epoch {{x:,d}}",
        )

    band, mean = with_band(
        line("mean", "mean coarseness {y:.3f}"), table["low"].to_numpy(), table["high"].to_numpy()
    )
    losses = [_loss(column, "train_loss", width=1, opacity=0.55), _loss(column, "test_loss")]
    return [*losses], [band, mean], [line("blobs", "{y:,d} neurons")]


def _loss(column: Column, name: str, *, width: float = 2, opacity: float = 1) -> Line:
    x, y = series.curve(column.losses["epoch"].to_numpy(np.int64), column.losses[name].to_numpy(np.float64))
    return Line(
        x, y,
        name=column.subject.label,
        color=column.subject.look.color,
        width=width,
        opacity=opacity,
        legend=False,
        hover=f"{name.replace('_', ' ')} {{y:.3~g}} nats<br>epoch {{x:,d}}",
    )  # fmt: skip


def _small(data: Data) -> Chart:
    """Test losses and mean coarseness of the first choice: columns would be too narrow."""
    columns = [data.columns[place] for place in data.choices[0].places]
    means = [_marks(column)[1][1] for column in columns]
    return Chart(
        "Variants side by side",
        (
            Panel([_loss(column, "test_loss") for column in columns], y=loss("test loss")),
            Panel([replace(mean, legend=True) for mean in means], y=share("mean coarseness"), column=1),
        ),
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, train_loss, test_loss (nats), mean, low, high (quartiles), blobs (neurons)."""
    import pandas as pd

    tables = [
        column.coarseness.merge(column.losses, on="epoch", how="left").assign(variant=column.subject.variant)
        for column in data.columns
    ]
    columns = ["variant", "epoch", "train_loss", "test_loss", "mean", "low", "high", "blobs"]
    return pd.concat(tables, ignore_index=True)[columns]


PLOT = Plot(
    name="comparison",
    title="Variants side by side",
    description="""\
Up to eight variants side by side, a column each, on shared axes: train (thin) and test loss (thick), mean
coarseness with its quartiles, and the number of blob neurons (coarseness at or above 0.7). The menu chooses
variants that share a parameter, so that what differs between the columns is the other one: *p = 113* shows
its seeds, *seed = 999* its moduli. Of more than eight it shows some from the earliest to the latest grokking
epoch, those without one last, and the eight at either end.

**How to read it.** All columns have the same axes, and zooming one zooms all. The dashed line is the
variant's grokking epoch; *no grok* stands above a column that never got there. Gaps are missing epochs.
""",
    code_version="4",
    scope="comparison",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/coarseness",),
    uses=("history", "summaries/grokking"),
    parameters=Parameters,
)
