"""The Fourier content of the neurons, and maps of the strongest. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.compute import one_thread
from tdw.families.operations import not_linear
from tdw.parameters import is_count, require
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.common.landscape.training_loss import TrainingLoss
from tdw.recipes.context import Arrays
from tdw.recipes.figure import NoParameters

if TYPE_CHECKING:
    from tdw.families.quadratic_mlp.config import Config
    from tdw.families.quadratic_mlp.model import ProbePass

SIDES = ("a", "b", "out")


@dataclass
class Context:
    """One checkpoint: its variant, weights by name, the pass over the full grid, earlier results."""

    config: Config
    weights: Arrays
    run_probe: Callable[[], ProbePass]
    results: dict[str, Arrays] = field(default_factory=dict[str, Arrays])

    @cached_property
    def probe(self) -> ProbePass:
        """The pass over all pairs."""
        return self.run_probe()

    @cached_property
    def training_loss(self) -> TrainingLoss:
        """The mean squared error on the training pairs, at these weights."""
        from tdw.families.quadratic_mlp.model import training_loss

        return training_loss(self.config, self.weights)


@dataclass(frozen=True)
class MapParameters:
    """How many neurons are kept, those with the largest outgoing weights."""

    neurons: int = 6

    def __post_init__(self) -> None:
        require(is_count(self.neurons), "neurons", self.neurons, wanted="a whole number from 1 on")


def _neurons(context: Context, parameters: NoParameters) -> Arrays:
    import torch

    from tdw.families.quadratic_mlp.neurons import neuron_fourier

    with one_thread():
        weights = {name: torch.as_tensor(array) for name, array in context.weights.items()}
        found = neuron_fourier(weights, context.config.task.linear or (1, 1))
    return {
        "ipr": found.ipr,
        "frequency": found.frequency,
        "phase": found.phase,
        # A file holds finite numbers only.
        "mismatch": np.nan_to_num(found.mismatch),
        "norm": np.linalg.norm(context.weights["W_out"].astype(np.float64), axis=1),
    }


def _maps(context: Context, parameters: MapParameters) -> Arrays:
    norm = np.linalg.norm(context.weights["W_out"].astype(np.float64), axis=1)
    strongest = np.argsort(-norm, kind="stable")[: parameters.neurons].astype(np.int64)
    with one_thread():
        hidden = context.probe.hidden[:, strongest.tolist()].T.cpu().numpy()
    p = context.weights["W_a"].shape[0]
    return {"maps": np.ascontiguousarray(hidden.reshape(-1, p, p)), "neuron": strongest}


def one_frequency(frequency: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether a neuron's three vectors have the same strongest frequency: (..., width, 3) to (..., width)."""
    return (frequency == frequency[..., :1]).all(axis=-1)


def _describe(arrays: Arrays) -> Metadata:
    known = arrays["mismatch"][one_frequency(arrays["frequency"])]
    return {
        "mean participation": round(float(arrays["ipr"].mean()), 4),
        "neurons with one frequency": len(known),
        "mean cos of the phase mismatch": round(float(np.cos(known).mean()), 4) if len(known) else 0.0,
    }


NEURONS = Analyzer(
    name="neuron_fourier",
    title="Fourier content of the neurons",
    description="""\
Each neuron has three weight vectors over Z_p: of a, of b and of the outputs. Of each: the *inverse
participation ratio* Σ P² / (Σ P)² of its power P by frequency (the constant left out), 1 for a pure wave and
2 / (p - 1) for even power; the frequency with the largest power; and the phase of that wave. `mismatch` is
phase a + phase b − phase out (for a − b, phase a − phase b − phase out), 0 in the known solution
([Gromov 2023](https://arxiv.org/abs/2301.02679)); it means something only where the three frequencies are
one, and is written as 0 elsewhere.
""",
    code_version="1",
    parameters=NoParameters,
    function=_neurons,
    arrays={
        "ipr": "float64 (width, 3), [neuron, a b out]",
        "frequency": "int64 (width, 3), 1 to (p - 1) / 2",
        "phase": "float64 (width, 3), radians, cos(2 pi k x / p + phase)",
        "mismatch": "float64 (width,), radians",
        "norm": "float64 (width,), length of the outgoing weights",
    },
    describe=_describe,
    refuses=not_linear,
)
MAPS = Analyzer(
    name="neuron_maps",
    title="Maps of the strongest neurons",
    description="Activation of the neurons with the largest outgoing weights over all pairs (a, b).",
    code_version="1",
    parameters=MapParameters,
    function=_maps,
    arrays={"maps": "float32 (n, p, p), [neuron, a, b]", "neuron": "int64 (n,), their indices"},
    quantize=("maps",),
)
ANALYZERS = (NEURONS, MAPS)
