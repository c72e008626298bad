"""Scale profiles of neurons, and clusters of neurons that share one.

A map's scale profile is the share of its variance in octaves of spatial frequency: band j holds the pairs of
frequencies (k, l) with 2^j <= sqrt(k² + l²) < 2^(j+1), the constant left out. Coarseness is one sum
over the lowest pairs, which ends within a band; neurons of one coarseness may still differ in profile.

Clusters are those of Ward's method on the profiles (no random start); how many is what gives the largest mean
silhouette (Rousseeuw 1987) among 2 to `max_clusters`. A cluster's representative is its medoid, the neuron
with the smallest sum of distances to the others. Clusters are numbered from coarse to fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float32, Float64, Spectra

NONE = -1


def octaves(p: int) -> npt.NDArray[np.int64]:
    """The band of every pair of frequencies: int64 (h + 1, h + 1); -1 for the constant."""
    k = np.arange(p // 2 + 1)
    squared = k[:, None] ** 2 + k**2
    # 2^j <= sqrt(s) < 2^(j+1) is 4^j <= s < 4^(j+1): in whole numbers, so that edges are exact.
    limits = 4 ** np.arange(1, 16, dtype=np.int64)
    band = np.searchsorted(limits, squared, side="right")
    band[0, 0] = NONE
    return band.astype(np.int64)


def scale_profiles(spectra: Spectra) -> Float32:
    """Share of each map's variance by octave: float32 (n, bands); rows sum to 1, 0 for a constant map."""
    band = octaves(spectra.p).reshape(-1)
    indicator: Float32 = _one_hot(band).astype(np.float32)
    energy = spectra.energy.reshape(len(spectra.energy), -1) @ indicator
    total = energy.sum(axis=1, keepdims=True)
    return np.divide(energy, total, out=np.zeros_like(energy), where=total > 0)


@dataclass(frozen=True)
class ProfileClusters:
    """Clusters of profiles.

    Attributes:
        cluster: int64 (n,), 0 for the coarsest; -1 for a neuron without a profile.
        representatives: int64 (c,), the neuron that stands for each cluster.
        profiles: float64 (c, bands), mean of each cluster.
        silhouette: mean silhouette, -1 to 1; NaN when there is one cluster.
    """

    cluster: npt.NDArray[np.int64]
    representatives: npt.NDArray[np.int64]
    profiles: Float64
    silhouette: float


def cluster_profiles(profiles: Float32, *, max_clusters: int = 8) -> ProfileClusters:
    """Clusters of neurons by scale profile.

    Args:
        profiles: float32 (n, bands), of `scale_profiles`; rows of zeros (constant maps) are left out.
        max_clusters: at most; fewer than three distinct profiles make one cluster.
    """
    import scipy.cluster.hierarchy  # pyright: ignore[reportMissingTypeStubs]

    hierarchy: Any = scipy.cluster.hierarchy
    alive = np.flatnonzero(profiles.any(axis=1))
    points = profiles[alive].astype(np.float64)
    distances = np.sqrt(_squared_distances(points))
    labels, best = np.zeros(len(points), np.int64), float("nan")
    if len(np.unique(points, axis=0)) > 2:
        tree = hierarchy.linkage(points, method="ward")
        for count in range(2, min(max_clusters, len(points) - 1) + 1):
            found = np.asarray(hierarchy.fcluster(tree, count, criterion="maxclust"), np.int64) - 1
            value = mean_silhouette(distances, found)
            if found.max() > 0 and not value <= best:
                labels, best = found, value
    return _numbered(profiles, alive, labels, distances, best)


def mean_silhouette(distances: Float64, labels: npt.NDArray[np.int64]) -> float:
    """Mean over points of (b - a) / max(a, b), 0 for a point alone in its cluster; NaN for one cluster.

    a is the mean distance to the others of the point's cluster, b the smallest mean distance to another
    cluster.

    Args:
        distances: float64 (n, n).
        labels: int64 (n,), 0..c-1, none empty.
    """
    if labels.size == 0 or labels.max() == 0:
        return float("nan")
    one_hot = _one_hot(labels)
    sizes = one_hot.sum(axis=0)
    sums = distances @ one_hot
    points = np.arange(len(labels))
    own = sizes[labels] - 1
    a = sums[points, labels] / np.maximum(own, 1)
    means = sums / sizes
    means[points, labels] = np.inf
    b = means.min(axis=1)
    larger = np.maximum(a, b)
    value = np.divide(b - a, larger, out=np.zeros_like(a), where=(larger > 0) & (own > 0))
    return float(value.mean())


def _numbered(
    profiles: Float32,
    alive: npt.NDArray[np.intp],
    labels: npt.NDArray[np.int64],
    distances: Float64,
    silhouette: float,
) -> ProfileClusters:
    """Number the clusters from coarse to fine and find their representatives."""
    cluster = np.full(len(profiles), NONE, np.int64)
    members = [[i for i, x in enumerate(labels) if x == label] for label in sorted(set(labels.tolist()))]
    means = [profiles[alive[rows]].mean(axis=0, dtype=np.float64) for rows in members]
    # The mean octave of the variance says how coarse a cluster is.
    order = sorted(range(len(means)), key=lambda which: float(means[which] @ np.arange(len(means[which]))))
    representatives: list[int] = []
    for number, which in enumerate(order):
        rows = members[which]
        cluster[alive[rows]] = number
        medoid = distances[np.ix_(rows, rows)].sum(axis=1).argmin()
        representatives.append(int(alive[rows[medoid]]))
    return ProfileClusters(
        cluster,
        np.array(representatives, np.int64),
        np.array([means[which] for which in order]).reshape(len(order), profiles.shape[1]),
        silhouette,
    )


def _one_hot(labels: npt.NDArray[np.int64]) -> Float64:
    """1 where a label is the column's, 0 elsewhere (-1 everywhere): float64 (n, largest + 1)."""
    found = np.zeros((len(labels), int(labels.max()) + 1))
    rows = np.flatnonzero(labels >= 0)
    found[rows, labels[rows]] = 1
    return found


def _squared_distances(points: Float64) -> Float64:
    squares = (points**2).sum(axis=1)
    found = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    np.fill_diagonal(found, 0)
    return found
