"""The levels of any number of states, as means over drawn chains."""

from __future__ import annotations

import math

import numpy as np
import torch

from tdw.families.markov_icl import data, strategies
from tdw.families.markov_icl.levels import Levels
from tdw.families.transformer.streams import step_generator

_CHUNK = 4_000  # sequences at a time


def sampled_levels(n_states: int, length: int, *, sequences: int = 100_000) -> Levels:
    """Levels with standard errors, 2e-4 to 5e-4 for 100,000 sequences of 100 symbols.

    The loss of a position is taken in expectation over the symbol that follows, which the chain's matrix
    gives. The mean entropy of its chain's rows is taken off every sequence's mean loss; its expectation
    is known (1/2 + 1/3 + ... + 1/k), and most of the spread between chains goes with it.

    Args:
        n_states: k.
        length: symbols per sequence.
        sequences: to draw, one of each chain.
    """
    expected = sum(1 / j for j in range(2, n_states + 1))
    sums = {name: np.zeros(length - 1) for name in ("unigram", "bigram")}
    rest: dict[str, list[torch.Tensor]] = {"entropy": [], "unigram": [], "bigram": []}
    drawn = 0
    while drawn < sequences:
        count = min(_CHUNK, sequences - drawn)
        generator = step_generator("markov_icl/levels", n_states, drawn)
        transitions, symbols = data.draw(count, n_states, length, generator=generator)
        matrix, tokens = transitions.double(), symbols[:, :-1]
        rows = -torch.xlogy(matrix, matrix).sum(dim=-1)
        control = rows.mean(dim=-1)
        rest["entropy"].append((data.stationary(transitions).double() * rows).sum(dim=-1) - control)
        following = matrix.gather(1, tokens[..., None].expand(-1, -1, n_states))
        for name, strategy in (("unigram", strategies.unigram), ("bigram", strategies.bigram)):
            losses = -(following * strategy(tokens, n_states).log()).sum(dim=-1)
            sums[name] += (losses - control[:, None]).sum(dim=0).numpy()
            rest[name].append(losses.mean(dim=-1) - control)
        drawn += count
    joined = {name: torch.cat(parts) for name, parts in rest.items()}
    return Levels(
        uniform=math.log(n_states),
        unigram=expected + sums["unigram"] / sequences,
        bigram=expected + sums["bigram"] / sequences,
        entropy=expected + joined["entropy"].mean().item(),
        errors={name: (part.std() / sequences**0.5).item() for name, part in joined.items()},
    )
