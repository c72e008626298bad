"""A20 over training: the gradient that reaches blob neurons against that of the others, with a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.families.modulo_addition_1layer.analyzers import coarseness
from tdw.families.modulo_addition_1layer.analyzers.learning import gradients
from tdw.parameters import is_count, is_share, require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.common.permutation_test import compare_groups
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Parameters:
    """Which neurons are compared, and how.

    Attributes:
        blob_from: a neuron with at least this coarseness is a blob.
        permutations, seed: of the test, the same at every epoch.
    """

    blob_from: float = 0.7
    permutations: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        require(is_share(self.blob_from), "blob_from", self.blob_from, wanted="a share in 0..1")
        require(is_count(self.permutations), "permutations", self.permutations, wanted="a number from 1 on")
        require(is_count(self.seed, least=0), "seed", self.seed, wanted="a whole number from 0 on")


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row per epoch and kind of flow; see `SUMMARY`."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    scales = inputs.stack(coarseness.NAME, coarseness.COARSENESS)
    dead = inputs.stack(coarseness.NAME, "neuron_dead")
    for name in gradients.FLOWS:
        flows = inputs.stack(gradients.NAME, name)
        for epoch, flow, scale, gone in zip(inputs.epochs, flows, scales, dead, strict=True):
            found = compare_groups(
                flow[~gone],
                scale[~gone] >= parameters.blob_from,
                seed=parameters.seed,
                permutations=parameters.permutations,
            )
            rows.append(
                {
                    "epoch": epoch,
                    "flow": name,
                    "blobs": found.members,
                    "others": found.others,
                    "dead": int(gone.sum()),
                    "blob_mean": found.member_mean,
                    "other_mean": found.other_mean,
                    "ratio": found.ratio,
                    "random_low": found.random_ratios[0],
                    "random_high": found.random_ratios[1],
                    "p_value": found.p_value,
                    "permutations": found.permutations,
                    "seed": found.seed,
                }
            )
    return pd.DataFrame(rows)


def describe(table: pd.DataFrame) -> Metadata:
    """The flow that no rescaling changes, at the last epoch."""
    last: Any = table[table["flow"] == gradients.FLOWS[0]].iloc[-1]
    return {"last_ratio": float(last["ratio"]), "last_p_value": float(last["p_value"])}


SUMMARY = Summary(
    name="gradient_flow",
    title="Gradient to blob neurons over epochs",
    description="""\
One row per epoch and kind of flow (`flow` = ‖w_in‖ ‖∂w_in‖, `into` = ‖∂w_in‖, `out_of` = ‖∂w_out‖): the mean
over blob neurons (coarseness at least `blob_from`, at this epoch) and over the others; dead neurons, which no
gradient reaches, are in neither. `ratio` is blobs over others. `p_value`: two-sided permutation test of the
difference of the means ([Phipson and Smyth 2010](https://doi.org/10.2202/1544-6115.1585)), `random_low` to
`random_high` the middle 95 % of the ratio when the same number of neurons is drawn at random; number of
permutations and seed are columns.

What is exchanged is neurons, within one network at one epoch. So p says whether blobs of this network
differ from a random choice of its neurons; it says nothing of other runs, for which a run is the unit.
Neurons of one frequency learn together, which makes p too small, and epochs are no repetitions of each other.
""",
    code_version="1",
    needs=(gradients.NAME, coarseness.NAME),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
