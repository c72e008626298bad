"""The training objective in its two forms: the plain one (any device) and the numba one (CPU)."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.cost import require_affordable
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.data import labels, split
from tdw.pure_loss import PureLoss, Tensors
from tdw.recipes.family import Form, Objective, Weights


def make_objective(config: Config, *, device: str = "cpu", form: Form | None = None) -> Objective:
    """The objective of `config` on `device`.

    Args:
        config: the variant.
        device: "cpu" or a CUDA device.
        form: None takes the fastest that is there: numba on the CPU where it is installed, plain elsewhere.

    Raises:
        BadConfig: the numba form is asked for where it can't run, or the machine is too small.
    """
    require_affordable(config)
    reason = why_plain(config, device)
    if form == "numba" and reason:
        raise BadConfig(f"the numba form can't be used: {reason}", "use the plain form")
    if form == "plain" or reason:
        return PlainObjective(config, device=device, note=f"plain form: {reason or 'as asked'}")
    from tdw.families.modulo_addition_1layer.model.mix import MixObjective

    return MixObjective(config)


def why_plain(config: Config, device: str) -> str:
    """Why the numba form can't compute a variant on a device; "" where it can."""
    if torch.device(device).type != "cpu":
        return f"it runs on {device}, the numba form on the CPU"
    if not numba_available():
        return "numba can't be imported here, or is switched off"
    if config.activation != "relu":
        return f"the neurons are {config.activation}, the numba form has ReLU alone"
    return ""


@cache
def numba_available() -> bool:
    """Whether numba can be imported: it is optional, and may not support the NumPy that is installed.

    Switched off (NUMBA_DISABLE_JIT) it would give other bits under the same name, and take hours.
    """
    try:
        from numba import config
    except ImportError:
        return False
    return not getattr(config, "DISABLE_JIT", False)


def pure_loss(config: Config, *, device: str = "cpu") -> PureLoss:
    """The loss of the reference form on the training pairs, as a function of weights and pairs."""
    require_affordable(config)
    pairs = _Pairs(config, np.sort(split(config)[0]), device=device)

    def of_pairs(weights: Weights, pairs: Tensors) -> Tensor:
        logits = network.logits(weights, pairs["a"], pairs["b"], activation=config.activation)
        return network.cross_entropy(logits, pairs["answers"])

    tensors = {"a": pairs.a, "b": pairs.b, "answers": pairs.answers}
    return PureLoss(of_pairs, lambda epoch: tensors, config.trained, kind=config.activation)


class PlainObjective:
    """The reference form, differentiated by autograd."""

    form: Form = "plain"

    def __init__(self, config: Config, *, device: str, note: str = "") -> None:
        self.note = note
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
        self._activation = config.activation
        a, b = np.divmod(index, config.p)
        self.a, self.b = torch.as_tensor(a).to(device), torch.as_tensor(b).to(device)
        self.answers = torch.as_tensor(labels(config, index)).to(device)

    def logits(self, weights: Weights) -> Tensor:
        return network.logits(weights, self.a, self.b, activation=self._activation)

    def loss(self, weights: Weights) -> Tensor:
        return network.cross_entropy(self.logits(weights), self.answers)
