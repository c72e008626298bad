"""What training and analysis ask of the family: weights, batches, loss, metrics, probe."""

from __future__ import annotations

import torch
from torch import Tensor

from tdw.families.replicates import replicate_weights
from tdw.families.transformer import initialize, network, objective, probe
from tdw.families.transformer.network import Weights
from tdw.families.transformer.objective import Batch
from tdw.families.transformer.probe import ProbePass
from tdw.families.transformer.streams import step_generator
from tdw.optimizers.optimizer import Optimizer

from .family import Config

PROBE_SEQUENCES = 256


def sequences(config: Config, count: int, generator: torch.Generator) -> Batch:
    """Random tokens, and at each position from `lag` on the token that stood `lag` positions before."""
    tokens = torch.randint(config.n_tokens, (count, config.length), generator=generator)
    targets = tokens.roll(config.lag, dims=1)
    mask = (torch.arange(config.length) >= config.lag).expand(count, -1)
    return Batch(tokens, targets, mask)


def probe_sequences(config: Config) -> Batch:
    """The fixed sequences of every analysis, the same for all checkpoints."""
    return sequences(config, PROBE_SEQUENCES, step_generator("my_family/probe", 0, 0))


def init_weights(config: Config) -> dict[str, Tensor]:
    """Weights at epoch 0, float32 on the CPU, by TransformerLens name."""
    plain = initialize.init_weights(config.transformer, seed=config.seed)
    return replicate_weights(plain, key=config.base_key, replicate=config.replicate)


def make_optimizer(config: Config, weights: Weights) -> Optimizer:
    """The optimizer of these weights, which it steps in place."""
    shape = config.transformer
    matrices = shape.hidden_matrices
    return Optimizer(
        config.optimizer_config, weights, trained=shape.trained, matrices=matrices, hidden=matrices
    )


def loss_and_gradients(config: Config, weights: Weights, step: int) -> float:
    """Loss in nats of the batch of `step`; sets `.grad` of every weight.

    The batch is a function of the configuration and the step alone, so that any step can be repeated.
    """
    batch = sequences(config, config.batch_size, step_generator("my_family/train", config.seed, step))
    return objective.loss_and_gradients(config.transformer, weights, _on(batch, weights))


@torch.no_grad()
def evaluate(config: Config, weights: Weights) -> dict[str, float]:
    """The metrics that the declaration names, on the probe."""
    held = _on(probe_sequences(config), weights)
    assert held.mask is not None
    logits = network.logits(config.transformer, weights, held.tokens)[held.mask]
    targets = held.targets[held.mask]
    return {
        "test_loss": objective.cross_entropy(logits, targets).mean().item(),
        "accuracy": (logits.argmax(dim=-1) == targets).double().mean().item(),
    }


def probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    """One forward pass of the probe, with all activations: what analyzers read."""
    return probe.probe_pass(config.transformer, weights, probe_sequences(config), device=device)


def probe_fingerprint(config: Config) -> str:
    """Fingerprint (64 hex digits) of the probe's sequences."""
    return probe.probe_fingerprint(probe_sequences(config))


def _on(batch: Batch, weights: Weights) -> Batch:
    """The batch on the device of the weights."""
    device = weights["embed.W_E"].device
    assert batch.mask is not None
    return Batch(batch.tokens.to(device), batch.targets.to(device), batch.mask.to(device))
