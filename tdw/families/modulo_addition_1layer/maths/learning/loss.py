"""The loss of the network as a function of its weights alone: for curvature, flatness and sampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model.data import labels, split
from tdw.recipes.common.learning_coefficient import Float64, LossAndGradient

if TYPE_CHECKING:
    import torch


def loss_over(
    config: Config, pairs: Literal["train", "test", "all"]
) -> Callable[[Mapping[str, torch.Tensor]], torch.Tensor]:
    """The mean cross-entropy (nats, 0-d) over some pairs, of weights by TransformerLens name.

    The reference form of the network, in the dtype of the weights it is given.

    Args:
        config: the variant.
        pairs: those that train, those that do not, or the whole grid.
    """
    import torch

    from tdw.families.modulo_addition_1layer.model import network

    train, test = split(config)
    index = np.sort({"train": train, "test": test, "all": np.arange(config.p**2)}[pairs])
    a, b = (torch.as_tensor(x) for x in np.divmod(index, config.p))
    answers = torch.as_tensor(labels(config, index))

    def loss(weights: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return network.cross_entropy(network.logits(weights, a, b, activation=config.activation), answers)

    return loss


def flat_training_loss(
    config: Config, weights: Mapping[str, torch.Tensor]
) -> tuple[LossAndGradient, Float64]:
    """The training loss with its gradient as a function of flat weights, and the flat weights themselves.

    In the form that trains (numba where it is installed): weights and gradient in float32, the loss in
    float64. A fourth of the cost of a pass of `loss_over` with autograd in float64.

    Args:
        config: the variant; its trained weights are flattened in its order.
        weights: by TransformerLens name.
    """
    import torch

    from tdw.families.modulo_addition_1layer.model.objective import make_objective

    objective = make_objective(config)
    here = {name: tensor.detach().to("cpu", torch.float32).clone() for name, tensor in weights.items()}
    trained = [here[name] for name in config.trained]
    ends = np.cumsum([tensor.numel() for tensor in trained])[:-1]

    def function(flat: Float64) -> tuple[float, Float64]:
        for tensor, part in zip(trained, np.split(flat, ends), strict=True):
            tensor.copy_(torch.as_tensor(part).view_as(tensor))
        value = objective.loss_and_gradients(here, 0)
        gradient = torch.cat([_gradient(tensor).reshape(-1) for tensor in trained])
        return value, gradient.double().numpy()

    return function, torch.cat([tensor.reshape(-1) for tensor in trained]).double().numpy()


def _gradient(tensor: torch.Tensor) -> torch.Tensor:
    assert tensor.grad is not None  # the objective has just set it
    return tensor.grad
