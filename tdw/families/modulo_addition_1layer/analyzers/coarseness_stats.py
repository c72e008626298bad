"""A9: the distribution of the neurons' coarseness in one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers import coarseness
from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.parameters import is_count, is_share, require
from tdw.recipes.analyzer import Analyzer, Metadata


@dataclass(frozen=True)
class Parameters:
    """What counts as coarse.

    Attributes:
        thresholds: neurons at or above each are counted.
        plaid_below: a neuron below is plaid.
        blob_from: a neuron at or above is a blob; between the two it is transitional.
        bins: of the histogram on [0, 1].
    """

    thresholds: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8)
    plaid_below: float = 0.5
    blob_from: float = 0.7
    bins: int = 20

    def __post_init__(self) -> None:
        require(
            _are_ascending_shares(self.thresholds),
            "thresholds",
            self.thresholds,
            wanted="a list of different shares in 0..1, ascending",
        )
        require(
            is_share(self.plaid_below) and is_share(self.blob_from) and self.plaid_below <= self.blob_from,
            "plaid_below, blob_from",
            (self.plaid_below, self.blob_from),
            wanted="two shares in 0..1, plaid_below at most blob_from",
        )
        require(is_count(self.bins), "bins", self.bins, wanted="a whole number above 0")


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """The statistics of `coarseness`; see `statistics`."""
    found = context.results[coarseness.NAME]
    return statistics(found[coarseness.COARSENESS], found["neuron_dead"], parameters=parameters)


def statistics(
    values: npt.NDArray[np.floating], dead: npt.NDArray[np.bool_], *, parameters: Parameters | None = None
) -> Arrays:
    """Statistics of coarseness values (n,), dead neurons included with the coarseness 0 that they have.

    Returns:
        mean_, std_ (population), median_, min_, max_, p25_, p75_coarseness (linear between ranks): float64,
        0-d.
        num_blob_neurons_{threshold}: int64, 0-d, neurons at or above; num_dead_neurons, num_neurons: the
            same.
        histogram: int64 (bins,), histogram_edges: float64 (bins + 1,), on [0, 1], the last bin with its
            right edge.
        fraction_plaid, fraction_transitional, fraction_blob: float64, 0-d; they sum to 1.
    """
    parameters = parameters or Parameters()
    wide = values.astype(np.float64)
    low, quarter, median, three_quarters, high = np.quantile(wide, (0, 0.25, 0.5, 0.75, 1))
    plaid = float((values < parameters.plaid_below).mean())
    blob = float((values >= parameters.blob_from).mean())
    histogram, edges = np.histogram(wide, bins=parameters.bins, range=(0, 1))
    numbers: dict[str, float] = {
        "mean_coarseness": wide.mean(),
        "std_coarseness": wide.std(),
        "median_coarseness": median,
        "min_coarseness": low,
        "max_coarseness": high,
        "p25_coarseness": quarter,
        "p75_coarseness": three_quarters,
        "fraction_plaid": plaid,
        "fraction_transitional": float(
            ((values >= parameters.plaid_below) & (values < parameters.blob_from)).mean()
        ),
        "fraction_blob": blob,
    }
    counts = {blob_count(threshold): (values >= threshold).sum() for threshold in parameters.thresholds}
    counts |= {"num_dead_neurons": dead.sum(), "num_neurons": len(values)}
    return {
        **{name: np.array(number, np.float64) for name, number in numbers.items()},
        **{name: np.array(count, np.int64) for name, count in counts.items()},
        "histogram": histogram.astype(np.int64),
        "histogram_edges": edges,
    }


def blob_count(threshold: float) -> str:
    """Name of the count of neurons at or above a threshold: 'num_blob_neurons_0.7'."""
    return f"num_blob_neurons_{threshold:g}"


def _are_ascending_shares(values: object) -> bool:
    if not isinstance(values, tuple) or not all(map(is_share, values)):  # type: ignore[arg-type]
        return False
    return list(values) == sorted(set(values))  # type: ignore[arg-type]


def describe(arrays: Arrays) -> Metadata:
    """The headline numbers."""
    counts = {name: int(value) for name, value in arrays.items() if name.startswith("num_")}
    return {"mean_coarseness": float(arrays["mean_coarseness"]), **counts}


ANALYZER = Analyzer(
    name="coarseness_stats",
    title="Coarseness statistics",
    description="""\
The distribution of the neurons' coarseness: mean, spread, quartiles, the number at or above each threshold,
a histogram on [0, 1], and the fractions of plaid (< 0.5), transitional and blob (≥ 0.7) neurons. Dead
neurons are in with coarseness 0, and counted.
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    requires=(coarseness.NAME,),
    arrays={
        "{mean,std,median,min,max,p25,p75}_coarseness": "float64 (); std is that of the population",
        "num_blob_neurons_{0.5,0.6,0.7,0.8}": "int64 (), neurons at or above",
        "num_dead_neurons": "int64 ()",
        "num_neurons": "int64 ()",
        "histogram": "int64 (20,)",
        "histogram_edges": "float64 (21,), 0 to 1",
        "fraction_{plaid,transitional,blob}": "float64 (), sum to 1",
    },
    describe=describe,
)
