"""When the first blob appears: the first neuron whose coarseness (A8) reaches the threshold of a blob.

A neuron may cross the threshold by chance and fall back, at epoch 0 too; so the first blob that lasts to the
end is told apart from the first that is seen.
"""

from __future__ import annotations

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
