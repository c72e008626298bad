"""A22: whether coarse neurons hold particular frequencies, beside the curve of pure waves (A11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences, with_band
from tdw.drawing.marks import Axis, Line, Moving, Points, Rule, share
from tdw.drawing.style import COLORS, MUTED
from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.analyzers.coarseness import COARSENESS, NAME
from tdw.families.modulo_addition_1layer.analyzers.neuron_frequencies import ANALYZER
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_wave_coarseness import WaveCurve, wave_curve
from tdw.parameters import is_share, require
from tdw.recipes.common import panels
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

FREQUENCIES = ANALYZER.name
SUMMARY = "summaries/coarseness_by_frequency"
_MOST = 60  # stops of the slider


@dataclass(frozen=True)
class Parameters:
    """Which neurons have one frequency, and what a blob is; the same as for the summary.

    Attributes:
        min_fraction: share of its variance that a neuron's best frequency must explain.
        blob_from: coarseness of a blob, at least, where a line is drawn.
    """

    min_fraction: float = 0.7
    blob_from: float = 0.7

    def __post_init__(self) -> None:
        for name in ("min_fraction", "blob_from"):
            value = getattr(self, name)
            require(is_share(value), name, value, wanted="a share in 0..1")


@dataclass(frozen=True)
class Data:
    """One variant at T epochs.

    Attributes:
        available: number of epochs with artifacts, of which these are a choice.
        coarseness, fraction: float32 (T, n). frequency: int64 (T, n), 0 for a constant map.
        curve: of pure waves at the modulus.
        course: columns epoch, explained, distance, chance; a row per scheduled epoch, NaN where missing.
    """

    subject: subject.Subject
    epochs: tuple[int, ...]
    available: int
    coarseness: npt.NDArray[np.float32]
    fraction: npt.NDArray[np.float32]
    frequency: npt.NDArray[np.int64]
    curve: WaveCurve
    course: pd.DataFrame
    parameters: Parameters


def load(sources: Sources, parameters: Parameters) -> Data:
    """The neurons at an even choice of epochs, and the summary. Raises NotFound where one is missing."""
    reader = sources.only
    found = reader.summary("coarseness_by_frequency")
    available = sorted(set(reader.epochs(NAME)) & set(reader.epochs(FREQUENCIES)))
    if not available:
        raise NotFound(
            f"{reader.variant} has no epoch with {NAME} and {FREQUENCIES}",
            f"analyze it: `tdw fill --variant {reader.variant}`",
        )
    epochs = tuple(series.spread(available, _MOST))
    scales = [reader.artifact(NAME, epoch) for epoch in epochs]
    waves = [reader.artifact(FREQUENCIES, epoch) for epoch in epochs]
    p = 2 * len(waves[0]["cluster_sizes"]) + 1
    course = found.drop_duplicates("epoch")[["epoch", "explained", "distance", "chance"]]
    return Data(
        subject=subject.load(reader, course["epoch"]),
        epochs=epochs,
        available=len(available),
        coarseness=np.stack([arrays[COARSENESS] for arrays in scales]),
        fraction=np.stack([arrays["best_fraction"] for arrays in waves]),
        frequency=np.stack([arrays["best_frequency"] for arrays in waves]),
        curve=wave_curve(p, radius_fraction=float(scales[0]["radius_fraction"])),
        course=series.on_schedule(course, reader.scheduled),
        parameters=parameters,
    )


def chart(data: Data) -> Chart:
    """Left: the neurons of one epoch and the curve. Right: how much the curve says, over epochs."""
    h = len(data.curve.expected)
    band, curve = with_band(
        Line(np.arange(1, h + 1), data.curve.expected, name="pure wave", color=MUTED),
        data.curve.lowest,
        data.curve.highest,
        opacity=0.25,
    )
    least = data.parameters.min_fraction
    several = _neurons(data, data.fraction < least, "mixed neurons", MUTED, hollow=True)
    one = _neurons(data, data.fraction >= least, "neurons of one frequency", COLORS[0])
    epochs = data.course["epoch"].to_numpy()

    def line(column: str, name: str, color: str, dash: str = "solid") -> Line:
        values = data.course[column].to_numpy(np.float64)
        return Line(epochs, values, name=name, color=color, dash=dash, symbol="circle")

    return Chart(
        f"Coarseness against frequency · {data.subject.label}",
        (
            Panel(
                (band, curve, several, one),
                x=Axis("frequency k", range=(0, h + 1), form="d"),
                y=share("coarseness (0 to 1)"),
                rules=(Rule(y=data.parameters.blob_from, text=f"blob ≥ {data.parameters.blob_from:g}"),),
            ),
            Panel(
                (
                    line("explained", "explained", COLORS[2]),
                    line("distance", "distance of blobs", COLORS[3]),
                    line("chance", "distance by chance", COLORS[3], "dot"),
                ),
                y=Axis("share", range=(-1.02, 1.14), form=".3f"),
                rules=data.subject.rules,
                column=1,
                small=False,
            ),
        ),
        subtitle=sentences(data.subject.text, panels.shown(data.epochs, data.available)),
        epochs=data.epochs,
        widths=(1, 1),
        gaps=(0.1, 0.06),
        unified=False,
    )


def _neurons(
    data: Data, which: npt.NDArray[np.bool_], name: str, color: str, *, hollow: bool = False
) -> Moving:
    stops: list[Points] = []
    for at in range(len(data.epochs)):
        shown = np.flatnonzero(which[at] & (data.frequency[at] > 0))
        stops.append(
            Points(
                data.frequency[at][shown].astype(np.int16),
                data.coarseness[at][shown],
                name=name,
                color=color,
                opacity=0.5,
                size=5,
                hollow=hollow,
                detail=shown.astype(np.int16),
                hover="neuron {detail:d}<br>k = {x}<br>coarseness {y:.3f}",
            )
        )
    return Moving(stops)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, neuron, frequency (0: none), fraction, coarseness, pure_wave, excess.

    The last two are the coarseness of a pure wave of the neuron's frequency, and what the neuron has beyond
    it.
    """
    import pandas as pd

    t, n = data.coarseness.shape
    waves = np.concatenate([[np.nan], data.curve.expected])[data.frequency]
    return pd.DataFrame(
        {
            "variant": data.subject.variant,
            "epoch": np.repeat(np.array(data.epochs), n),
            "neuron": np.tile(np.arange(n, dtype=np.int64), t),
            "frequency": data.frequency.ravel(),
            "fraction": data.fraction.ravel(),
            "coarseness": data.coarseness.ravel(),
            "pure_wave": waves.ravel(),
            "excess": (data.coarseness - waves).ravel(),
        }
    )


PLOT = Plot(
    name="coarseness_by_frequency",
    title="Coarseness against frequency",
    description="""\
Left: every neuron at one epoch, the frequency k that explains most of its map and its coarseness. The gray
curve is the coarseness of max(0, f(w_k a) + f(w_k b)), the mean of f = cos and sin, which is what a neuron of
one frequency computes under even attention; the band holds waves along a, along b, of a + b and of both,
after their ReLU. Open circles: mixed neurons, of which no frequency explains 0.70 or more. Right, of the
others: how much of the variation of coarseness the curve explains (1: all; below 0: less than the mean
would), and the total variation distance ½ Σ_k |q_k − r_k| between the frequencies of the blobs and of the
rest (0: the same, 1: none shared), with what random groups of as many neurons have (dotted).

**How to read it.** Coarseness is the share of a map's variance at low frequencies, so a neuron of one low
frequency is coarse by definition. Neurons on the curve are coarse because of their frequency and nothing
else; neurons above it are coarser than that. Whether low numbers are preferred at all is for the
relabelling control to say.
""",
    code_version="1",
    scope="variant",
    load=load,
    chart=chart,
    table=table,
    needs=(SUMMARY, NAME, FREQUENCIES),
    uses=("summaries/grokking",),
    parameters=Parameters,
)
