"""Streams of fresh minibatches: one generator per step, so that any step's batch can be made alone."""

from __future__ import annotations

import hashlib

import torch


def step_generator(stream: str, seed: int, step: int) -> torch.Generator:
    """The generator of one step's batch: a pure function of its arguments.

    Hashed, because neighboring seeds of PyTorch's generator (of which it reads 32 bits) make streams of
    neighboring runs coincide: seed 0 at step 1 would be seed 1 at step 0.

    Args:
        stream: what is drawn, such as "markov_icl/train": streams of other names are independent.
        seed: the variant's data seed.
        step: number of optimizer steps before this batch.
    """
    digest = hashlib.sha256(f"{stream}|{seed}|{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))
