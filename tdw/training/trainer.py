"""One model in training: weights, gradients and optimizer on a device, to step, save and restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from tdw.recipes.family import Family, Form, Optimizer, VariantConfig

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Snapshot:
    """All that a training needs to go on from `epoch`, as numpy arrays.

    Attributes:
        epoch: optimizer steps taken.
        weights: every weight, by name.
        optimizer: its moments of the trained weights, by `moment/weight`; empty before the first step.
    """

    epoch: int
    weights: Arrays
    optimizer: Arrays


class Trainer:
    """A variant on a device. `epoch` counts the optimizer steps its weights have had."""

    def __init__(self, family: Family, config: VariantConfig, *, device: str, form: Form) -> None:
        self.objective = family.objective(config, device=device, form=form)
        self.weights: dict[str, Tensor] = {}
        self.epoch = 0
        self._family, self._config, self._device = family, config, device
        self._optimizer: Optimizer

    def restore(self, snapshot: Snapshot | None) -> None:
        """Go to a snapshot; None is the initialization.

        Raises:
            CorruptFile: the snapshot does not fit the configuration.
        """
        if snapshot is None:
            first = self._family.init_weights(self._config)
            self.weights = {name: tensor.to(self._device) for name, tensor in first.items()}
        else:
            # Copies: arrays out of a file may be read-only.
            self.weights = {
                name: torch.tensor(array, device=self._device) for name, array in snapshot.weights.items()
            }
        self._optimizer = self._family.make_optimizer(self._config, self.weights)
        self.epoch = 0 if snapshot is None else snapshot.epoch
        if snapshot is not None:
            self._optimizer.load_state_arrays(snapshot.optimizer, steps=snapshot.epoch)

    def snapshot(self) -> Snapshot:
        """The present state; its arrays may share memory with the trainer's until the next step."""
        return Snapshot(self.epoch, self.weight_arrays(), self._optimizer.state_arrays())

    def weight_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Weights as numpy arrays; they may share memory with the trainer's until the next step."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.weights.items()}

    def loss_and_gradients(self) -> float:
        """Train loss of the present weights at this epoch; leaves their gradients for `step`."""
        return self.objective.loss_and_gradients(self.weights, self.epoch)

    def step(self) -> None:
        """One optimizer step along the gradients that `loss_and_gradients` left."""
        self._optimizer.step()
        self.epoch += 1
