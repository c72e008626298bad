"""A20: where the training gradient acts, by site and frequency, and how much of it reaches each neuron."""

from __future__ import annotations

import numpy as np

from tdw.compute import one_thread
from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.learning.gradient_sites import (
    gradient_energy,
    neuron_flow,
    site_cosines,
)
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.summary import NoParameters

NAME = "gradients"
FLOWS = ("flow", "into", "out_of")
"""Arrays by neuron: the flow that no rescaling of a neuron changes, and the two that it is not."""


def compute(context: CheckpointContext, parameters: NoParameters) -> Arrays:
    """Energy and cosines of the sites, and the flow of every neuron; see `maths.learning.gradient_sites`."""
    with one_thread():
        gradients = context.training_loss.gradients()
    energy = gradient_energy(context.weights, gradients)
    flow = neuron_flow(context.weights, gradients)
    norm = np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients.values()))
    return {
        "energy": energy,
        "cosines": site_cosines(energy),
        "flow": flow.invariant,
        "into": flow.into,
        "out_of": flow.out_of,
        "norm": np.array(norm, np.float64),
    }


def describe(arrays: Arrays) -> Metadata:
    """Length of the gradient, and where W_in gets it."""
    return {
        "gradient_norm": float(arrays["norm"]),
        "W_in_frequency": int(arrays["energy"][-1].argmax()) + 1,
    }


ANALYZER = Analyzer(
    name=NAME,
    title="Training gradient",
    description="""\
The gradient of the training loss at the checkpoint (weight decay is no part of it), from its weights and the
training pairs. With F the Fourier basis over residues, the sites are matrices with a residue per row: ∂W_E;
W_E ∂W_Q, W_E ∂W_K, W_E ∂W_V, mean of the energies over heads; W_E ∂W_in. The *energy* at frequency k is the
sum of squares of the rows cos k and sin k of F times the site. The *cosine* of two sites is that of the
roots of their energies over k, each of length 1: which frequencies, whatever the size. Only "=" asks, so
∂W_Q is its residual by one row per head: the energy at Q says how much queries learn, and its shares over k
are those of W_E times that residual, whatever the gradient.

The *flow* to a neuron is ‖w_in‖ ‖∂w_in‖, with w_in its column of W_in. A ReLU neuron computes the same when
w_in grows by a factor and its row w_out of W_out shrinks by it; ‖∂w_in‖ (`into`) and ‖∂w_out‖ (`out_of`)
change with that, the flow does not. It costs about a training step, less than the forward pass on the probe.
""",
    code_version="1",
    parameters=NoParameters,
    function=compute,
    arrays={
        "energy": "float64 (5, (p-1)/2), [W_E Q K V W_in, frequency]; squared gradient, times squared "
        "embedding but for W_E",
        "cosines": "float64 (5, 5), of the amplitudes of every two sites, 0-1; 0 where one has none",
        "flow": "float64 (d_mlp,), ||w_in|| ||dw_in||, nats",
        "into": "float64 (d_mlp,), ||dw_in||, nats per unit of weights",
        "out_of": "float64 (d_mlp,), ||dw_out||, nats per unit of weights",
        "norm": "float64 (), length of the gradient of all trained weights",
    },
    describe=describe,
)
