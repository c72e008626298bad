"""An analyzer (of one checkpoint), a table (over checkpoints) and a figure. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.compute import one_thread
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import EPOCHS, Line, share
from tdw.drawing.style import COLORS
from tdw.families.transformer.context import TransformerContext
from tdw.recipes.analyzer import Analyzer
from tdw.recipes.comparison import Comparison
from tdw.recipes.context import Arrays
from tdw.recipes.figure import Plot
from tdw.recipes.overview import Curve, OverviewColumn
from tdw.recipes.summary import HISTORY, Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources
    from tdw.recipes.reading.variant_tables import VariantTables


# One checkpoint: from weights and the probe's activations to named arrays.


def _offset(context: TransformerContext, parameters: NoParameters) -> Arrays:
    lag = getattr(context.config, "lag")  # noqa: B009 - the kit's context knows no field of ours
    with one_thread():
        # A layer's pattern is (sequences, heads, query, key); the diagonal `lag` below the main one is read.
        patterns = [layer.diagonal(-lag, 2, 3).mean(dim=(0, 2)) for layer in context.probe.patterns]
    return {"attention": np.stack([layer.double().cpu().numpy() for layer in patterns])}


OFFSET = Analyzer(
    name="offset_attention",
    title="Attention to the answer",
    description="Attention of each head to the token `lag` positions before, averaged over the probe.",
    code_version="1",  # raise it whenever the same checkpoint would give other numbers
    parameters=NoParameters,
    function=_offset,
    arrays={"attention": "float64 (n_layers, n_heads), 0-1"},
)


# Over checkpoints: a table with a row per epoch.


def _table(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    attention = inputs.stack(OFFSET.name, "attention")  # (epochs, layers, heads)
    heads = {f"L{i}H{j}": attention[:, i, j] for i, j in np.ndindex(attention.shape[1:])}
    return inputs.table({**heads, "highest": attention.max(axis=(1, 2))})


TABLE = Summary(
    name="offset_attention",
    title="Attention to the answer",
    description="A row per epoch: attention of each head to the token `lag` before, and the highest of them.",
    code_version="1",
    needs=(OFFSET.name,),
    function=_table,
)


# The figure: what it reads, how it is drawn, its numbers as a table.


@dataclass(frozen=True)
class Data:
    """One variant; `table` has the columns epoch, L0H0, L0H1, ..., highest."""

    label: str
    table: pd.DataFrame


def _load(sources: Sources, parameters: NoParameters) -> Data:
    reader = sources.only
    return Data(reader.label, reader.summary(TABLE.name))


def _chart(data: Data) -> Chart:
    epochs = data.table["epoch"].to_numpy()
    heads = [name for name in data.table.columns if name.startswith("L")]
    lines = [
        Line(epochs, data.table[name].to_numpy(), name=name, color=COLORS[i % len(COLORS)])
        for i, name in enumerate(heads)
    ]
    panel = Panel(lines, x=EPOCHS, y=share("attention (0–1)"))
    return Chart(f"Attention to the answer · {data.label}", (panel,))


FIGURE = Plot(
    name="offset_attention",
    title="Attention to the answer",
    description="""\
Attention of each head to the token `lag` positions before, over training.

**How to read it.** A head that rises to 1 does the task; one that stays at about 1 / length takes no part.
""",
    code_version="1",
    scope="variant",
    load=_load,
    chart=_chart,
    table=lambda data: data.table,
    needs=(f"summaries/{TABLE.name}",),
)


# Variants side by side, and the first page.


def _columns(variant: VariantTables, early: int) -> Mapping[str, Any]:
    return {
        "final_accuracy": variant.number(HISTORY, "accuracy"),
        "final_attention": variant.number(TABLE.name, "highest"),
    }


COMPARISON = Comparison(
    tables=(HISTORY, TABLE.name),
    alike=(OFFSET.name,),
    columns=_columns,
    whole=(),
    description="A row per variant, at its end: `final_accuracy`, and `final_attention` of the best head.",
    code_version="1",
)


def _accuracy(table: pd.DataFrame) -> Curve:
    known = table.dropna(subset=["accuracy"])
    return known["epoch"].to_numpy(np.int64), known["accuracy"].to_numpy(np.float64)


OVERVIEW = (OverviewColumn("accuracy", HISTORY, curve=_accuracy, note="0 to 1"),)
