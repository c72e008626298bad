"""What a family gives to the analyses of its loss: the training loss as a function of the weights alone.

A family whose loss is another one at every step, such as one with fresh batches, has no such function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from tdw.recipes.context import Arrays

if TYPE_CHECKING:
    import torch

    from tdw.recipes.family import Objective

Float64 = npt.NDArray[np.float64]
Loss = Callable[[Mapping[str, "torch.Tensor"]], "torch.Tensor"]
"""A differentiable loss (0-d, in the unit of training's) of weights by name, in the dtype of the weights."""
LossAndGradient = Callable[[Float64], tuple[float, Float64]]
"""Flat weights, float64 (d,) -> the loss and its gradient, float64 (d,)."""


@dataclass(frozen=True)
class TrainingLoss:
    """The loss over all training samples, and where a checkpoint stands in it. Weight decay is no part of it.

    Attributes:
        loss: differentiable twice.
        objective: the same function in the form that trains, with its gradient in float32.
        weights: of the checkpoint, by name, float32.
        trained: names of the weights that training changes, in the order in which they are flattened.
        samples: how many there are to train on.
    """

    loss: Loss
    objective: Objective
    weights: Arrays
    trained: tuple[str, ...]
    samples: int

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """The checkpoint's weights as float64 tensors on the CPU."""
        import torch

        return {name: torch.as_tensor(array).double() for name, array in self.weights.items()}

    @property
    def flat(self) -> Float64:
        """The checkpoint's trained weights, float64 (d,)."""
        return np.concatenate([self.weights[name].reshape(-1) for name in self.trained]).astype(np.float64)

    def split(self, flat: Float64) -> dict[str, Float64]:
        """Flat weights, float64 (d,), by name and in their shapes."""
        ends = np.cumsum([self.weights[name].size for name in self.trained])[:-1]
        parts = zip(self.trained, np.split(flat, ends), strict=True)
        return {name: part.reshape(self.weights[name].shape) for name, part in parts}

    @property
    def function(self) -> LossAndGradient:
        """The loss and its gradient as a function of flat weights, in the form that trains."""
        import torch

        here = {name: torch.tensor(array, dtype=torch.float32) for name, array in self.weights.items()}

        def function(flat: Float64) -> tuple[float, Float64]:
            for name, part in self.split(flat).items():
                here[name].copy_(torch.as_tensor(part))
            value = self.objective.loss_and_gradients(here, 0)
            return value, torch.cat([_gradient(here[name]).reshape(-1) for name in self.trained]).numpy()

        return function

    def gradients(self) -> dict[str, Float64]:
        """The gradient at the checkpoint, by name, in the weights' shapes."""
        return self.split(self.function(self.flat)[1])


class WithTrainingLoss(Protocol):
    """A family's context (see `tdw.recipes.context`) that knows its training loss."""

    @property
    def training_loss(self) -> TrainingLoss:
        """Of the checkpoint."""
        ...


def _gradient(tensor: torch.Tensor) -> torch.Tensor:
    assert tensor.grad is not None  # the objective has just set it
    return tensor.grad.double()
