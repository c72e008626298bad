"""The loss of the network as a differentiable function of its weights: for curvature and flatness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.data import labels, split

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

    from tdw.families.modulo_addition_1layer import network

    train, test = split(config)
    index = np.sort({"train": train, "test": test, "all": np.arange(config.p**2)}[pairs])
    a, b = (torch.as_tensor(x) for x in np.divmod(index, config.p))
    answers = torch.as_tensor(labels(config, index))
    return lambda weights: network.cross_entropy(network.logits(weights, a, b), answers)
