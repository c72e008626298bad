"""One model in training: weights, gradients and optimizer on a device, to step, save and restore."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdw.errors import BadConfig
from tdw.pure_loss import PureLoss, StackedLoss
from tdw.recipes.family import Family, Form, Objective, Optimizer, VariantConfig, Weights

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


class BatchOfOne:
    """The objective of a variant in the batch form; by itself it is a batch of one."""

    form: Form = "batch"
    note = "batch form"

    def __init__(self, family: Family, config: VariantConfig, *, device: str) -> None:
        self.pure_loss = pure_loss_of(family, config, device=device)
        self._plain = family.objective(config, device=device, form="plain")
        self._of: tuple[Weights, StackedLoss] | None = None

    def loss_and_gradients(self, weights: Weights, epoch: int) -> float:
        """See Objective."""
        if self._of is None or self._of[0] is not weights:
            stacked = {name: weights[name].detach()[None] for name in self.pure_loss.trained}
            self._of = weights, StackedLoss([self.pure_loss], stacked)
        losses, gradients = self._of[1].losses_and_gradients([epoch])
        for name, gradient in gradients.items():
            weights[name].grad = gradient[0]
        return losses[0]

    def metrics(self, weights: Weights) -> tuple[float, ...]:
        """See Objective; the plain form's."""
        return self._plain.metrics(weights)


def pure_loss_of(family: Family, config: VariantConfig, *, device: str) -> PureLoss:
    """The variant's loss as a pure function. Raises BadConfig where the family has none."""
    if family.pure_loss is None:
        raise BadConfig(
            f"family {family.name} has no batch form: it declares no `pure_loss`",
            "train its variants one by one",
        )
    return family.pure_loss(config, device=device)


class Trainer:
    """A variant on a device. `epoch` counts the optimizer steps its weights have had."""

    def __init__(self, family: Family, config: VariantConfig, *, device: str, form: Form) -> None:
        self.objective: Objective = (
            BatchOfOne(family, config, device=device)
            if form == "batch"
            else family.objective(config, device=device, form=form)
        )
        self.weights: dict[str, Tensor] = {}
        self.epoch = 0
        self.family, self.config = family, config
        self.optimizer: Optimizer
        self._state_arrays: Callable[[], Arrays]
        self._device = device

    def restore(self, snapshot: Snapshot | None) -> None:
        """Go to a snapshot; None is the initialization.

        Raises:
            CorruptFile: the snapshot does not fit the configuration.
        """
        if snapshot is None:
            first = self.family.init_weights(self.config)
            self.weights = {name: tensor.to(self._device) for name, tensor in first.items()}
        else:
            # Copies: arrays out of a file may be read-only.
            self.weights = {
                name: torch.tensor(array, device=self._device) for name, array in snapshot.weights.items()
            }
        self.optimizer = self.family.make_optimizer(self.config, self.weights)
        self.epoch = 0 if snapshot is None else snapshot.epoch
        if snapshot is not None:
            self.optimizer.load_state_arrays(snapshot.optimizer, steps=snapshot.epoch)
        self._state_arrays = self.optimizer.state_arrays

    def move(self, weights: Weights, state_arrays: Callable[[], Arrays]) -> None:
        """Keep the trained weights and the optimizer's state elsewhere until `restore`: in a batch, which
        steps them.

        Args:
            weights: tensors that hold the present values.
            state_arrays: what `snapshot` asks for the state.
        """
        self.weights = {**self.weights, **weights}
        self._state_arrays = state_arrays

    def snapshot(self) -> Snapshot:
        """The present state; its arrays may share memory with the trainer's until the next step."""
        return Snapshot(self.epoch, self.weight_arrays(), self._state_arrays())

    def weight_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Weights as numpy arrays; they may share memory with the trainer's until the next step."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.weights.items()}

    def loss_and_gradients(self) -> float:
        """Train loss of the present weights at this epoch; leaves their gradients for `step`."""
        return self.objective.loss_and_gradients(self.weights, self.epoch)

    def step(self) -> None:
        """One optimizer step along the gradients that `loss_and_gradients` left."""
        self.optimizer.step()
        self.epoch += 1


class Batch:
    """Trainers whose weights are stacked: losses and gradients of all at once, a step for each group.

    Args:
        trainers: in the batch form, those that can share an optimizer next to each other.
    """

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        self._trainers = trainers
        objectives = [each.objective for each in trainers]
        losses = [each.pure_loss for each in objectives if isinstance(each, BatchOfOne)]
        stack = {name: torch.stack([each.weights[name] for each in trainers]) for name in losses[0].trained}
        self._loss = StackedLoss(losses, stack)
        self._groups: list[_Group] = []
        start = 0
        for _, members in groupby(trainers, key=_shared):
            self._groups.append(_Group(list(members), stack, start))
            start = self._groups[-1].stop

    def losses(self) -> list[float]:
        """The trainers' losses at their epochs; leaves the gradients for `step`."""
        losses, gradients = self._loss.losses_and_gradients([each.epoch for each in self._trainers])
        for group in self._groups:
            group.take(gradients)
        return losses

    def step(self) -> None:
        """One optimizer step of all; those that are through go on too, and nobody looks."""
        for group in self._groups:
            group.step()
        for trainer in self._trainers:
            trainer.epoch += 1


def _shared(trainer: Trainer) -> Hashable:
    """What trainers with one optimizer have in common."""
    settings = trainer.optimizer.settings
    return id(trainer) if settings is None else (settings, trainer.epoch)


class _Group:
    """One optimizer, the family's own, for neighbors in the stack: it steps their stacked weights.

    A group of one has its weights without a leading axis, for optimizers that look at whole matrices.
    """

    def __init__(self, members: Sequence[Trainer], stack: Mapping[str, Tensor], start: int) -> None:
        first, self.stop = members[0], start + len(members)
        self._where = start if len(members) == 1 else slice(start, self.stop)
        self._parts = {name: tensor[self._where] for name, tensor in stack.items()}
        states = [each.snapshot().optimizer for each in members]
        stacked = {name: np.stack([each[name] for each in states]) for name in states[0]}
        self._optimizer = first.family.make_optimizer(first.config, {**first.weights, **self._parts})
        self._optimizer.load_state_arrays(states[0] if len(members) == 1 else stacked, steps=first.epoch)
        self._arrays: Arrays | None = None
        for place, member in enumerate(members):
            own = {name: tensor[start + place] for name, tensor in stack.items()}
            member.move(own, partial(self._arrays_of, ... if len(members) == 1 else place))

    def take(self, gradients: Mapping[str, Tensor]) -> None:
        """Hold the members' part of the stacked gradients."""
        for name, part in self._parts.items():
            part.grad = gradients[name][self._where]

    def step(self) -> None:
        """One update."""
        self._optimizer.step()
        self._arrays = None

    def _arrays_of(self, place: Any) -> Arrays:
        """A member's moments; copied off the device once for all members."""
        if self._arrays is None:
            self._arrays = self._optimizer.state_arrays()
        return {name: array[place] for name, array in self._arrays.items()}
