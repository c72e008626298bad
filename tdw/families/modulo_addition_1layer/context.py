"""What every analyzer of one checkpoint shares: weights, one forward pass on the probe, one 2-D transform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.model.probe_types import ProbeLabels
from tdw.families.zp_fourier import Float32, Spectra, spectra
from tdw.recipes.common.landscape.training_loss import TrainingLoss
from tdw.recipes.context import Arrays

TO_A, TO_B = 0, 1  # positions in the input [a, b, =]


class Probe(Protocol):
    """A family's forward pass on its probe, the p x p grid of pairs (a, b), a-major; float32 on the CPU."""

    @property
    def mlp_post(self) -> Float32:
        """Post-ReLU activations at the last position: (d_mlp, p, p)."""
        ...

    @property
    def attention(self) -> Float32:
        """Attention from the last position to a, b and "=": (n_heads, 3, p, p)."""
        ...

    @property
    def sites(self) -> Mapping[str, Float32]:
        """The residual stream by site, each (p², d_model); see `maths.sites`."""
        ...

    @property
    def logits(self) -> Float32:
        """(p², p)."""
        ...


def _no_labels() -> ProbeLabels:
    raise BadConfig("this checkpoint was opened without the probe's answers", "pass `label_probe`")


def _no_loss() -> TrainingLoss:
    raise BadConfig("this checkpoint was opened without its training loss", "pass `open_loss`")


@dataclass
class CheckpointContext:
    """One checkpoint, as analyzers see it. What is expensive is computed on first use and kept.

    Attributes:
        p: the modulus.
        weights: by TransformerLens name.
        run_probe: the forward pass.
        results: arrays of the analyzers that are done, by analyzer name; those an analyzer requires are
            there.
        label_probe: the probe's answers and which of its inputs train.
        open_loss: the training loss at these weights.
    """

    p: int
    weights: Arrays
    run_probe: Callable[[], Probe]
    results: dict[str, Arrays] = field(default_factory=dict[str, Arrays])
    label_probe: Callable[[], ProbeLabels] = _no_labels
    open_loss: Callable[[], TrainingLoss] = _no_loss

    @cached_property
    def probe(self) -> Probe:
        """The one forward pass."""
        return self.run_probe()

    @cached_property
    def labels(self) -> ProbeLabels:
        """Answers of the probe's inputs, and which of them train."""
        return self.label_probe()

    @cached_property
    def training_loss(self) -> TrainingLoss:
        """The training loss at these weights."""
        return self.open_loss()

    @cached_property
    def neuron_maps(self) -> Float32:
        """Map of every MLP neuron over (a, b): (d_mlp, p, p)."""
        return _checked(self.probe.mlp_post, "mlp_post", (self.p, self.p))

    @cached_property
    def attention(self) -> Float32:
        """Attention from "=" to a, b and "=": (n_heads, 3, p, p)."""
        return _checked(self.probe.attention, "attention", (3, self.p, self.p))

    @cached_property
    def neuron_spectra(self) -> Spectra:
        """Energies of the neuron maps: the one 2-D transform."""
        return spectra(self.neuron_maps)

    @cached_property
    def head_maps(self) -> tuple[Float32, Float32]:
        """Attention to a and to b, each (n_heads, p, p), contiguous."""
        return np.ascontiguousarray(self.attention[:, TO_A]), np.ascontiguousarray(self.attention[:, TO_B])

    @cached_property
    def head_spectra(self) -> tuple[Spectra, Spectra]:
        """Energies of the attention to a and to b."""
        to_a, to_b = self.head_maps
        return spectra(to_a), spectra(to_b)

    def weight(self, name: str) -> npt.NDArray[Any]:
        """One weight matrix.

        Raises:
            BadConfig: the checkpoint has no such parameter.
        """
        if name not in self.weights:
            raise BadConfig(
                f"the checkpoint has no parameter {name!r}", f"it has: {', '.join(sorted(self.weights))}"
            )
        return self.weights[name]


def _checked(maps: Float32, name: str, tail: tuple[int, ...]) -> Float32:
    if maps.shape[1:] != tail or maps.dtype != np.float32:
        raise BadConfig(
            f"the probe's {name} is {maps.dtype} {maps.shape}",
            f"the family's probe pass must give float32 (n, {', '.join(map(str, tail))})",
        )
    return np.ascontiguousarray(maps)
