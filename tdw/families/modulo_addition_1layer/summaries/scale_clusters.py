"""Clusters of neurons that share a scale profile at the end of training, with their representatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers.neurons.scale_profiles import NAME as PROFILES
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_profiles import cluster_profiles
from tdw.parameters import is_count, require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Parameters:
    """How many clusters there may be.

    Attributes:
        max_clusters: at most; how many there are is what gives the largest mean silhouette.
    """

    max_clusters: int = 8

    def __post_init__(self) -> None:
        most: int = self.max_clusters
        require(is_count(most, least=2), "max_clusters", most, wanted="a whole number, 2 or more")


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row per neuron; see `SUMMARY`."""
    import pandas as pd

    profiles = inputs.artifacts[PROFILES][-1]["profiles"]
    found = cluster_profiles(profiles, max_clusters=parameters.max_clusters)
    neurons = np.arange(len(profiles), dtype=np.int64)
    columns: dict[str, Any] = {
        "neuron": neurons,
        "cluster": found.cluster,
        "representative": np.isin(neurons, found.representatives),
        "num_clusters": len(found.representatives),
        "silhouette": found.silhouette,
        "last_epoch": inputs.epochs[-1],
        **{f"octave_{j}": profiles[:, j] for j in range(profiles.shape[1])},
    }
    return pd.DataFrame(columns)


def describe(table: Any) -> Metadata:
    """How many clusters, how well they part, and the neurons that stand for them."""
    standing = table[table["representative"]].sort_values("cluster")
    return {
        "num_clusters": int(table["num_clusters"].iloc[0]),
        "silhouette": float(table["silhouette"].iloc[0]),
        "representatives": " ".join(map(str, standing["neuron"])) or "none",
    }


SUMMARY = Summary(
    name="scale_clusters",
    title="Clusters of scale profiles",
    description="""\
One row per neuron, at the last analyzed epoch: `octave_0`, `octave_1`, ... its scale profile; `cluster` by
[Ward's method](https://doi.org/10.1080/01621459.1963.10500845) on the Euclidean distances of the profiles,
numbered from coarse to fine by the mean octave; −1 for a dead neuron. `num_clusters` is what gives the
largest mean `silhouette` ([Rousseeuw 1987](https://doi.org/10.1016/0377-0427%2887%2990125-7)) among 2 to 8;
one cluster where there are fewer than three different profiles. `representative` marks the medoid of each
cluster, the neuron with the smallest sum of distances to the others. Nothing is random.
""",
    code_version="1",
    needs=(PROFILES,),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
