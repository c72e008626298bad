"""A6: how much of a neuron's variance one frequency explains, and the clusters of neurons that share one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.parameters import is_share, require
from tdw.recipes.analyzer import Analyzer, Metadata


@dataclass(frozen=True)
class Parameters:
    """When a neuron belongs to a cluster.

    Attributes:
        cluster_fraction: share of the variance that the best frequency must explain.
    """

    cluster_fraction: float = 0.85

    def __post_init__(self) -> None:
        require(
            is_share(self.cluster_fraction),
            "cluster_fraction",
            self.cluster_fraction,
            wanted="a share in 0..1",
        )


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """Fractions, best frequencies and clusters; h = (p - 1) / 2, all per neuron.

    Returns:
        fraction_explained: float32 (d_mlp, h), column k - 1 for frequency k; 0 for a constant map.
        best_frequency: int64 (d_mlp,), 1..h; 0 for a constant map.
        best_fraction: float32 (d_mlp,).
        variance: float32 (d_mlp,), of the map.
        cluster: int64 (d_mlp,), the best frequency where its fraction reaches `cluster_fraction`, else 0.
        cluster_sizes: int64 (h,), neurons in the cluster of each frequency.
    """
    spectra = context.neuron_spectra
    varying = spectra.varying[:, None]
    energy = spectra.by_frequency()
    fraction = np.divide(energy, varying, out=np.zeros_like(energy), where=varying > 0)
    fraction = np.minimum(fraction, 1)
    best = fraction.argmax(axis=1)
    best_fraction = fraction.max(axis=1)
    frequency = np.where(best_fraction > 0, best + 1, 0)
    cluster = np.where(best_fraction >= parameters.cluster_fraction, frequency, 0)
    return {
        "fraction_explained": fraction.astype(np.float32),
        "best_frequency": frequency.astype(np.int64),
        "best_fraction": best_fraction.astype(np.float32),
        "variance": spectra.variance.astype(np.float32),
        "cluster": cluster.astype(np.int64),
        "cluster_sizes": np.bincount(cluster, minlength=fraction.shape[1] + 1)[1:].astype(np.int64),
    }


def describe(arrays: Arrays) -> Metadata:
    """Neurons in clusters, and how well one frequency explains a neuron."""
    sizes = arrays["cluster_sizes"]
    return {
        "num_clustered_neurons": int(sizes.sum()),
        "num_clusters": int((sizes > 0).sum()),
        "mean_best_fraction": float(arrays["best_fraction"].mean()),
    }


ANALYZER = Analyzer(
    name="neuron_frequencies",
    title="Neuron frequencies",
    description="""\
For each neuron and each frequency k, the fraction of the variance of its map explained by the eight terms
of {1, cos k, sin k} × {1, cos k, sin k} without the constant; terms that mix frequencies are in the
denominator only. A neuron whose best frequency explains at least `cluster_fraction` (0.85, as in [Nanda et
al. 2023](https://arxiv.org/abs/2301.05217)) belongs to that frequency's cluster.
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    arrays={
        "fraction_explained": "float32 (d_mlp, (p-1)/2), column k - 1 for frequency k",
        "best_frequency": "int64 (d_mlp,), 1..(p-1)/2; 0 for a constant map",
        "best_fraction": "float32 (d_mlp,)",
        "variance": "float32 (d_mlp,), of the map",
        "cluster": "int64 (d_mlp,), a frequency, or 0: in none",
        "cluster_sizes": "int64 ((p-1)/2,), neurons in each frequency's cluster",
    },
    describe=describe,
)
