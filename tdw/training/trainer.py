"""One model in training: weights, gradients and optimizer on a device, to step, save and restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from tdw.recipes.family import Family, Form, VariantConfig

Arrays = Mapping[str, npt.NDArray[Any]]
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Snapshot:
    """All that a training needs to go on from `epoch`, as numpy arrays by weight name.

    Attributes:
        epoch: optimizer steps taken.
        weights: every weight.
        moments: AdamW's first and second moments of the trained weights; None before the first step.
    """

    epoch: int
    weights: Arrays
    moments: Mapping[str, Arrays] | None


class Trainer:
    """A variant on a device. `epoch` counts the optimizer steps its weights have had."""

    def __init__(self, family: Family, config: VariantConfig, *, device: str, form: Form) -> None:
        self.objective = family.objective(config, device=device, form=form)
        self.weights: dict[str, Tensor] = {}
        self.epoch = 0
        self._family, self._config, self._device = family, config, device
        self._optimizer: torch.optim.AdamW

    def restore(self, snapshot: Snapshot | None) -> None:
        """Go to a snapshot; None is the initialization."""
        family = self._family
        if snapshot is None:
            self.weights = {
                name: tensor.to(self._device) for name, tensor in family.init_weights(self._config).items()
            }
        else:
            self.weights = {name: self._tensor(array) for name, array in snapshot.weights.items()}
        trained = [self.weights[name] for name in family.trained]
        settings = family.optimizer
        # One kernel over all tensors; the same numbers as the loop over single operations.
        self._optimizer = torch.optim.AdamW(
            trained,
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            betas=settings.betas,
            eps=settings.eps,
            fused=True,
        )
        self.epoch = 0 if snapshot is None else snapshot.epoch
        if snapshot is not None and snapshot.moments is not None:
            for name, tensor in zip(family.trained, trained, strict=True):
                # torch keeps the count on the parameter's device only for fused kernels on CUDA.
                step = torch.tensor(float(snapshot.epoch), dtype=torch.float32, device=self._device)
                self._optimizer.state[tensor] = {"step": step} | {
                    moment: self._tensor(snapshot.moments[moment][name]) for moment in _MOMENTS
                }

    def snapshot(self) -> Snapshot:
        """The present state; its arrays may share memory with the trainer's until the next step."""
        moments: dict[str, Arrays] | None = None
        if self.epoch:
            state = self._optimizer.state
            moments = {
                moment: {
                    name: state[self.weights[name]][moment].cpu().numpy() for name in self._family.trained
                }
                for moment in _MOMENTS
            }
        return Snapshot(self.epoch, self.weight_arrays(), moments)

    def weight_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Weights as numpy arrays; they may share memory with the trainer's until the next step."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.weights.items()}

    def loss_and_gradients(self) -> float:
        """Train loss of the present weights at this epoch; leaves their gradients for `step`."""
        return self.objective.loss_and_gradients(self.weights, self.epoch)

    def step(self) -> None:
        """One optimizer step along the gradients that `loss_and_gradients` left."""
        self._optimizer.step()  # pyright: ignore[reportUnknownMemberType]
        self.epoch += 1

    def _tensor(self, array: npt.NDArray[Any]) -> Tensor:
        # A copy: arrays out of a file may be read-only.
        return torch.tensor(array, device=self._device)
