"""Clusters of neurons that share a scale profile: the profiles, and the way of their neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import Axis, Line
from tdw.drawing.style import COLORS, SYMBOLS
from tdw.families.modulo_addition_1layer.analyzers.neurons.scale_profiles import NAME as PROFILES
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    Attributes:
        representative: the neuron that stands for it.
        profile: float64 (octaves,), mean of its neurons, at the last epoch.
        course: columns epoch, mean_octave; of its neurons that vary, a row per scheduled epoch.
    """

    number: int
    neurons: int
    representative: int
    profile: npt.NDArray[np.float64]
    course: pd.DataFrame


@dataclass(frozen=True)
class Data:
    """One variant; clusters from coarse to fine."""

    subject: subject.Subject
    clusters: tuple[Cluster, ...]
    silhouette: float
    last_epoch: int


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The clusters, and the profiles of their neurons at every epoch."""
    reader = sources.only
    table = reader.summary("scale_clusters")
    epochs = reader.epochs(PROFILES)
    octaves = [_mean_octaves(reader.artifact(PROFILES, epoch)["profiles"]) for epoch in epochs]
    names = [name for name in table.columns if str(name).startswith("octave_")]

    def cluster(number: int) -> Cluster:
        rows = table[table["cluster"] == number]
        members = rows["neuron"].to_numpy(np.int64)
        found = _frame(epochs, [_mean(at[members]) for at in octaves])
        return Cluster(
            number=number,
            neurons=len(rows),
            representative=int(rows.loc[rows["representative"], "neuron"].iloc[0]),
            profile=rows[names].to_numpy(np.float64).mean(axis=0),
            course=series.on_schedule(found, reader.scheduled),
        )

    return Data(
        subject=subject.load(reader, epochs),
        clusters=tuple(cluster(number) for number in range(int(table["num_clusters"].iloc[0]))),
        silhouette=float(table["silhouette"].iloc[0]),
        last_epoch=int(table["last_epoch"].iloc[0]),
    )


def _mean_octaves(profiles: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean octave of the variance of each neuron; NaN for one that does not vary."""
    octaves = np.arange(profiles.shape[1], dtype=np.float64)
    return np.where(np.any(profiles, axis=1), profiles.astype(np.float64) @ octaves, np.nan)


def _mean(values: npt.NDArray[np.float64]) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")


def _frame(epochs: list[int], values: list[float]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"epoch": epochs, "mean_octave": values})


def chart(data: Data) -> Chart:
    """Left: the mean profile of each cluster. Right: the mean octave of its neurons, over epochs."""
    octaves = len(data.clusters[0].profile) if data.clusters else 1
    names = tuple(_waves(j) for j in range(octaves))
    found = f"{len(data.clusters)} clusters at epoch {data.last_epoch:,}"
    known = "" if np.isnan(data.silhouette) else f"mean silhouette {data.silhouette:.2f}"
    return Chart(
        f"Clusters of scale profiles · {data.subject.label}",
        (
            Panel(
                list(_profiles(data)),
                x=Axis("octave: waves across the map", names=names, range=(-0.3, octaves - 0.7)),
                y=Axis("share of the variance", range=(-0.005, 1.005), form=".3f"),
            ),
            Panel(
                list(_courses(data)),
                y=Axis("mean octave", range=(0, octaves - 1), form=".2f"),
                rules=data.subject.rules,
                column=1,
                small=False,
            ),
        ),
        subtitle=sentences(data.subject.text, found, known),
        widths=(1, 1),
        gaps=(0.1, 0.06),
        unified=False,
    )


def _waves(octave: int) -> str:
    low, high = 2**octave, 2 ** (octave + 1) - 1
    return str(low) if low == high else f"{low}–{high}"


def _look(cluster: Cluster) -> tuple[str, str]:
    return COLORS[cluster.number % len(COLORS)], SYMBOLS[cluster.number % len(SYMBOLS)]


def _profiles(data: Data) -> Iterator[Line]:
    for cluster in data.clusters:
        color, symbol = _look(cluster)
        yield Line(
            np.arange(len(cluster.profile)), cluster.profile,
            name=f"{cluster.neurons} like neuron {cluster.representative}",
            color=color, symbol=symbol, size=7, group=str(cluster.number), hover="{y:.3f} of the variance",
        )  # fmt: skip


def _courses(data: Data) -> Iterator[Line]:
    for cluster in data.clusters:
        color, symbol = _look(cluster)
        epochs, values = (cluster.course[name].to_numpy() for name in ("epoch", "mean_octave"))
        yield Line(
            epochs, values.astype(np.float64),
            name=f"cluster {cluster.number}", color=color, symbol=symbol, group=str(cluster.number),
            legend=False, hover="epoch {x:,d}<br>mean octave {y:.2f}",
        )  # fmt: skip


def table(data: Data) -> pd.DataFrame:
    """Columns variant, cluster, neurons, representative, epoch, mean_octave (of its neurons)."""
    import pandas as pd

    tables = [
        each.course.assign(
            variant=data.subject.variant,
            cluster=each.number,
            neurons=each.neurons,
            representative=each.representative,
        )
        for each in data.clusters
    ]
    columns = ["variant", "cluster", "neurons", "representative", "epoch", "mean_octave"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


PLOT = Plot(
    name="scale_clusters",
    title="Clusters of scale profiles",
    description="""\
A neuron's scale profile is the share of its map's variance by octave of spatial frequency: octave j holds
the pairs of frequencies (k, l) with 2^j ≤ √(k² + l²) < 2^(j+1). Clusters are those of [Ward's
method](https://doi.org/10.1080/01621459.1963.10500845) on the profiles of the last epoch, as many as give the
largest mean silhouette ([Rousseeuw 1987](https://doi.org/10.1016/0377-0427%2887%2990125-7)) among 2 to 8.
Left: the mean profile of each cluster, from coarse to fine; the legend names its representative, the neuron
with the smallest sum of distances to the others. Right: the mean octave of the same neurons at every epoch.

**How to read it.** A silhouette near 1 means that clusters are far apart, near 0 that they run into each
other. Where lines on the right part says when the neurons took their scales. The neuron explorer has a button
that picks the representatives. Which octave a frequency is in depends on how residues are labeled.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/scale_clusters", PROFILES),
    uses=("summaries/grokking",),
)
