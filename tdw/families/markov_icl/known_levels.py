"""The levels of a number of states and a length: exact where they can be, and computed once per process."""

from __future__ import annotations

from functools import lru_cache

from tdw.families.markov_icl.levels import Levels, exact_levels
from tdw.families.markov_icl.sampled_levels import sampled_levels

_LONGEST_EXACT = 128  # the sum over all counts grows with the cube of the length
_SEQUENCES = 20_000


@lru_cache(maxsize=8)
def levels_of(n_states: int, length: int) -> Levels:
    """Exact for two states and up to 128 symbols, else means over 20,000 drawn chains."""
    if n_states == 2 and length <= _LONGEST_EXACT:
        return exact_levels(length)
    return sampled_levels(n_states, length, sequences=_SEQUENCES)
