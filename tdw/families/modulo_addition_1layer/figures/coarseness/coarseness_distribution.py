"""P1: the distribution of the neurons' coarseness, over epochs and at one epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart
from tdw.drawing.marks import Axis
from tdw.families.modulo_addition_1layer.figures import profile, subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        histogram: columns epoch, hist_00, hist_01, ...: neurons in each equal part of [0, 1]; a row per
            scheduled epoch, NaN where it is missing.
    """

    subject: subject.Subject
    histogram: pd.DataFrame


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The histograms of the coarseness summary."""
    reader = sources.only
    table = reader.summary("coarseness")
    bins = [name for name in table.columns if str(name).startswith("hist_")]
    return Data(
        subject=subject.load(reader, table["epoch"]),
        histogram=series.on_schedule(table[["epoch", *bins]], reader.scheduled),
    )


def chart(data: Data) -> Chart:
    """The histograms as heat map and bars."""
    counts = data.histogram.drop(columns="epoch").to_numpy(np.float64).T
    found = profile.Profile(
        epochs=data.histogram["epoch"].to_numpy(np.int64),
        rows=(np.arange(len(counts)) + 0.5) / len(counts),
        values=counts,
        axis=Axis("coarseness (0 to 1)", form=".3f", ticks=".1f", step=0.1),
        value="neurons",
        log=True,
    )
    return profile.chart(found, "Coarseness distribution", data.subject, subtitle=data.subject.text)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, bin_low, bin_high, neurons; empty where the epoch is missing."""
    long = data.histogram.melt("epoch", var_name="bin", value_name="neurons").sort_values(
        ["epoch", "bin"], kind="stable", ignore_index=True
    )
    bins = data.histogram.shape[1] - 1
    low = long["bin"].str.removeprefix("hist_").astype(int) / bins
    return long.assign(variant=data.subject.variant, bin_low=low, bin_high=low + 1 / bins)[
        ["variant", "epoch", "bin_low", "bin_high", "neurons"]
    ]


PLOT = Plot(
    name="coarseness_distribution",
    title="Coarseness distribution",
    description="""\
How the coarseness of all MLP neurons is distributed. Left: a heatmap over epochs, neurons in each twentieth
of [0, 1], the color on a logarithmic scale so that few neurons beside many can be seen. Right: the same at
one epoch, as bars; the slider below, or *play*, moves the epoch, which the vertical line marks on the left.

Coarseness is the share of a neuron's non-constant 2-D Fourier power over (a, b) within the disc of radius
int(p / 8). Dead neurons are in, with coarseness 0.

**How to read it.** One cloud that moves up means that all neurons get coarser together; a cloud that splits
means that some become blobs (0.7 and above) while others stay plaid (below 0.5). Columns that are empty are
missing epochs.
""",
    code_version="3",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/coarseness",),
    uses=("summaries/grokking",),
)
