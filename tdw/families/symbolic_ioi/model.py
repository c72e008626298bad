"""What training and analysis ask of the family: weights, loss with gradients, metrics, probe pass."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from tdw.families.replicates import replicate_weights
from tdw.families.symbolic_ioi import data
from tdw.families.symbolic_ioi.config import Config
from tdw.families.transformer import initialize, network, objective, probe
from tdw.families.transformer.network import Weights
from tdw.families.transformer.objective import Batch
from tdw.families.transformer.probe import ProbePass
from tdw.optimizers.optimizer import Optimizer
from tdw.pure_loss import PureLoss


def init_weights(config: Config) -> dict[str, Tensor]:
    """Weights at epoch 0, float32 on the CPU, by HookedTransformer name."""
    plain = initialize.init_weights(config.transformer, seed=config.seed)
    return replicate_weights(plain, key=config.base_key, replicate=config.replicate)


def make_optimizer(config: Config, weights: Weights) -> Optimizer:
    """The optimizer of these weights, which it steps in place."""
    shape = config.transformer
    return Optimizer(
        config.optimizer_config,
        weights,
        trained=shape.trained,
        matrices=shape.hidden_matrices,
        hidden=shape.hidden_matrices,
    )


def loss_and_gradients(config: Config, weights: Weights, step: int = 0) -> float:
    """Loss in nats of all sequences, the same for every step; sets `.grad` of every weight."""
    return objective.loss_and_gradients(
        config.transformer, weights, batch_on(config, weights["embed.W_E"].device)
    )


def pure_loss(config: Config, *, device: str = "cpu") -> PureLoss:
    """The loss as a function of weights and sequences."""
    batch = batch_on(config, torch.device(device))
    return objective.pure_loss(config.transformer, lambda epoch: batch, fixed=True)


@torch.no_grad()
def evaluate(config: Config, weights: Weights) -> dict[str, float]:
    """accuracy (0-1) on all sequences: there are no others to test on."""
    batch = batch_on(config, weights["embed.W_E"].device)
    last = network.logits(config.transformer, weights, batch.tokens)[:, -1]
    return {"accuracy": (last.argmax(dim=-1) == batch.targets[:, -1]).double().mean().item()}


def probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    """One forward pass of all sequences, with all activations."""
    return probe.probe_pass(config.transformer, weights, data.sequences(config), device=device)


def probe_fingerprint(config: Config) -> str:
    """Fingerprint (64 hex digits) of the sequences."""
    return probe.probe_fingerprint(data.sequences(config))


@lru_cache(maxsize=8)
def batch_on(config: Config, device: torch.device) -> Batch:
    """All sequences on a device."""
    batch = data.sequences(config)
    return Batch(batch.tokens.to(device), batch.targets.to(device))
