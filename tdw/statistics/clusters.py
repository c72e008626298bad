"""Permutation tests for runs that are not independent: those that share a seed or a split are a cluster.

An ordinary permutation takes every run for an independent draw. Runs of one cluster have something in
common, so only arrangements that leave every cluster together are as likely as the observed one: the clusters
change places as wholes, each with its runs in their order. Only clusters of one size can change places. What
all runs share can't be respected by any arrangement: a result then holds for that value of it alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.statistics.exact import Float64, spearman_of_rows

SAMPLES = 20_000
_SEED = 20_230_112
_TOLERANCE = 1e-12
Statistic = Callable[[Float64, Float64], Float64]


@dataclass(frozen=True)
class Clustering:
    """Which runs belong together.

    Attributes:
        labels: of each run, the number of its cluster, from 0 in order of appearance.
        shared: names of the columns that are the same in all runs, which no arrangement respects.
    """

    labels: tuple[int, ...]
    shared: tuple[str, ...]


def cluster(columns: Mapping[str, Sequence[Hashable]]) -> Clustering:
    """Runs that share a value of any column are one cluster, and so are clusters that share a run.

    Args:
        columns: name, such as "seed" or "data_seed" -> value of each run.

    Raises:
        ValueError: columns of different lengths, or none.
    """
    sizes = {len(values) for values in columns.values()}
    if len(sizes) != 1:
        raise ValueError(f"columns of {sorted(sizes)} runs; give one value of each for every run")
    (n,) = sizes
    shared = tuple(name for name, values in columns.items() if n > 1 and len(set(values)) == 1)
    found = list(range(n))
    for name, values in columns.items():
        if name in shared:
            continue
        first: dict[Hashable, int] = {}
        for i, value in enumerate(values):
            keep, drop = found[first.setdefault(value, i)], found[i]
            found = [keep if label == drop else label for label in found]
    order = {label: i for i, label in enumerate(dict.fromkeys(found))}
    return Clustering(tuple(order[label] for label in found), shared)


@dataclass(frozen=True)
class ClusterTest:
    """A permutation test in which clusters stay together.

    Attributes:
        statistic: of the observed arrangement.
        p_value: two-sided, share of the arrangements with a statistic as far from 0.
        arrangements: how many there are; more than those that were looked at where `exact` is False.
        exact: all were looked at, not a sample.
        smallest: the smallest p-value that so many arrangements allow.
        not_respected: what the test can't take into account, in words; "" for nothing.
    """

    statistic: float
    p_value: float
    arrangements: int
    exact: bool
    smallest: float
    not_respected: str


def permute_clusters(
    x: Sequence[float] | Float64,
    y: Sequence[float] | Float64,
    *,
    clusters: Clustering,
    statistic: Statistic | None = None,
) -> ClusterTest:
    """Test the association of x and y, (n,) each, by letting the clusters of y change places as wholes.

    Args:
        x: one number for each run.
        y: the other.
        clusters: of the runs.
        statistic: (rows of y (m, n), x (n,)) -> (m,), 0 for no association; by default
            Spearman's correlation.

    Raises:
        ValueError: lengths that differ.
    """
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not len(a) == len(b) == len(clusters.labels):
        raise ValueError(f"{len(a)} and {len(b)} numbers of {len(clusters.labels)} runs; give one for each")
    members = [np.flatnonzero(np.array(clusters.labels) == label) for label in sorted(set(clusters.labels))]
    by_size: dict[int, list[npt.NDArray[np.intp]]] = {}
    for runs in members:
        by_size.setdefault(len(runs), []).append(runs)
    number = math.prod(math.factorial(len(alike)) for alike in by_size.values())
    exact = number <= 2 * SAMPLES
    orders = np.array(list(_all_orders(by_size, len(a))) if exact else _some_orders(by_size, len(a)), np.intp)
    measure = statistic or spearman_of_rows
    observed = float(measure(b[None, :], a)[0])
    hits = int((np.abs(measure(b[orders], a)) >= abs(observed) - _TOLERANCE).sum())
    p_value = hits / number if exact else (hits + 1) / (SAMPLES + 1)
    smallest = 1 / number if exact else 1 / (SAMPLES + 1)
    return ClusterTest(observed, p_value, number, exact, smallest, _not_respected(clusters, by_size))


def _all_orders(by_size: Mapping[int, list[npt.NDArray[np.intp]]], n: int) -> Iterator[npt.NDArray[np.intp]]:
    for choice in itertools.product(*(itertools.permutations(alike) for alike in by_size.values())):
        order = np.empty(n, np.intp)
        for alike, moved in zip(by_size.values(), choice, strict=True):
            for place, runs in zip(alike, moved, strict=True):
                order[place] = runs
        yield order


def _some_orders(by_size: Mapping[int, list[npt.NDArray[np.intp]]], n: int) -> npt.NDArray[np.intp]:
    generator = np.random.default_rng(_SEED)
    orders = np.empty((SAMPLES, n), np.intp)
    for size, alike in by_size.items():
        blocks = np.stack(alike)
        picks = generator.permuted(np.tile(np.arange(len(alike)), (SAMPLES, 1)), axis=1)
        orders[:, blocks.reshape(-1)] = blocks[picks].reshape(SAMPLES, len(alike) * size)
    return orders


def _not_respected(clusters: Clustering, by_size: Mapping[int, list[npt.NDArray[np.intp]]]) -> str:
    parts: list[str] = []
    if clusters.shared:
        parts.append(f"all runs share {' and '.join(clusters.shared)}: the result holds for that value alone")
    alone = sorted(size for size, alike in by_size.items() if len(alike) == 1)
    if alone and sum(map(len, by_size.values())) > 1:
        sizes = ", ".join(map(str, alone))
        parts.append(f"a cluster whose size occurs once ({sizes}) stays in its place")
    if sum(map(len, by_size.values())) == 1 and not clusters.shared:
        parts.append("all runs are linked to one cluster, so there is nothing to permute")
    return "; ".join(parts)
