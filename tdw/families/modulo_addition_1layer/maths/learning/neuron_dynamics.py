"""A17: neurons over training: switching, commitment, transient frequencies, homeless neurons.

From two arrays over T checkpoints and n neurons that `neuron_frequencies` (A6) has stored: the frequency k*
that explains most of a neuron's variance, and the share f that it explains.

- A neuron is *committed* at a checkpoint where f >= `share` (0.70). The loose form takes 3 / (number of
  frequencies), three times what a neuron without preference has at most.
- It *switches* when k* differs between successive checkpoints at which it is committed.
- Its *commitment epoch* is the first from which on k* stays the same and f above the threshold to the end.
- A frequency is *transient* when the largest number of neurons committed to it is at least `peak_share`
  (0.05) of all neurons, and the number at the end less than `end_share` (0.10) of that largest number.
- A neuron is *homeless* when it was committed to a transient frequency at that one's peak and is committed to
  none at the end.
- A *cascade* runs from the first checkpoint at which a frequency has `cascade_share` (0.08) of all neurons to
  an epoch that the caller names, such as the crossover of PR(W_out) and PR(W_in).

A first epoch is the first of those analyzed; what happens between checkpoints is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NEVER = -1


@dataclass(frozen=True)
class Commitment:
    """Neurons over T checkpoints.

    Attributes:
        committed: bool (T, n).
        switches: int64 (n,), changes of frequency between successive committed checkpoints.
        epoch: int64 (n,), the commitment epoch; -1 where the neuron is not committed at the end.
        counts: int64 (T, h), neurons committed to each frequency 1..h.
    """

    committed: Bools
    switches: Ints
    epoch: Ints
    counts: Ints


@dataclass(frozen=True)
class Transients:
    """Frequencies that came and went.

    Attributes:
        peak_count, peak_epoch, end_count: int64 (h,), of the neurons committed to each frequency 1..h; the
            first epoch with the largest number.
        transient: bool (h,).
        homeless: bool (n,), neurons without a frequency after a transient one.
        homeless_of: int64 (h,), how many neurons each transient frequency left homeless.
    """

    peak_count: Ints
    peak_epoch: Ints
    end_count: Ints
    transient: Bools
    homeless: Bools
    homeless_of: Ints


def loose_share(num_frequencies: int) -> float:
    """The loose threshold of commitment: 3 / number of frequencies."""
    return 3 / num_frequencies


def commitment(
    epochs: npt.NDArray[np.integer],
    frequency: npt.NDArray[np.integer],
    fraction: npt.NDArray[np.floating],
    *,
    num_frequencies: int,
    share: float = 0.70,
) -> Commitment:
    """Commitment and switching of every neuron.

    Args:
        epochs: (T,), ascending.
        frequency: (T, n), the best frequency 1..h, 0 for a constant map.
        fraction: (T, n), the share of the variance that it explains, 0-1.
        num_frequencies: h.
        share: threshold of commitment.
    """
    committed: Bools = (fraction >= share) & (frequency > 0)
    count, n = frequency.shape
    switches = np.zeros(n, np.int64)
    last = np.zeros(n, np.int64)  # the frequency at the last committed checkpoint, 0 before the first
    counts = np.zeros((count, num_frequencies), np.int64)
    for t in range(count):
        here = committed[t]
        switches += here & (last > 0) & (frequency[t] != last)
        last[here] = frequency[t, here]
        counts[t] = np.bincount(frequency[t, here], minlength=num_frequencies + 1)[1:]
    final = committed & (frequency == frequency[-1])
    stays = np.logical_and.accumulate(final[::-1], axis=0)[::-1]
    since = np.asarray(epochs, np.int64)[stays.argmax(axis=0)]
    return Commitment(committed, switches, np.where(stays[-1], since, NEVER), counts)


def transients(
    epochs: npt.NDArray[np.integer],
    frequency: npt.NDArray[np.integer],
    found: Commitment,
    *,
    peak_share: float = 0.05,
    end_share: float = 0.10,
) -> Transients:
    """Transient frequencies and homeless neurons.

    Args:
        epochs, frequency: as for `commitment`.
        found: its result.
        peak_share: of all neurons.
        end_share: of the frequency's largest number.
    """
    counts, n = found.counts, frequency.shape[1]
    at = counts.argmax(axis=0)
    peak, end = counts.max(axis=0), counts[-1]
    transient: Bools = (peak >= peak_share * n) & (peak > 0) & (end < end_share * peak)
    homeless, homeless_of = np.zeros(n, np.bool_), np.zeros(len(peak), np.int64)
    for index in np.flatnonzero(transient):
        members = found.committed[at[index]] & (frequency[at[index]] == index + 1)
        left = members & ~found.committed[-1]
        homeless |= left
        homeless_of[index] = left.sum()
    return Transients(peak, np.asarray(epochs, np.int64)[at], end, transient, homeless, homeless_of)


def cascade(
    epochs: npt.NDArray[np.integer],
    found: Commitment,
    *,
    end_epoch: int | None,
    cascade_share: float = 0.08,
) -> tuple[int, int] | None:
    """First and last epoch of the cascade; None where it never starts or never ends after its start.

    Args:
        epochs: (T,), ascending.
        found: commitment of the neurons.
        end_epoch: where it ends, such as the crossover of participation ratios; None where there is none.
        cascade_share: share of all neurons that one frequency must have.
    """
    reached = (found.counts >= cascade_share * found.committed.shape[1]).any(axis=1)
    if end_epoch is None or not reached.any():
        return None
    start = int(epochs[reached.argmax()])
    return (start, end_epoch) if end_epoch >= start else None
