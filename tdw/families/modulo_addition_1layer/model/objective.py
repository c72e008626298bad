"""The training objective in its two forms: the plain one (any device) and the numba one (CPU)."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.data import labels, split
from tdw.recipes.family import Form, Objective, Weights


def make_objective(config: Config, *, device: str = "cpu", form: Form | None = None) -> Objective:
    """The objective of `config` on `device`.

    Args:
        config: the variant.
        device: "cpu" or a CUDA device.
        form: None takes the fastest that is there: numba on the CPU where it is installed, plain elsewhere.

    Raises:
        BadConfig: the numba form is asked for where it can't run.
    """
    on_cpu = torch.device(device).type == "cpu"
    if form == "numba" and not (on_cpu and numba_available()):
        missing = (
            f"runs on the CPU, not on {device}" if not on_cpu else "needs numba, which can't be imported here"
        )
        raise BadConfig(f"the numba form {missing}", "use the plain form, or install numba and use the CPU")
    if form == "plain" or not (on_cpu and numba_available()):
        return PlainObjective(config, device=device)
    from tdw.families.modulo_addition_1layer.model.mix import MixObjective

    return MixObjective(config)


@cache
def numba_available() -> bool:
    """Whether numba can be imported: it is optional, and may not support the NumPy that is installed."""
    try:
        import numba  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        return False
    return True


class PlainObjective:
    """The reference form, differentiated by autograd."""

    form: Form = "plain"

    def __init__(self, config: Config, *, device: str) -> None:
        train, test = (np.sort(index) for index in split(config))
        self._trained = config.trained
        self._train = _Pairs(config, train, device=device)
        self._test = _Pairs(config, test, device=device)

    def loss_and_gradients(self, weights: Weights, epoch: int = 0) -> float:
        """See Objective."""
        leaves = {name: weights[name].detach().requires_grad_() for name in self._trained}
        loss = self._train.loss(leaves)
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        for name, gradient in zip(self._trained, gradients, strict=True):
            # Autograd hands out transposed views; the fused optimizer reads memory in the weight's order.
            weights[name].grad = gradient.contiguous()
        return loss.item()

    @torch.no_grad()
    def metrics(self, weights: Weights) -> tuple[float, float]:
        """See Objective."""
        logits = self._test.logits(weights)
        right = logits.argmax(dim=-1) == self._test.answers
        return network.cross_entropy(logits, self._test.answers).item(), right.double().mean().item()


class _Pairs:
    """Pairs and their answers on a device."""

    def __init__(self, config: Config, index: np.ndarray, *, device: str) -> None:
        a, b = np.divmod(index, config.p)
        self._a, self._b = torch.as_tensor(a).to(device), torch.as_tensor(b).to(device)
        self.answers = torch.as_tensor(labels(config, index)).to(device)

    def logits(self, weights: Weights) -> Tensor:
        return network.logits(weights, self._a, self._b)

    def loss(self, weights: Weights) -> Tensor:
        return network.cross_entropy(self.logits(weights), self.answers)
