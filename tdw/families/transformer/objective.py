"""The training loss as a function of weights and one batch, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from tdw.errors import BadConfig
from tdw.families.transformer import network
from tdw.families.transformer.config import TransformerConfig
from tdw.families.transformer.network import Weights
from tdw.pure_loss import PureLoss, Tensors

_FEW = 8
"""Outputs. The softmax of so few takes longer where they lie side by side in memory."""


@dataclass(frozen=True)
class Batch:
    """Sequences and what is to be predicted at each of their positions.

    Attributes:
        tokens: int64 (batch, positions).
        targets: int64 (batch, positions), the right output at each position; for next-token prediction the
            following token.
        mask: bool (batch, positions), the positions that count; only with the loss "mask".
    """

    tokens: Tensor
    targets: Tensor
    mask: Tensor | None = None


def loss(config: TransformerConfig, weights: Weights, batch: Batch) -> Tensor:
    """Mean cross-entropy in nats over the positions that count: float64 scalar.

    The log-softmax is in float64: float32 is unstable once the model is sure of its answers.

    Raises:
        BadConfig: a mask is missing, not asked for or empty.
    """
    stream = network.residual(config, weights, batch.tokens)
    targets = batch.targets
    if config.loss == "mask":
        if batch.mask is None or not batch.mask.any():
            raise BadConfig(
                "the loss is read at masked positions, but the batch has none", "give every batch a mask"
            )
        stream, targets = stream[batch.mask], targets[batch.mask]
    elif batch.mask is not None:
        raise BadConfig(f"the batch has a mask, but the loss is {config.loss!r}", "set loss to mask")
    elif config.loss == "last":
        stream, targets = stream[:, -1], targets[:, -1]
    return cross_entropy(network.unembed(config, weights, stream), targets).mean()


def pure_loss(config: TransformerConfig, batch_of: Callable[[int], Batch], *, fixed: bool) -> PureLoss:
    """The loss as a function of weights and batch.

    Args:
        config: the architecture.
        batch_of: epoch -> its batch, on the device; one without a mask.
        fixed: it is the same at every epoch.
    """

    def of_batch(weights: Weights, batch: Tensors) -> Tensor:
        return loss(config, weights, Batch(batch["tokens"], batch["targets"]))

    def tensors(epoch: int) -> Tensors:
        batch = batch_of(epoch)
        return {"tokens": batch.tokens, "targets": batch.targets}

    return PureLoss(of_batch, tensors, tuple(config.trained), kind=config, fixed=fixed)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of each prediction in nats, float64, of the shape of `targets`."""
    return negative_log_likelihood(log_probs(logits), targets)


def log_probs(logits: Tensor) -> Tensor:
    """Log-probability of each output in nats, float64, of the shape of `logits`."""
    if logits.shape[-1] <= _FEW and not logits.requires_grad:
        return logits.movedim(-1, 0).contiguous().double().log_softmax(dim=0).movedim(0, -1)
    return logits.double().log_softmax(dim=-1)


def negative_log_likelihood(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Of each target in nats, of the shape of `targets`; from `log_probs` (..., d_vocab_out)."""
    return -log_probs.gather(-1, targets[..., None]).squeeze(-1)


def loss_and_gradients(
    config: TransformerConfig, weights: Weights, batch: Batch, *, trained: Iterable[str] | None = None
) -> float:
    """The loss of `batch`; sets `.grad` of each trained tensor (overwriting it).

    Args:
        config: the architecture.
        weights: by HookedTransformer name.
        batch: the step's batch.
        trained: names to differentiate; None is every weight.
    """
    names = config.trained if trained is None else tuple(trained)
    leaves = {name: weights[name].detach().requires_grad_() for name in names}
    value = loss(config, {**weights, **leaves}, batch)
    gradients = torch.autograd.grad(value, list(leaves.values()))
    for name, gradient in zip(names, gradients, strict=True):
        # Autograd hands out transposed views; the fused optimizers read memory in the weight's order.
        weights[name].grad = gradient.contiguous()
    return value.item()
