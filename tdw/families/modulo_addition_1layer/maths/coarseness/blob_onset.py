"""When the first blob appears: the first neuron whose coarseness (A8) reaches the threshold of a blob.

A neuron may cross the threshold by chance and fall back, at epoch 0 too; so the first blob that lasts to the
end is told apart from the first that is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Epochs = npt.NDArray[np.integer]


def first_blob(
    epochs: Epochs, coarseness: npt.NDArray[np.floating], *, blob_from: float = 0.7
) -> tuple[int, int] | None:
    """The epoch at which the first blob appears, and its neuron; None where none ever does.

    Of several neurons at that epoch the coarsest.

    Args:
        epochs: (T,), ascending.
        coarseness: (T, n), 0-1.
        blob_from: coarseness of a blob, at least.
    """
    blobs = (coarseness >= blob_from).any(axis=1)
    if not blobs.any():
        return None
    at = int(blobs.argmax())
    return int(epochs[at]), int(coarseness[at].argmax())


def first_lasting_blob(
    epochs: Epochs, coarseness: npt.NDArray[np.floating], *, blob_from: float = 0.7
) -> tuple[int, int] | None:
    """The first epoch from which on some neuron is a blob to the end, and that neuron; None where none is.

    A neuron that is a blob at the last checkpoint only has not been seen to last and does not count.

    Args:
        epochs, coarseness, blob_from: as for `first_blob`.
    """
    blob = coarseness >= blob_from
    lasting = np.logical_and.accumulate(blob[::-1], axis=0)[::-1]
    lasting = lasting[:-1]
    if not lasting.any():
        return None
    at = int(lasting.any(axis=1).argmax())
    return int(epochs[at]), int(np.where(lasting[at], coarseness[at], -1).argmax())


@dataclass(frozen=True)
class LabellingOnset:
    """When the first blob appears under every labeling (A12); the first one is the observed one.

    Attributes:
        median: the first epoch by which at least half of the labelings have a blob; None where there is none.
        mean: of the first epochs of the labelings that ever have a blob; NaN where none does.
        never: labelings that never have a blob.
        labellings: how many there are.
        rank: labelings whose first blob comes at or before that of the observed one, itself included. Where
            the observed one has none, all of them.
    """

    median: int | None
    mean: float
    never: int
    labellings: int
    rank: int


def onset_by_labelling(epochs: Epochs, blobs: npt.NDArray[np.integer]) -> LabellingOnset:
    """When the first blob appears, over labelings.

    Args:
        epochs: (T,), ascending.
        blobs: (T, labelings), number of blobs under each.
    """
    there = blobs > 0
    ever: npt.NDArray[np.bool_] = np.any(there, axis=0)
    # Later than any epoch where there is none, so that order and median hold for censored ones too.
    first = np.where(ever, there.argmax(axis=0), len(epochs))
    half = int(np.sort(first)[(len(first) - 1) // 2])
    return LabellingOnset(
        median=int(epochs[half]) if half < len(epochs) else None,
        mean=float(epochs[first[ever]].mean()) if ever.any() else float("nan"),
        never=int((~ever).sum()),
        labellings=len(ever),
        rank=int((first <= first[0]).sum()),
    )
