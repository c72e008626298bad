"""A17: when each neuron commits to a frequency, how often it switches, and which frequencies came and
went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import neuron_frequencies
from tdw.families.modulo_addition_1layer.maths.learning import neuron_dynamics
from tdw.parameters import is_share, require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

FREQUENCIES = neuron_frequencies.ANALYZER.name


@dataclass(frozen=True)
class Parameters:
    """When a neuron counts as committed, and a frequency as transient.

    Attributes:
        share: of a neuron's variance that its best frequency explains, at least.
        peak_share: of all neurons that a transient frequency has at its peak, at least.
        end_share: of its peak that it has left at the end, less than.
    """

    share: float = 0.70
    peak_share: float = 0.05
    end_share: float = 0.10

    def __post_init__(self) -> None:
        for name in ("share", "peak_share", "end_share"):
            require(is_share(getattr(self, name)), name, getattr(self, name), wanted="a share in 0..1")


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row per epoch and frequency; see `SUMMARY`."""
    import pandas as pd

    epochs = np.array(inputs.epochs, np.int64)
    frequency = inputs.stack(FREQUENCIES, "best_frequency")
    count = inputs.artifacts[FREQUENCIES][0]["fraction_explained"].shape[1]
    found = neuron_dynamics.commitment(
        epochs,
        frequency,
        inputs.stack(FREQUENCIES, "best_fraction"),
        num_frequencies=count,
        share=parameters.share,
    )
    gone = neuron_dynamics.transients(
        epochs, frequency, found, peak_share=parameters.peak_share, end_share=parameters.end_share
    )
    committed_from = found.epoch[found.epoch != neuron_dynamics.NEVER]
    columns: dict[str, Any] = {
        "epoch": np.repeat(epochs, count),
        "frequency": np.tile(np.arange(1, count + 1, dtype=np.int64), len(epochs)),
        "committed_neurons": found.counts.ravel(),
        "transient": np.tile(gone.transient, len(epochs)),
        "peak_epoch": np.tile(gone.peak_epoch, len(epochs)),
        "homeless_neurons": np.tile(gone.homeless_of, len(epochs)),
        "num_neurons": frequency.shape[1],
        "switching_neurons": int((found.switches > 0).sum()),
        "switches": int(found.switches.sum()),
        "median_commitment_epoch": pd.array(
            [int(np.median(committed_from)) if committed_from.size else None] * (count * len(epochs)), "Int64"
        ),
    }
    return pd.DataFrame(columns)


def describe(table: Any) -> Metadata:
    """Neurons committed at the end, and how many switched on the way."""
    last = table[table["epoch"] == table["epoch"].max()]
    transient = last[last["transient"]]
    return {
        "committed_neurons_at_end": int(last["committed_neurons"].sum()),
        "switching_neurons": int(last["switching_neurons"].iloc[0]),
        "transient_frequencies": ", ".join(map(str, transient["frequency"])) or "none",
        "homeless_neurons": int(transient["homeless_neurons"].sum()),
    }


SUMMARY = Summary(
    name="commitment",
    title="Neurons committed to each frequency",
    description="""\
One row per epoch and frequency. A neuron is *committed* at a checkpoint where its best frequency explains
at least 0.70 of its variance (`committed_neurons`). It *switches* when that frequency differs between
successive committed checkpoints (`switches`, `switching_neurons`: of the whole run). A frequency is
*transient* when its peak has at least 5 % of all neurons and less than a tenth of the peak is left at the
last epoch; a neuron that was committed to it at the peak and to none at the end is *homeless*.
`median_commitment_epoch`: over neurons committed at the end, the first epoch from which on they stay so.
What happens between checkpoints is not seen.
""",
    code_version="1",
    needs=(FREQUENCIES,),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
