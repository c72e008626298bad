"""A3: the map of every MLP neuron over (a, b)."""

from __future__ import annotations

from dataclasses import dataclass

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.recipes.analyzer import Analyzer

NAME = "neuron_activations"


@dataclass(frozen=True)
class Parameters:
    """None: every neuron, as it is."""


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """`neuron_activations`: float32 (d_mlp, p, p), post-ReLU at the last position."""
    return {NAME: context.neuron_maps}


ANALYZER = Analyzer(
    name=NAME,
    title="Neuron activations",
    description="""\
The map of every MLP neuron over (a, b): its post-ReLU activation at the last position. Stored with 8 bits
and a range per neuron, so a value errs by at most (max - min) / 510 of its neuron; every metric is computed
before that, from float32.
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    arrays={NAME: "float32 (d_mlp, p, p), [neuron, a, b]"},
    quantize=(NAME,),
)
