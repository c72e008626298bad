"""A15: how many directions a weight matrix uses, and when two matrices change places.

The participation ratio of singular values s is PR = (sum s)² / sum s²: r for r equal singular values, 1 for a
matrix of rank one, and unchanged when the matrix is multiplied by a number. The same ratio of the eigenvalues
of a covariance (the squares of singular values) is another, smaller number; `covariance_participation_ratio`
is its name here.

Singular values are computed once for a checkpoint (`singular_values`) and serve everything that needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig

Float64 = npt.NDArray[np.float64]


def singular_values(weights: Mapping[str, npt.NDArray[Any]]) -> dict[str, Float64]:
    """Singular values of every weight matrix, in float64, descending.

    Args:
        weights: arrays by name. Matrices (m, n) and stacks of them (n_heads, m, n) count; vectors and stacks
            whose name's last part starts with "b_" (biases) do not.

    Returns:
        By name, float64 (min(m, n),) or (n_heads, min(m, n)).
    """
    return {
        name: np.asarray(np.linalg.svd(array.astype(np.float64), compute_uv=False), np.float64)
        for name, array in weights.items()
        if array.ndim in (2, 3) and not name.rpartition(".")[2].startswith("b_")
    }


def participation_ratio(values: Float64) -> Float64:
    """(sum s)² / sum s² of singular values (..., r) over the last axis: float64 (...,); 0 where all are 0."""
    return _ratio(values)


def covariance_participation_ratio(eigenvalues: Float64) -> Float64:
    """(sum λ)² / sum λ² of eigenvalues (..., r) of a covariance: float64 (...,); 0 where all are 0."""
    return _ratio(eigenvalues)


def effective_dimensions(weights: Mapping[str, npt.NDArray[Any]]) -> dict[str, Float64]:
    """Participation ratio of every weight matrix: by name, float64 () or, for a stack, (n_heads,).

    Args:
        weights: see `singular_values`. The whole of each matrix counts: of an embedding, every token.
    """
    return {name: participation_ratio(values) for name, values in singular_values(weights).items()}


def crossover_epoch(
    epochs: npt.NDArray[np.integer], falling: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
) -> int | None:
    """The first epoch at which `falling` is at or below `other`, after it was above; None when there is none.

    Args:
        epochs: (T,), ascending.
        falling, other: (T,), such as PR(W_out) and PR(W_in).

    Raises:
        BadConfig: the three differ in length.
    """
    if not len(epochs) == len(falling) == len(other):
        raise BadConfig(
            f"{len(epochs)} epochs came with {len(falling)} and {len(other)} values",
            "give one value of each matrix per epoch",
        )
    above = falling > other
    after = np.logical_or.accumulate(above) & ~above
    return int(epochs[after.argmax()]) if after.any() else None


def _ratio(values: Float64) -> Float64:
    squares = (values**2).sum(axis=-1)
    total = values.sum(axis=-1) ** 2
    return np.divide(total, squares, out=np.zeros_like(squares), where=squares > 0)
