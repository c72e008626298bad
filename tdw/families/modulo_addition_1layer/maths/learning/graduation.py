"""A18: when each pair is learned for good, and the accuracy on each answer.

Per checkpoint: whether the model's answer to each pair is right, its confidence (the probability it gives to
the right answer), and accuracy by residue class, the pairs with one answer. Over checkpoints: a
pair *graduates* at the first checkpoint that opens `run` (3) consecutive right ones, checkpoint after
checkpoint; it may fail again later.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig
from tdw.families.zp_fourier import Float64

NEVER = -1
Bools = npt.NDArray[np.bool_]


def answers_of_pairs(
    logits: npt.NDArray[np.float32], answers: npt.NDArray[np.int64]
) -> tuple[Bools, npt.NDArray[np.float32]]:
    """Whether each pair is answered right, and the probability of the right answer.

    Args:
        logits: float32 (p², p), rows a-major.
        answers: int64 (p²,), the right ones.

    Returns:
        bool (p, p) and float32 (p, p), indexed [a, b]. Of equal logits the first counts as the answer.
    """
    p = logits.shape[1]
    right = (logits.argmax(axis=1) == answers).reshape(p, p)
    shifted = logits - logits.max(axis=1, keepdims=True)
    own = shifted[np.arange(len(answers)), answers]
    total = np.exp(shifted, out=shifted).sum(axis=1, dtype=np.float64)
    return right, (np.exp(own, dtype=np.float64) / total).astype(np.float32).reshape(p, p)


def accuracy_by_class(right: Bools, train: Bools, answers: npt.NDArray[np.int64]) -> Float64:
    """Accuracy on the pairs of each answer.

    Args:
        right: bool (p, p), [a, b].
        answers: int64 (p²,), the right ones, a-major.
        train: bool (p, p), which pairs train.

    Returns:
        float64 (3, p), [train | test | all, residue], 0-1; NaN where a class has no such pair.
    """
    p = len(right)
    rows: list[npt.NDArray[np.floating]] = []
    for among in (train.reshape(-1), ~train.reshape(-1), np.ones(p * p, np.bool_)):
        number = np.bincount(answers[among], minlength=p)
        correct = np.bincount(answers[among], weights=right.reshape(-1)[among], minlength=p)
        rows.append(np.divide(correct, number, out=np.full(p, np.nan), where=number > 0))
    return np.stack(rows).astype(np.float64)


def graduation_epochs(
    epochs: npt.NDArray[np.integer], right: Bools, *, run: int = 3
) -> npt.NDArray[np.int64]:
    """The epoch at which each input graduates; -1 where it never does.

    Args:
        epochs: (T,), ascending.
        right: bool (T, ...), by checkpoint and input, such as (T, p, p).
        run: consecutive right checkpoints that are asked for.

    Returns:
        int64 (...).

    Raises:
        BadConfig: `run` below 1, or another number of checkpoints than epochs.
    """
    if run < 1 or len(epochs) != len(right):
        raise BadConfig(
            f"{len(epochs)} epochs, {len(right)} checkpoints, runs of {run}",
            "give one epoch per checkpoint, and a run of at least 1",
        )
    found = np.full(right.shape[1:], NEVER, np.int64)
    streak = np.zeros(right.shape[1:], np.int64)
    for t, here in enumerate(right):
        streak = np.where(here, streak + 1, 0)
        opens = (streak == run) & (found == NEVER)
        found[opens] = epochs[t - run + 1]
    return found
