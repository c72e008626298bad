"""A7: small versions of the neuron maps and of the attention to a and to b, for panels of many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_metrics import resize
from tdw.parameters import is_count, require
from tdw.recipes.analyzer import Analyzer

NEURONS, TO_A, TO_B = "neuron_acts_downsampled", "attn_to_a_downsampled", "attn_to_b_downsampled"


@dataclass(frozen=True)
class Parameters:
    """How small, and how many.

    Attributes:
        target_size: width t of the small maps.
        num_neurons: the first so many neurons; None for all. More than there are means all.
    """

    target_size: int = 28
    num_neurons: int | None = None

    def __post_init__(self) -> None:
        require(is_count(self.target_size), "target_size", self.target_size, wanted="a whole number above 0")
        require(
            self.num_neurons is None or is_count(self.num_neurons),
            "num_neurons",
            self.num_neurons,
            wanted="a whole number above 0, or null for all neurons",
        )


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """Bilinear, without aligned corners or antialiasing; the arrays are those that `ANALYZER` lists."""
    size = parameters.target_size
    to_a, to_b = context.head_maps
    neurons = resize(context.neuron_maps[: parameters.num_neurons], size)
    return {
        NEURONS: neurons,
        TO_A: resize(to_a, size),
        TO_B: resize(to_b, size),
        "target_size": np.array(size, np.int64),
        "num_neurons": np.array(len(neurons), np.int64),
        "p": np.array(context.p, np.int64),
    }


ANALYZER = Analyzer(
    name="downsampled_activations",
    title="Downsampled activations",
    description="""\
The neuron maps and the attention to a and to b at `target_size` × `target_size` (28), bilinear, corners not
aligned, without antialiasing, as `torch.nn.functional.interpolate` does it. Stored as float16.
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    arrays={
        NEURONS: "float32 (n, t, t), the first n neurons or all",
        TO_A: "float32 (n_heads, t, t)",
        TO_B: "float32 (n_heads, t, t)",
        "target_size": "int64 (), t",
        "num_neurons": "int64 (), n",
        "p": "int64 (), the modulus",
    },
    half=(NEURONS, TO_A, TO_B),
)
