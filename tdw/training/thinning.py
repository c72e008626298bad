"""Fewer replay states: what it saves in bytes, and what it costs when an epoch is asked for later.

A state serves only to start a replay from. Without it the replay starts from the one before, takes more steps
and gives the same bits. The last state stays, so that training can go on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tdw.errors import BadConfig
from tdw.recipes.family import Family, VariantConfig
from tdw.store import Address, Store
from tdw.store.layout import STATES

_MEASURED_STEPS = 3


@dataclass(frozen=True)
class Thinning:
    """Which states of a variant to keep and which to drop.

    Attributes:
        keep, drop: their epochs, ascending.
        freed: bytes of those to drop.
        steps_before, steps_after: what the longest replay to an epoch takes, in optimizer steps.
    """

    variant: str
    keep: tuple[int, ...]
    drop: tuple[int, ...]
    freed: int
    steps_before: int
    steps_after: int


def plan_thinning(store: Store, family: Family, variant: str, *, keep_every: int) -> Thinning:
    """As few states as leave no replay longer than `keep_every` steps, where there are states enough.

    Raises:
        BadConfig: `keep_every` below 1.
    """
    if keep_every < 1:
        raise BadConfig(f"--keep-every is {keep_every}", "give a number of epochs, such as 5000")
    states = store.epochs(family.name, variant, STATES)
    keep: list[int] = []
    for at, epoch in enumerate(states):
        last = at == len(states) - 1
        if last or states[at + 1] - (keep[-1] if keep else 0) > keep_every:
            keep.append(epoch)
    drop = tuple(epoch for epoch in states if epoch not in set(keep))
    return Thinning(
        variant=variant,
        keep=tuple(keep),
        drop=drop,
        freed=sum(store.path(_address(family, variant, epoch)).stat().st_size for epoch in drop),
        steps_before=_longest_replay(states),
        steps_after=_longest_replay(keep),
    )


def thin(store: Store, family: Family, plan: Thinning) -> None:
    """Delete the states that the plan drops.

    Raises:
        Busy: the variant is being trained.
    """
    with store.lock(family.name, plan.variant, "train", wait_s=0.0):
        for epoch in plan.drop:
            store.delete(_address(family, plan.variant, epoch))


def seconds_a_step(family: Family, config: VariantConfig) -> float:
    """Wall seconds of an optimizer step of this variant here, the median of a few, on the CPU."""
    from tdw.training.environment import one_thread
    from tdw.training.trainer import Trainer

    with one_thread():
        trainer = Trainer(family, config, device="cpu", form=family.objective(config, device="cpu").form)
        trainer.restore(None)
        taken: list[float] = []
        for _ in range(_MEASURED_STEPS + 1):
            start = time.perf_counter()
            trainer.loss_and_gradients()
            trainer.step()
            taken.append(time.perf_counter() - start)
    return sorted(taken[1:])[_MEASURED_STEPS // 2]


def _longest_replay(states: Sequence[int]) -> int:
    """Steps to the epoch right before a state, from the one before it; beyond the last is new training."""
    starts = [0, *states]
    return max((after - before - 1 for before, after in pairwise(starts)), default=0)


def _address(family: Family, variant: str, epoch: int) -> Address:
    return Address(family.name, variant, STATES, epoch)
