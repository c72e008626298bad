"""P8: the frequencies of the embedding, over epochs and at one epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, sentences
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
        norms: columns epoch, norm_1, norm_2, ..., threshold_norm, dominant_frequencies (text); a row per
            scheduled epoch, NaN where it is missing.
    """

    subject: subject.Subject
    norms: pd.DataFrame


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The norms of the frequency summary."""
    reader = sources.only
    table = reader.summary("frequencies")
    columns = ["epoch", *_norms(table), "threshold_norm", "dominant_frequencies"]
    return Data(
        subject=subject.load(reader, table["epoch"]),
        norms=series.on_schedule(table[columns], reader.scheduled),
    )


def _norms(table: pd.DataFrame) -> list[str]:
    h = sum(str(name).startswith("norm_") for name in table.columns)
    return [f"norm_{k}" for k in range(1, h + 1)]


def chart(data: Data) -> Chart:
    """The norms as heat map and bars, with the norm from which on a frequency is dominant."""
    values = data.norms[_norms(data.norms)].to_numpy(np.float64).T
    last = data.norms.dropna(subset="threshold_norm").iloc[-1]
    final = f"dominant at epoch {last['epoch']:,}: {last['dominant_frequencies'] or 'none'}"
    found = profile.Profile(
        epochs=data.norms["epoch"].to_numpy(np.int64),
        rows=np.arange(1, len(values) + 1),
        values=values,
        axis=Axis("frequency k", form="d", ticks="d"),
        value="norm of W_E at k",
        form=".3f",
        limit=data.norms["threshold_norm"].to_numpy(np.float64),
        limit_name="dominant from",
    )
    subtitle = sentences(final, data.subject.text)
    return profile.chart(found, "Dominant embedding frequencies", data.subject, subtitle=subtitle)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, frequency, norm, dominant; empty where the epoch is missing."""
    long = data.norms.melt(
        ["epoch", "threshold_norm"], _norms(data.norms), var_name="frequency", value_name="norm"
    )
    frequency = long["frequency"].str.removeprefix("norm_").astype(int)
    found = long.assign(
        variant=data.subject.variant,
        frequency=frequency,
        dominant=(long["norm"] >= long["threshold_norm"]).where(long["norm"].notna()),
    ).sort_values(["epoch", "frequency"], ignore_index=True)
    return found[["variant", "epoch", "frequency", "norm", "dominant"]]


PLOT = Plot(
    name="dominant_frequencies",
    title="Dominant embedding frequencies",
    description="""\
Norm of W_E (tokens 0 to p − 1) at each frequency k = 1 … (p − 1)/2 of the orthonormal Fourier basis of Z_p:
the square root of the cos k and sin k components' squared norms ([Nanda et al.
2023](https://arxiv.org/abs/2301.05217)). Left: over epochs. Right: at one epoch, which the slider moves;
dashed: the norm from which on a frequency counts as dominant (by default twice the median over
frequencies), bars that reach it in blue.

**How to read it.** Rows that light up and stay are the frequencies the model computes with; whether they
are chosen early or late, and whether others fade (weight decay) only at grokking. Columns that are empty
are missing epochs.
""",
    code_version="4",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/frequencies",),
    uses=("summaries/grokking",),
)
