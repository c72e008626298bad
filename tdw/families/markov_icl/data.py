"""Chains and the sequences drawn from them: transition rows Dirichlet(1), first symbol stationary."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import torch
from torch import Tensor

from tdw.families.markov_icl.config import PROBE_SEQUENCES, Config
from tdw.families.transformer.objective import Batch
from tdw.families.transformer.streams import step_generator


def batch(config: Config, step: int) -> Batch:
    """The training batch of a step: fresh sequences of fresh chains, a pure function of its arguments."""
    generator = step_generator("markov_icl/train", config.data_seed, step)
    return _predict_next(draw(config.batch_size, config.n_states, config.length, generator=generator)[1])


def probe(config: Config, *, count: int = PROBE_SEQUENCES) -> Batch:
    """The fixed sequences of every analysis: the same for all variants of a number of states and a length."""
    sequences = probe_chains(config.n_states, config.length)[1]
    return _predict_next(sequences[:count])


@lru_cache(maxsize=2)
def probe_chains(n_states: int, length: int) -> tuple[Tensor, Tensor]:
    """Transition matrices and sequences of the probe; see `draw`. Always the same tensors: leave them alone.

    Kept, as every artifact asks for them, and drawing takes a tenth of the forward pass.
    """
    generator = step_generator("markov_icl/probe", 0, 0)
    return draw(PROBE_SEQUENCES, n_states, length, generator=generator)


def draw(count: int, n_states: int, length: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Chains, and one sequence of each.

    Returns:
        transitions: float32 (count, n_states, n_states), P[now, next], rows uniform on the simplex.
        sequences: int64 (count, length).
    """
    # Exponential variables over their sum are Dirichlet(1).
    transitions = torch.empty(count, n_states, n_states).exponential_(generator=generator)
    transitions = transitions / transitions.sum(dim=-1, keepdim=True)
    return transitions, walk(transitions, length, generator=generator)


def walk(transitions: Tensor, length: int, *, generator: torch.Generator) -> Tensor:
    """A sequence of each chain from its stationary distribution, int64 (count, length).

    Args:
        transitions: float32 (count, n_states, n_states).
        length: symbols per sequence.
        generator: draws one uniform number per symbol.
    """
    count = len(transitions)
    uniform = torch.rand(count, length, generator=generator)
    first = (uniform[:, :1] >= stationary(transitions).cumsum(dim=-1)[:, :-1]).sum(dim=-1)
    # Every step is a map from each present state to the next one. Composing maps of 1, 2, 4 ... steps takes
    # the logarithm of `length` in operations, where walking along the sequence takes `length`.
    bounds = transitions.cumsum(dim=-1)[..., :-1]
    maps = (uniform[:, 1:, None, None] >= bounds[:, None]).sum(dim=-1)
    reach = 1
    while reach < length - 1:
        maps = torch.cat([maps[:, :reach], maps[:, reach:].gather(-1, maps[:, :-reach])], dim=1)
        reach *= 2
    later = maps.gather(-1, first[:, None, None].expand(-1, length - 1, 1))[..., 0]
    return torch.cat([first[:, None], later], dim=1)


def stationary(transitions: Tensor) -> Tensor:
    """Stationary distributions, float32 (count, n_states), of matrices (count, n_states, n_states)."""
    count, k, _ = transitions.shape
    # pi (P - 1) = 0 has one redundant equation; "the sum is 1" takes its place.
    equations = transitions.double().transpose(1, 2) - torch.eye(k, dtype=torch.float64)
    equations[:, -1] = 1.0
    right = torch.zeros(count, k, 1, dtype=torch.float64)
    right[:, -1] = 1.0
    # The cast is for type checkers: PyTorch leaves torch.linalg untyped.
    solution = cast("Tensor", torch.linalg.solve(equations, right))  # pyright: ignore[reportUnknownMemberType]
    return solution[..., 0].clamp(min=0).float()


def _predict_next(sequences: Tensor) -> Batch:
    return Batch(sequences[:, :-1], sequences[:, 1:])
