"""One forward pass of a fixed set of sequences: what every measure of a checkpoint starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from tdw.families.transformer import network
from tdw.families.transformer.config import TransformerConfig
from tdw.families.transformer.network import Weights
from tdw.families.transformer.objective import Batch, log_probs
from tdw.store.fingerprints import fingerprint_arrays


@dataclass(frozen=True)
class ProbePass:
    """What one pass of the probe gives; tensors on the device of the pass, without gradients.

    Attributes:
        config: the architecture.
        weights: that were probed, by HookedTransformer name.
        probe: the sequences and their targets.
        activations: by TransformerLens hook name, batch first.
        logits: float32 (sequences, positions, d_vocab_out).
    """

    config: TransformerConfig
    weights: Weights
    probe: Batch
    activations: Mapping[str, Tensor]
    logits: Tensor

    @property
    def patterns(self) -> list[Tensor]:
        """Attention of each layer, float32 (sequences, n_heads, query, key)."""
        layers = range(self.config.n_layers)
        return [self.activations[f"blocks.{layer}.attn.hook_pattern"] for layer in layers]

    @cached_property
    def log_probs(self) -> Tensor:
        """Log-probabilities of the outputs in nats, float64, of the shape of `logits`."""
        return log_probs(self.logits)


@torch.no_grad()
def probe_pass(
    config: TransformerConfig, weights: Weights, probe: Batch, *, device: str = "cpu"
) -> ProbePass:
    """One forward pass of `probe` with all activations.

    Args:
        config: the architecture.
        weights: by HookedTransformer name, float32, on any device.
        probe: the fixed sequences.
        device: where to compute.
    """
    here = {name: tensor.detach().to(device) for name, tensor in weights.items()}
    mask = None if probe.mask is None else probe.mask.to(device)
    moved = Batch(probe.tokens.to(device), probe.targets.to(device), mask)
    cache: network.Cache = {}
    logits = network.logits(config, here, moved.tokens, cache=cache)
    return ProbePass(config, here, moved, cache, logits)


def probe_fingerprint(probe: Batch) -> str:
    """Fingerprint (64 hex digits) of the probe's tokens, targets and mask."""
    arrays = {"tokens": probe.tokens.cpu().numpy(), "targets": probe.targets.cpu().numpy()}
    if probe.mask is not None:
        arrays["mask"] = probe.mask.cpu().numpy()
    return fingerprint_arrays(arrays)
