"""The network as functions of its weights, and what training and analysis ask of the family."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from tdw.families.model_functions import PlainObjective
from tdw.families.quadratic_mlp import data
from tdw.families.quadratic_mlp.config import Config
from tdw.families.replicates import replicate_weights
from tdw.families.transformer.network import Weights
from tdw.optimizers.optimizer import Optimizer
from tdw.pure_loss import PureLoss, Tensors
from tdw.recipes.common.landscape.training_loss import TrainingLoss
from tdw.recipes.context import Arrays


@dataclass(frozen=True)
class Pairs:
    """Pairs with their answers: int64 (n,) each, on one device."""

    a: Tensor
    b: Tensor
    answers: Tensor


@dataclass(frozen=True)
class ProbePass:
    """What one pass of the full grid gives.

    Attributes:
        weights: that were probed.
        hidden: float32 (p * p, width), the neurons after the square; row a p + b is the pair (a, b).
        outputs: float32 (p * p, p).
    """

    weights: Weights
    hidden: Tensor
    outputs: Tensor


def init_weights(config: Config) -> dict[str, Tensor]:
    """Weights at epoch 0, float32 on the CPU: N(0, init_std²), in the order W_a, W_b, W_out."""
    generator = torch.Generator().manual_seed(config.seed)
    plain = {
        name: torch.empty(shape).normal_(0.0, config.init_std, generator=generator)
        for name, shape in config.weight_shapes.items()
    }
    return replicate_weights(plain, key=config.base_key, replicate=config.replicate)


def make_optimizer(config: Config, weights: Weights) -> Optimizer:
    """The optimizer of these weights, which it steps in place."""
    names = config.trained
    return Optimizer(config.optimizer_config, weights, trained=names, matrices=names, hidden=names)


def hidden(weights: Weights, a: Tensor, b: Tensor) -> Tensor:
    """The neurons after the square, (n, width)."""
    return (functional.embedding(a, weights["W_a"]) + functional.embedding(b, weights["W_b"])).square()


def outputs(weights: Weights, a: Tensor, b: Tensor) -> Tensor:
    """The network's outputs, (n, p)."""
    return hidden(weights, a, b) @ weights["W_out"]


def loss(given: Tensor, answers: Tensor) -> Tensor:
    """Mean squared difference to the one-hot answers, over pairs and outputs."""
    return functional.mse_loss(given, functional.one_hot(answers, given.shape[1]).to(given.dtype))


def loss_and_gradients(config: Config, weights: Weights, step: int = 0) -> float:
    """Mean squared error on the training pairs, the same for every step; sets `.grad` of every weight."""
    leaves = {name: weights[name].detach().requires_grad_() for name in config.trained}
    train = _pairs(config, weights["W_a"].device)[0]
    value = loss(outputs(leaves, train.a, train.b), train.answers)
    gradients = torch.autograd.grad(value, list(leaves.values()))
    for name, gradient in zip(config.trained, gradients, strict=True):
        weights[name].grad = gradient.contiguous()
    return value.item()


def pure_loss(config: Config, *, device: str = "cpu") -> PureLoss:
    """Mean squared error on the training pairs as a function of weights and pairs."""
    train = _pairs(config, torch.device(device))[0]
    wanted = functional.one_hot(train.answers, config.p).float()  # not in the function: vmap knows it not
    tensors = {"a": train.a, "b": train.b, "wanted": wanted}

    def of_pairs(weights: Weights, pairs: Tensors) -> Tensor:
        return functional.mse_loss(outputs(weights, pairs["a"], pairs["b"]), pairs["wanted"])

    return PureLoss(of_pairs, lambda epoch: tensors, config.trained)


def training_loss(config: Config, weights: Arrays) -> TrainingLoss:
    """The mean squared error on the training pairs as a function of the weights, at given ones."""
    train = _pairs(config, torch.device("cpu"))[0]

    def of_weights(given: Weights) -> Tensor:
        return loss(outputs(given, train.a, train.b), train.answers)

    objective = PlainObjective(config, sys.modules[__name__], ())
    return TrainingLoss(of_weights, objective, weights, config.trained, len(train.a))


@torch.no_grad()
def evaluate(config: Config, weights: Weights) -> dict[str, float]:
    """test_loss, test_accuracy (0-1) and train_accuracy; the last one on the labels that training sees."""
    train, test = _pairs(config, weights["W_a"].device)
    of_train, of_test = outputs(weights, train.a, train.b), outputs(weights, test.a, test.b)
    return {
        "test_loss": loss(of_test, test.answers).item(),
        "test_accuracy": _accuracy(of_test, test.answers),
        "train_accuracy": _accuracy(of_train, train.answers),
    }


@torch.no_grad()
def probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    """One forward pass of the full grid."""
    here = {name: tensor.detach().to(device) for name, tensor in weights.items()}
    pairs = torch.as_tensor(data.probe_pairs(config)).to(device)
    neurons = hidden(here, pairs[:, 0], pairs[:, 1])
    return ProbePass(here, neurons, neurons @ here["W_out"])


def _accuracy(given: Tensor, answers: Tensor) -> float:
    return (given.argmax(dim=-1) == answers).double().mean().item()


@lru_cache(maxsize=4)
def _pairs(config: Config, device: torch.device) -> tuple[Pairs, Pairs]:
    """Training pairs with the labels that training sees, and test pairs with the right ones."""
    train, test = data.split(config)
    parts: list[Pairs] = []
    for index, labels in ((train, data.train_labels(config, train)), (test, data.answers(config, test))):
        a, b = index // config.p, index % config.p
        parts.append(Pairs(*(torch.as_tensor(x).to(device) for x in (a, b, labels))))
    return parts[0], parts[1]


def probe_fingerprint(config: Config) -> str:
    """Fingerprint (64 hex digits) of the probe's pairs."""
    return data.probe_fingerprint(config)
