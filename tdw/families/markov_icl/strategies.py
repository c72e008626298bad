"""What counting predicts: the strategies that a model is compared with.

Both add one to every count, which is the posterior mean under Dirichlet(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from tdw.families.markov_icl.data import probe_chains
from tdw.families.transformer.objective import log_probs

_BLOCK = 2**24  # counts at a time: 128 MiB of them
Float64 = npt.NDArray[np.float64]


def unigram(tokens: Tensor, n_states: int) -> Tensor:
    """How often each state has occurred up to each position: float64 (sequences, positions, n_states)."""
    counts = functional.one_hot(tokens, n_states).double().cumsum(dim=1) + 1
    return counts / counts.sum(dim=-1, keepdim=True)


def bigram(tokens: Tensor, n_states: int) -> Tensor:
    """What has followed the present state so far: float64 (sequences, positions, n_states)."""
    block = max(1, _BLOCK // (tokens.shape[1] * n_states**2))
    return torch.cat([_bigram(tokens[i : i + block], n_states) for i in range(0, len(tokens), block)])


def _bigram(tokens: Tensor, n_states: int) -> Tensor:
    onehot = functional.one_hot(tokens, n_states).double()
    # counts[:, t, i, j]: transitions from i to j among the symbols 0..t.
    counts = torch.ones(*tokens.shape, n_states, n_states, dtype=torch.float64, device=tokens.device)
    counts[:, 1:] += (onehot[:, :-1, :, None] * onehot[:, 1:, None, :]).cumsum(dim=1)
    of_present = counts.gather(2, tokens[..., None, None].expand(-1, -1, 1, n_states))[:, :, 0]
    return of_present / of_present.sum(dim=-1, keepdim=True)


@lru_cache(maxsize=2)
def of_probe(n_states: int, length: int) -> dict[str, tuple[Tensor, Tensor]]:
    """What uniform, unigram and bigram predict of the probe: probabilities, and their logarithms in nats.

    float64 (sequences, positions, n_states) each.

    Cached: every checkpoint is compared with the same strategies.
    """
    tokens = probe_chains(n_states, length)[1][:, :-1]
    found = {
        "uniform": torch.full((*tokens.shape, n_states), 1 / n_states, dtype=torch.float64),
        "unigram": unigram(tokens, n_states),
        "bigram": bigram(tokens, n_states),
    }
    return {name: (strategy, strategy.log()) for name, strategy in found.items()}


def divergence(strategy: Tensor, logits: Tensor) -> Float64:
    """KL(strategy || model) at each position in nats, averaged over sequences: float64 (positions,).

    Args:
        strategy: probabilities, float64 (sequences, positions, n_states).
        logits: of the model, the same shape.
    """
    return divergences({"": (strategy, strategy.log())}, log_probs(logits))[""]


def divergences(strategies: Mapping[str, tuple[Tensor, Tensor]], log_model: Tensor) -> dict[str, Float64]:
    """The `divergence` of each of some strategies, by name.

    Args:
        strategies: see `of_probe`.
        log_model: log-probabilities of the model, float64, of the shape of each strategy.
    """
    return {
        name: (strategy * (log_strategy - log_model)).sum(dim=-1).mean(dim=0).cpu().numpy()
        for name, (strategy, log_strategy) in strategies.items()
    }
