"""The training loss of the network as a function of its weights alone: for gradients, curvature, sampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model.data import labels, split
from tdw.recipes.common.landscape.training_loss import TrainingLoss
from tdw.recipes.context import Arrays

if TYPE_CHECKING:
    import torch


def training_loss(config: Config, weights: Arrays) -> TrainingLoss:
    """The mean cross-entropy (nats) over the training pairs, at given weights.

    `loss` is the reference form, in the dtype of the weights it is given; `objective` the form that trains.

    Args:
        config: the variant.
        weights: by TransformerLens name.
    """
    import torch

    from tdw.families.modulo_addition_1layer.model import network
    from tdw.families.modulo_addition_1layer.model.objective import make_objective

    index = np.sort(split(config)[0])
    a, b = (torch.as_tensor(x) for x in np.divmod(index, config.p))
    answers = torch.as_tensor(labels(config, index))

    def loss(given: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return network.cross_entropy(network.logits(given, a, b, activation=config.activation), answers)

    return TrainingLoss(loss, make_objective(config), weights, config.trained, len(index))
