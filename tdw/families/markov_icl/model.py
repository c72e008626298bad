"""What training and analysis ask of the family: weights, loss with gradients, metrics, probe pass."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from tdw.families.markov_icl import data, strategies
from tdw.families.markov_icl.config import Config
from tdw.families.replicates import replicate_weights
from tdw.families.transformer import initialize, network, objective, probe
from tdw.families.transformer.measures import prediction
from tdw.families.transformer.network import Weights
from tdw.families.transformer.objective import Batch, cross_entropy
from tdw.families.transformer.probe import ProbePass
from tdw.optimizers.optimizer import Optimizer
from tdw.pure_loss import PureLoss

EVALUATION_SEQUENCES = 128  # of the probe's: a metric every few steps must not cost more than the steps


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


def loss_and_gradients(config: Config, weights: Weights, step: int) -> float:
    """Loss in nats of the batch of `step`; sets `.grad` of every weight (overwriting it)."""
    here = _batch_on(config, step, weights["embed.W_E"].device)
    return objective.loss_and_gradients(config.transformer, weights, here)


def pure_loss(config: Config, *, device: str = "cpu") -> PureLoss:
    """The loss as a function of weights and a step's batch."""
    where = torch.device(device)
    return objective.pure_loss(config.transformer, lambda step: _batch_on(config, step, where), fixed=False)


@torch.no_grad()
def evaluate(config: Config, weights: Weights) -> dict[str, float]:
    """Metrics on the first sequences of the probe, in nats.

    Returns:
        test_loss, accuracy (0-1), kl_unigram and kl_bigram (from strategy to model, mean over positions), and
        in_context_score (loss late minus early).
    """
    device = weights["embed.W_E"].device
    held, (unigram, bigram) = _evaluation(config.n_states, config.length)
    logits = network.logits(config.transformer, weights, held.tokens.to(device)).cpu()
    losses = cross_entropy(logits, held.targets)
    return {
        "test_loss": losses.mean().item(),
        "accuracy": (logits.argmax(dim=-1) == held.targets).double().mean().item(),
        "kl_unigram": float(strategies.divergence(unigram, logits).mean()),
        "kl_bigram": float(strategies.divergence(bigram, logits).mean()),
        "in_context_score": prediction.in_context_score(losses.mean(dim=0).numpy()),
    }


def probe_pass(config: Config, weights: Weights, *, device: str = "cpu") -> ProbePass:
    """One forward pass of the probe, with all activations."""
    return probe.probe_pass(config.transformer, weights, data.probe(config), device=device)


def probe_fingerprint(config: Config) -> str:
    """Fingerprint (64 hex digits) of the probe's sequences."""
    return probe.probe_fingerprint(data.probe(config))


def _batch_on(config: Config, step: int, device: torch.device) -> Batch:
    drawn = data.batch(config, step)
    return Batch(drawn.tokens.to(device), drawn.targets.to(device))


@lru_cache(maxsize=4)
def _evaluation(n_states: int, length: int) -> tuple[Batch, tuple[Tensor, Tensor]]:
    held = data.probe(Config(0, n_states=n_states, length=length), count=EVALUATION_SEQUENCES)
    return held, (strategies.unigram(held.tokens, n_states), strategies.bigram(held.tokens, n_states))
