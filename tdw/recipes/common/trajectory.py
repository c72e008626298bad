"""A16: the path of the weights through training, seen along its principal components, and its speed.

Let θ_t be the flattened weights of a group at checkpoint t, and c_t = θ_t - mean over t. The principal
components of the path need only the T x T matrix of inner products G = c cᵀ: with G = U Λ Uᵀ, the coordinate
of checkpoint t on component i is U_ti sqrt(Λ_i), and Λ_i / sum Λ is its share of the variance. G is a sum
over weights, so one weight of all checkpoints is read at a time, and centered in blocks of its columns; a
group's G is the sum of those of its weights.

The velocity between two checkpoints is ||θ_{t+1} - θ_t|| / (e_{t+1} - e_t): a mean over the epochs between
them, so checkpoints need not be evenly spaced. It is a lower bound of the length of the path per epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig

Float64 = npt.NDArray[np.float64]
Load = Callable[[int, str], npt.NDArray[Any]]
_BLOCK = 4096  # columns centered at a time in float64: 8 MB for 250 checkpoints


@dataclass(frozen=True)
class Path:
    """Inner products of one group of weights at T checkpoints.

    Attributes:
        gram: float64 (T, T), c_t · c_s of the centered weights.
        squared_steps: float64 (T - 1,), ||θ_{t+1} - θ_t||².
        squared_norms: float64 (T,), ||θ_t||².
    """

    gram: Float64
    squared_steps: Float64
    squared_norms: Float64

    def __add__(self, other: Path) -> Path:
        """The path of both groups of weights together."""
        return Path(
            self.gram + other.gram,
            self.squared_steps + other.squared_steps,
            self.squared_norms + other.squared_norms,
        )


@dataclass(frozen=True)
class Trajectory:
    """What one group of weights does over T checkpoints.

    Attributes:
        coordinates: float64 (T, n), on the n principal components, in units of weights. A component's
            sign is such that its last coordinate is not negative.
        variance_shares: float64 (n,), of the variance over checkpoints, descending.
        velocity: float64 (T - 1,), units of weights per epoch, between successive checkpoints.
        norm: float64 (T,), length of the weights.
    """

    coordinates: Float64
    variance_shares: Float64
    velocity: Float64
    norm: Float64


def path_of_weight(load: Load, count: int, name: str) -> Path:
    """The path of one weight.

    Args:
        load: (index of the checkpoint, name of the weight) -> array of any shape.
        count: number of checkpoints T.
        name: of the weight.

    Memory: T times the weight in its own dtype, and a block of columns in float64.
    """
    stack = np.stack([load(index, name).reshape(-1) for index in range(count)])
    gram, steps, norms = np.zeros((count, count)), np.zeros(count - 1), np.zeros(count)
    for start in range(0, stack.shape[1], _BLOCK):
        block = stack[:, start : start + _BLOCK].astype(np.float64)
        norms += (block**2).sum(axis=1)
        steps += (np.diff(block, axis=0) ** 2).sum(axis=1)
        block -= block.mean(axis=0)
        gram += block @ block.T
    return Path(gram, steps, norms)


def trajectories(
    load: Load,
    epochs: Sequence[int],
    *,
    groups: Mapping[str, Sequence[str]],
    components: int = 10,
) -> dict[str, Trajectory]:
    """Principal components and velocity of each group of weights; each weight is read once.

    Args:
        load: (index into `epochs`, name of the weight) -> array of any shape.
        epochs: of the checkpoints, strictly ascending, at least two.
        groups: name of the group -> names of its weights, such as {"attention": ("W_Q", "W_K")}.
        components: how many to keep at most; there are at most T - 1.

    Raises:
        BadConfig: fewer than two epochs, or epochs that do not ascend.
    """
    at = np.asarray(epochs, np.int64)
    if len(at) < 2 or (np.diff(at) <= 0).any():
        raise BadConfig(
            f"a trajectory was asked for over the epochs {list(epochs)[:8]}",
            "give at least two checkpoints, in ascending order",
        )
    paths = {
        name: path_of_weight(load, len(at), name)
        for name in dict.fromkeys(name for names in groups.values() for name in names)
    }
    return {
        group: trajectory(_sum([paths[name] for name in names]), at, components=components)
        for group, names in groups.items()
    }


def trajectory(path: Path, epochs: npt.NDArray[np.int64], *, components: int = 10) -> Trajectory:
    """Principal components and velocity of one path (see `Trajectory`)."""
    values, vectors = np.linalg.eigh(path.gram)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    # Centering takes one direction away: its eigenvalue is rounding.
    keep = min(components, len(epochs) - 1)
    coordinates = vectors[:, :keep] * np.sqrt(values[:keep])
    coordinates *= np.where(coordinates[-1] < 0, -1.0, 1.0)
    total = values.sum()
    return Trajectory(
        coordinates=coordinates,
        variance_shares=values[:keep] / total if total > 0 else np.zeros(keep),
        velocity=np.sqrt(path.squared_steps) / np.diff(epochs),
        norm=np.sqrt(path.squared_norms),
    )


def _sum(paths: Sequence[Path]) -> Path:
    total = paths[0]
    for path in paths[1:]:
        total = total + path
    return total
