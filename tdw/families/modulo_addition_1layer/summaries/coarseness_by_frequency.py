"""A22: whether coarse neurons hold particular frequencies, by frequency and epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import coarseness, neuron_frequencies
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_wave_coarseness import (
    against_frequency,
    wave_curve,
)
from tdw.parameters import is_count, is_share, require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

NAME = "coarseness_by_frequency"
FREQUENCIES = neuron_frequencies.ANALYZER.name
_OF_EPOCH = ("explained", "distance", "chance", "p_value")


@dataclass(frozen=True)
class Parameters:
    """Which neurons count, and the test.

    Attributes:
        blob_from: coarseness of a blob, at least.
        min_fraction: share of its variance that a neuron's best frequency must explain; neurons of no
            single frequency have none to be compared with.
        permutations, seed: of the test; the smallest p-value is 1 / (1 + permutations).
    """

    blob_from: float = 0.7
    min_fraction: float = 0.7
    permutations: int = 199
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("blob_from", "min_fraction"):
            value = getattr(self, name)
            require(is_share(value), name, value, wanted="a share in 0..1")
        require(is_count(self.permutations), "permutations", self.permutations, wanted="a number above 0")
        require(is_count(self.seed, least=0), "seed", self.seed, wanted="a whole number, 0 or more")


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row per epoch and frequency; see `SUMMARY`."""
    import pandas as pd

    values = inputs.stack(coarseness.NAME, coarseness.COARSENESS)
    frequency, fraction = (inputs.stack(FREQUENCIES, f"best_{name}") for name in ("frequency", "fraction"))
    radius = float(inputs.artifacts[coarseness.NAME][0]["radius_fraction"])
    (p,) = {2 * arrays["cluster_sizes"].shape[0] + 1 for arrays in inputs.artifacts[FREQUENCIES]}
    curve = wave_curve(p, radius_fraction=radius)
    tables: list[pd.DataFrame] = []
    for at, epoch in enumerate(inputs.epochs):
        found = against_frequency(
            values[at], frequency[at], fraction[at], p=p, seed=parameters.seed,
            blob_from=parameters.blob_from, min_fraction=parameters.min_fraction, radius_fraction=radius,
            permutations=parameters.permutations,
        )  # fmt: skip
        columns = {
            "epoch": epoch,
            "frequency": np.arange(1, p // 2 + 1, dtype=np.int64),
            "neurons": found.neurons,
            "blobs": found.blobs,
            "mean_coarseness": found.mean_coarseness,
            "pure_wave": curve.expected,
            **{name: getattr(found, name) for name in _OF_EPOCH},
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def describe(table: Any) -> Metadata:
    """The last epoch's numbers."""
    last = table[table["epoch"] == table["epoch"].max()]
    return {
        "neurons_of_one_frequency": int(last["neurons"].sum()),
        **{name: float(last[name].iloc[0]) for name in _OF_EPOCH},
    }


SUMMARY = Summary(
    name=NAME,
    title="Coarseness by frequency",
    description="""\
One row per epoch and frequency k, over the neurons of one frequency (it explains at least 0.70 of the
variance): `neurons`, `blobs` among them (coarseness ≥ 0.7), their `mean_coarseness`, and `pure_wave`, the
coarseness of max(0, f(w_k a) + f(w_k b)), the mean of f = cos and sin. The same in all rows of an epoch:
`explained`, 1 − Σ (coarseness − pure wave)² / Σ (coarseness − mean)², 1 when the curve says all and below 0
when it says less than the mean; `distance`, the total variation distance ½ Σ_k |q_k − r_k| between the
frequencies of blobs and of the other neurons; `chance`, what random groups of as many neurons have on
average; `p_value`, of a permutation test (seeded, 199 groups; (1 + number as far) / 200, [Phipson and Smyth
2010](https://doi.org/10.2202/1544-6115.1585)). Empty without blobs or without others.
""",
    code_version="1",
    needs=(coarseness.NAME, FREQUENCIES),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
