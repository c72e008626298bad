"""What one forward pass on the probe gives, and what the probe's inputs ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt


@dataclass
class ProbePass:
    """One forward pass of the probe, as numpy arrays.

    Attributes:
        mlp_post: post-activations at the last position, float32 (d_mlp, p, p), C-contiguous, indexed
            [neuron, a, b].
        attention: attention of the last position, float32 (n_heads, 3, p, p), indexed
            [head, source position, a, b].
    """

    mlp_post: npt.NDArray[np.float32]
    attention: npt.NDArray[np.float32]
    compute_logits: Callable[[], npt.NDArray[np.float32]] = field(repr=False)

    @cached_property
    def logits(self) -> npt.NDArray[np.float32]:
        """Logits of every pair, float32 (p * p, p), rows a-major. Computed on first use."""
        return self.compute_logits()


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
