"""How well each position, and each depth of the residual stream, predicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from tdw.families.transformer import network
from tdw.families.transformer.objective import cross_entropy, negative_log_likelihood
from tdw.families.transformer.probe import ProbePass

Float64 = npt.NDArray[np.float64]


def loss_by_position(probed: ProbePass) -> Float64:
    """Cross-entropy at each position in nats, averaged over sequences: float64 (positions,)."""
    return negative_log_likelihood(probed.log_probs, probed.probe.targets).mean(dim=0).cpu().numpy()


def in_context_score(losses: Float64) -> float:
    """Loss late in the context minus loss early: negative for a model that learns from its context.

    The mean over the last tenth of the positions minus that over the first tenth, at least one position each
    (after Olsson et al. 2022, arXiv:2209.11895, who take tokens 500 and 50).

    Args:
        losses: from `loss_by_position`, float64 (positions,).
    """
    window = max(1, len(losses) // 10)
    return float(losses[-window:].mean() - losses[:window].mean())


@torch.no_grad()
def logit_lens(probed: ProbePass) -> Float64:
    """Loss of the residual stream read early: float64 (n_layers + 1, positions), in nats.

    Row i is the loss if the stream before block i went through the final norm and the unembedding; the last
    row is the model's own loss (nostalgebraist 2020, "interpreting GPT: the logit lens").
    """
    config, layers = probed.config, range(probed.config.n_layers)
    rows = [
        cross_entropy(network.unembed(config, probed.weights, stream), probed.probe.targets).mean(dim=0)
        for stream in (probed.activations[f"blocks.{layer}.hook_resid_pre"] for layer in layers)
    ]
    return np.stack([row.cpu().numpy() for row in rows] + [loss_by_position(probed)])
