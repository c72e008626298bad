"""The share of each neuron's variance by octave of spatial frequency."""

from __future__ import annotations

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_profiles import scale_profiles
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.summary import NoParameters

NAME = "scale_profiles"


def compute(context: CheckpointContext, parameters: NoParameters) -> Arrays:
    """`profiles`; see `ANALYZER`."""
    return {"profiles": scale_profiles(context.neuron_spectra)}


def describe(arrays: Arrays) -> Metadata:
    """The mean octave of the variance, over the neurons that vary."""
    profiles = arrays["profiles"]
    varying = profiles[profiles.any(axis=1)].astype(np.float64)
    mean = varying.sum(axis=0) / len(varying) if len(varying) else np.full(profiles.shape[1], np.nan)
    return {"mean_octave": float(mean @ np.arange(len(mean))), "num_varying_neurons": len(varying)}


ANALYZER = Analyzer(
    name=NAME,
    title="Scale profiles",
    description="""\
The share of the variance of each neuron's map over (a, b) by octave: octave j holds the pairs of frequencies
(k, l) with 2^j ≤ √(k² + l²) < 2^(j+1), the constant left out. So j = 0 is one or less than two waves across
the map, and the last octave is the finest. Coarseness is one sum over √(k² + l²) ≤ int(0.125 p), which
ends within an octave; neurons of one coarseness may differ in profile.

Which frequencies are low depends on how residues are labeled: read it beside the relabelling control.
""",
    code_version="1",
    parameters=NoParameters,
    function=compute,
    arrays={"profiles": "float32 (d_mlp, octaves), rows sum to 1; 0 for a constant map"},
    describe=describe,
)
