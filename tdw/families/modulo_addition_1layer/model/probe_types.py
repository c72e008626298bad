"""What one forward pass on the probe gives, and what the probe's inputs ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.maths.sites import site_activations


@dataclass
class ProbePass:
    """One forward pass of the probe, as numpy arrays.

    Attributes:
        mlp_post: post-activations at the last position, float32 (d_mlp, p, p), C-contiguous, indexed
            [neuron, a, b].
        attention: attention of the last position, float32 (n_heads, 3, p, p), indexed
            [head, source position, a, b].
        weights: of the checkpoint, by TransformerLens name, float32.
    """

    mlp_post: npt.NDArray[np.float32]
    attention: npt.NDArray[np.float32]
    weights: Mapping[str, npt.NDArray[Any]] = field(repr=False)

    @cached_property
    def sites(self) -> dict[str, npt.NDArray[np.float32]]:
        """The residual stream and what is added to it, float32 (p * p, d_model) by site, rows a-major."""
        return site_activations(self.weights, self.attention, self.mlp_post)

    @cached_property
    def logits(self) -> npt.NDArray[np.float32]:
        """Logits of every pair, float32 (p * p, p), rows a-major."""
        return self.sites["resid_post"] @ self.weights["unembed.W_U"]


@dataclass(frozen=True)
class ProbeLabels:
    """What the probe's inputs ask for, row by row of `ProbePass.logits`.

    Attributes:
        answers: the right output, int64 (n,).
        train: whether the variant trains on the input, bool (n,).
    """

    answers: npt.NDArray[np.int64]
    train: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Field:
    """One domain parameter of a family, for forms and messages. `default` is None where one must be given."""

    name: str
