"""Made-up artifacts of the analyses of weights and learning, and the tables that the real functions make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from synthetic import FAMILY, write_artifact, write_table

from tdw.families.modulo_addition_1layer.analyzers.coarseness import COARSENESS
from tdw.families.modulo_addition_1layer.analyzers.weight_spectra import ANALYZER, PER_HEAD
from tdw.families.modulo_addition_1layer.figures.weights.trajectory import GROUPS
from tdw.families.modulo_addition_1layer.maths.geometry import geometry, stacked
from tdw.families.modulo_addition_1layer.maths.learning.gradient_sites import SITES as GRADIENT_SITES
from tdw.families.modulo_addition_1layer.maths.learning.gradient_sites import site_cosines
from tdw.families.modulo_addition_1layer.maths.learning.graduation import accuracy_by_class
from tdw.families.modulo_addition_1layer.maths.sites import SITES
from tdw.families.modulo_addition_1layer.summaries import (
    blob_onset,
    coarseness_by_frequency,
    head_composition,
    scale_clusters,
)
from tdw.families.modulo_addition_1layer.summaries.learning import (
    answer_geometry,
    commitment,
    gradient_flow,
    gradient_sites,
    graduation,
    outcome,
)
from tdw.families.modulo_addition_1layer.summaries.weights import circuits, effective_dimensions
from tdw.recipes.common.landscape.tables import COEFFICIENT_TABLE, CURVATURE_TABLE
from tdw.recipes.context import Arrays
from tdw.recipes.summary import Inputs, Summary
from tdw.store import Address, Store


def write_learning(
    store: Store, key: str, epochs: Sequence[int], history: pd.DataFrame, coarseness: np.ndarray
) -> None:
    """Everything that the figures of `weights`, `learning` and `neurons` read; `coarseness` (epochs, n)."""
    p, last = FAMILY.parse_variant(key).p, epochs[-1]
    for epoch, values in zip(epochs, coarseness, strict=True):
        rng = np.random.default_rng(epoch)
        weights = {
            name: rng.standard_normal((2, 3)).astype(np.float32) + epoch / last
            for name in GROUPS["all weights"]
        }
        write_artifact(store, key, "checkpoints", epoch, weights)
        write_artifact(store, key, "weight_spectra", epoch, spectra(rng, p))
        write_artifact(store, key, "answers", epoch, answers(rng, p, share=epoch / last))
        write_artifact(store, key, "site_geometry", epoch, sites(rng, p))
        write_artifact(store, key, "gradients", epoch, gradients(rng, p))
        write_artifact(store, key, "curvature", epoch, curvature(rng, scale=np.exp(-epoch / 300)))
        write_artifact(store, key, "learning_coefficient", epoch, coefficient(rng, 40 - 30 * epoch / last))
        for name, arrays in neurons(rng, p, values).items():
            write_artifact(store, key, name, epoch, arrays)
    tables: tuple[Summary, ...] = (
        circuits.SUMMARY, effective_dimensions.SUMMARY, commitment.SUMMARY, graduation.SUMMARY,
        answer_geometry.SUMMARY, outcome.SUMMARY, blob_onset.SUMMARY, coarseness_by_frequency.SUMMARY,
        head_composition.SUMMARY, scale_clusters.SUMMARY, gradient_sites.SUMMARY, gradient_flow.SUMMARY,
        CURVATURE_TABLE, COEFFICIENT_TABLE,
    )  # fmt: skip
    for summary in tables:
        found = {name: tuple(read(store, key, name, e) for e in epochs) for name in summary.analyzers}
        inputs = Inputs(FAMILY.parse_variant(key), tuple(epochs), found, history)
        write_table(store, key, summary.name, summary.function(inputs, summary.parameters()))


def read(store: Store, key: str, name: str, epoch: int) -> Arrays:
    arrays = dict(store.read(Address(FAMILY.name, key, name, epoch)).arrays)
    if name == "neuron_frequencies":
        size = len(arrays["cluster_sizes"])
        arrays["fraction_explained"] = np.zeros((len(arrays["best_frequency"]), size), np.float32)
    return arrays


def spectra(rng: np.random.Generator, p: int) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for name in ANALYZER.arrays:
        single = name.startswith("direct") or (name.startswith("dimensions_") and name[11:] not in PER_HEAD)
        shape = () if single else (4,)
        if name.endswith("_shares"):
            shape = (*shape, (p - 1) // 2)
        arrays[name] = np.asarray(rng.random(shape))
    return arrays


def answers(rng: np.random.Generator, p: int, *, share: float) -> dict[str, np.ndarray]:
    train = np.random.default_rng(0).random((p, p)) < 0.5
    right = train | (np.random.default_rng(1).random((p, p)) < share)
    probability = rng.random((p, p)).astype(np.float32)
    pairs = np.arange(p * p)
    by_class = accuracy_by_class(right, train, (pairs // p + pairs % p) % p)
    return {"right": right, "train": train, "probability": probability, "accuracy_by_class": by_class}


def gradients(rng: np.random.Generator, p: int, *, neurons: int = 12) -> dict[str, np.ndarray]:
    energy = rng.exponential(size=(len(GRADIENT_SITES), (p - 1) // 2))
    flows = {name: rng.exponential(size=neurons) for name in ("flow", "into", "out_of")}
    return {"energy": energy, "cosines": site_cosines(energy), **flows, "norm": np.array(1.0)}


def curvature(rng: np.random.Generator, *, scale: float) -> dict[str, np.ndarray]:
    return {
        "eigenvalues": scale * np.array([60.0, 40, 30]),
        "residuals": np.full(3, 1e-9),
        "products": np.array(24),
        "increases": 1e-4 * scale * rng.standard_normal(50),
        "curvatures": 1e-3 * scale * (1 + 0.1 * rng.standard_normal(50)),
        "loss": np.array(scale),
        "flat_share": np.array(1.0),
    }


def coefficient(rng: np.random.Generator, height: float) -> dict[str, np.ndarray]:
    losses = (height / 200 + 0.01 * rng.standard_normal((4, 60))).astype(np.float32)
    numbers = {"n_beta": 200.0, "step_size": 1e-5, "localization": 1e4, "loss": 0.0}
    return {
        "by_chain": 200 * losses[:, 20:].mean(axis=1, dtype=np.float64),
        "losses": losses,
        "distance": np.full(4, 4.7),
        **{name: np.array(value) for name, value in numbers.items()},
        "burn_in": np.array(20),
        "seed": np.array(0),
    }


def sites(rng: np.random.Generator, p: int) -> dict[str, np.ndarray]:
    rows = np.arange(p * p).reshape(p, p)
    angle = 2 * np.pi * 3 * np.repeat(np.arange(p), p) / p
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    noise = 0.1 * rng.standard_normal((len(SITES), p * p, 3))
    constant = np.ones((p * p, 3))
    return stacked([geometry(constant if i == 0 else circle + noise[i], rows) for i in range(len(SITES))])


def neurons(rng: np.random.Generator, p: int, coarseness: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Artifacts that say something of each neuron."""
    n, h = len(coarseness), p // 2
    dead = coarseness == 0
    profiles = np.stack([coarseness, (1 - coarseness) / 4, 3 * (1 - coarseness) / 4], axis=1) * ~dead[:, None]
    return {
        "coarseness": {
            COARSENESS: coarseness,
            "neuron_dead": dead,
            "radius_fraction": np.array(0.125),
        },
        "scale_profiles": {"profiles": profiles.astype(np.float32)},
        "relabelling": {
            "num_blob_neurons": np.array([(coarseness >= 0.7).sum(), *rng.integers(0, 3, h - 1)])
        },
        "head_composition": {
            "groups": np.stack([coarseness >= 0.7, (coarseness < 0.5) & ~dead]),
            "read_energy": rng.random((4, n)).astype(np.float32),
            "heads_per_neuron": rng.uniform(1, 4, n).astype(np.float32),
            "gain": rng.uniform(0, 4, n).astype(np.float32),
            "composition": rng.random((4, 2)),
            "energy_by_frequency": rng.random((4, 2, h)),
        },
    }
