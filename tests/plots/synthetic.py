"""A store with made-up results whose shapes, columns and course are those of real ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tdw.families import get_family
from tdw.store import Address, Provenance, Store, TableAddress

FAMILY = get_family("modulo_addition_1layer")
EPOCHS = (*range(0, 1500, 100), *range(1500, 9000, 500), *range(9000, 13000, 100), *range(13000, 25001, 500))


def provenance(key: str, name: str, epoch: int | None = None, **extra: Any) -> Provenance:
    config = FAMILY.parse_variant(key)
    return Provenance(
        family=FAMILY.name,
        variant=key,
        name=name,
        epoch=epoch,
        code_version="1",
        **{"variant_fingerprint": config.fingerprint, "probe_fingerprint": FAMILY.probe_fingerprint(config)}
        | extra,
    )


def write_table(store: Store, key: str, name: str, table: pd.DataFrame) -> None:
    store.write_table(TableAddress(FAMILY.name, key, name), table, provenance=provenance(key, name))


def write_artifact(
    store: Store, key: str, name: str, epoch: int, arrays: Mapping[str, np.ndarray], **encoding: Any
) -> None:
    address = Address(FAMILY.name, key, name, epoch)
    store.write(address, arrays, provenance=provenance(key, name, epoch), **encoding)


def write_checkpoints(store: Store, key: str, epochs: Collection[int]) -> None:
    for epoch in epochs:
        write_artifact(store, key, "checkpoints", epoch, {"w": np.zeros(1, np.float32)})


def history(*, last: int, groks_at: int | None, skip: range = range(0)) -> pd.DataFrame:
    """Losses that memorize within 1,000 epochs and generalize around `groks_at`; test loss every 10."""
    epochs = np.array([e for e in range(last + 1) if e not in skip])
    rng = np.random.default_rng(0)
    noise = np.exp(0.05 * rng.standard_normal(len(epochs)))
    train = 4.7 * np.exp(-epochs / 150) + 2e-7 * noise
    test = 4.7 + 14 * (1 - np.exp(-epochs / 700))
    if groks_at is not None:
        # ln of the loss falls from ln 18 to ln 1e-6 around the grokking epoch.
        test = np.exp(np.log(test) - 17 / (1 + np.exp(-(epochs - groks_at + 300) / 250)))
    test = np.where(epochs % 10 == 0, test * noise, np.nan)
    accuracy = np.where(np.isnan(test), np.nan, 1 / (1 + np.nan_to_num(test)))
    return pd.DataFrame({"epoch": epochs, "train_loss": train, "test_loss": test, "test_accuracy": accuracy})


def matrix(epochs: Sequence[int], *, groks_at: int | None, neurons: int, seed: int = 0) -> np.ndarray:
    """Coarseness (epochs, neurons): low at first, some neurons become blobs before grokking."""
    rng = np.random.default_rng(seed)
    target = np.where(
        rng.random(neurons) < 0.6, rng.uniform(0.65, 0.98, neurons), rng.uniform(0.05, 0.5, neurons)
    )
    at = np.array(epochs)[:, None]
    when = (groks_at or 60_000) * rng.uniform(0.4, 1.1, neurons)
    rise = 1 / (1 + np.exp(-(at - when) / 800))
    values = 0.12 + (target - 0.12) * rise + 0.02 * rng.standard_normal((len(epochs), neurons))
    values[:, :3] = 0
    return np.clip(values, 0, 1).astype(np.float32)


def coarseness_table(epochs: Sequence[int], values: np.ndarray) -> pd.DataFrame:
    from tdw.families.modulo_addition_1layer.analyzers.coarseness_stats import statistics

    rows: list[dict[str, Any]] = []
    for epoch, row in zip(epochs, values, strict=True):
        found = statistics(row, row == 0)
        numbers = {name: array.item() for name, array in found.items() if array.ndim == 0}
        bins = {f"hist_{i:02d}": int(n) for i, n in enumerate(found["histogram"])}
        rows.append({"epoch": epoch, **numbers, **bins})
    return pd.DataFrame(rows)


def grokking_table(groks_at: int | None, last: int) -> pd.DataFrame:
    row = {
        "grokked": groks_at is not None,
        "grokking_epoch": groks_at,
        "censored_at": None if groks_at is not None else last,
        "rule": "first evaluated epoch from which on test_loss < 0.01 at every evaluated epoch",
        "metric": "test_loss",
        "threshold": 0.01,
        "last_evaluated_epoch": last,
    }
    return pd.DataFrame([row]).astype({"grokking_epoch": "Int64", "censored_at": "Int64"})


def frequencies_table(epochs: Sequence[int], *, p: int, groks_at: int | None, neurons: int) -> pd.DataFrame:
    half = (p - 1) // 2
    rng = np.random.default_rng(p)
    chosen = np.sort(rng.choice(half, min(5, half), replace=False))
    rows: list[dict[str, Any]] = []
    for epoch in epochs:
        s = 1 / (1 + np.exp(-(epoch - 1500) / 600))
        decay = 1 if groks_at is None else 1 - 0.9 / (1 + np.exp(-(epoch - groks_at) / 800))
        norms = (1.2 + 0.05 * rng.standard_normal(half)) * decay
        norms[chosen] += np.linspace(2, 5, len(chosen)) * s
        limit = 2 * np.median(norms)
        dominant = np.flatnonzero(norms >= limit) + 1
        sizes = np.zeros(half, int)
        sizes[chosen] = (neurons * 0.9 / len(chosen) * s * np.linspace(0.6, 1.4, len(chosen))).astype(int)
        rows.append(
            {
                "epoch": epoch,
                "num_dominant_frequencies": len(dominant),
                "dominant_frequencies": " ".join(map(str, dominant)),
                "median_norm": float(np.median(norms)),
                "threshold_norm": float(limit),
                "constant_norm": 1.0,
                "num_clustered_neurons": int(sizes.sum()),
                "num_clusters": int((sizes > 0).sum()),
                "mean_best_fraction": 0.1 + 0.85 * s,
                **{f"norm_{k + 1}": float(norms[k]) for k in range(half)},
                **{f"neurons_{k + 1}": int(sizes[k]) for k in range(half)},
            }
        )
    return pd.DataFrame(rows)


def progress_table(epochs: Sequence[int], *, groks_at: int | None) -> pd.DataFrame:
    at = np.array(epochs, float)
    end = groks_at or 60_000
    rise = 1 / (1 + np.exp(-(at - 0.6 * end) / (0.1 * end)))
    fall = 1 / (1 + np.exp(-(at - end) / (0.03 * end)))
    numbers = {
        "train_loss": 4.7 * np.exp(-at / 150) + 2e-7,
        "test_loss": np.exp(np.log(18) - 17 * fall),
        "restricted_loss_test": np.exp(np.log(5) - 12 * rise),
        "excluded_loss_train": 1e-6 + 6 * rise,
        "restricted_loss_last_keys_test": np.exp(np.log(4) - 12 * rise),
        "excluded_loss_last_keys_train": 1e-6 + 3 * rise,
        "gini_W_E_components": 0.1 + 0.7 * rise,
        "gini_W_L_components": 0.2 + 0.7 * rise,
        "sum_squared_weights": 2800 - 1500 * rise - 500 * fall,
    }
    return pd.DataFrame({"epoch": epochs, **numbers, "last_key_frequencies": "4 11"})


def neurons_table(epochs: Sequence[int], values: np.ndarray, *, p: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    blob = values >= 0.7
    first = [epochs[int(column.argmax())] if column.any() else None for column in blob.T]
    return pd.DataFrame(
        {
            "neuron": np.arange(values.shape[1]),
            "first_blob_epoch": pd.array(first, dtype="Int64"),
            "final_coarseness": values[-1],
            "final_frequency": rng.integers(1, (p - 1) // 2 + 1, values.shape[1]),
            "final_fraction": rng.uniform(0.3, 1, values.shape[1]).astype(np.float32),
            "final_cluster": rng.integers(0, 3, values.shape[1]),
            "dead_at_end": values[-1] == 0,
            "last_epoch": epochs[-1],
        }
    )


def heads_table(epochs: Sequence[int], *, heads: int = 4) -> pd.DataFrame:
    rows = [
        {
            "epoch": epoch,
            "head": head,
            "scale": "coarse" if head == 0 else "mixed",
            "scale_a": "coarse" if head == 0 else "fine",
            "scale_b": "coarse" if head < 2 else "fine",
            "coarseness_a": 0.8 if head == 0 else 0.3,
            "coarseness_b": 0.8 if head < 2 else 0.3,
        }
        for epoch in epochs
        for head in range(heads)
    ]
    return pd.DataFrame(rows)


def maps(n: int, p: int, *, seed: int = 0) -> np.ndarray:
    """Maps (n, p, p) of cos(w_k (a + b)), coarse to fine."""
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    k = 1 + np.arange(n) % ((p - 1) // 2)
    phase = np.random.default_rng(seed).uniform(0, 6, n)
    waves = np.cos(2 * np.pi * k[:, None, None] * (a + b) / p + phase[:, None, None])
    return np.maximum(waves, 0).astype(np.float32)


def write_variant(
    store: Store,
    key: str,
    *,
    epochs: Sequence[int] = EPOCHS,
    missing: Collection[int] = (),
    groks_at: int | None = 10_000,
    neurons: int = 512,
    artifacts: bool = False,
    skip: range = range(0),
) -> np.ndarray:
    """Everything a variant's figures read; returns its coarseness (analyzed epochs, neurons)."""
    config = FAMILY.parse_variant(key)
    there = [epoch for epoch in epochs if epoch not in missing]
    last = epochs[-1]
    values = matrix(there, groks_at=groks_at, neurons=neurons, seed=config.seed)
    write_checkpoints(store, key, there)
    write_table(store, key, "history", history(last=last, groks_at=groks_at, skip=skip))
    write_table(store, key, "coarseness", coarseness_table(there, values))
    by_neuron = pd.DataFrame(values, columns=[str(i) for i in range(neurons)])
    by_neuron.insert(0, "epoch", there)
    write_table(store, key, "neuron_coarseness", by_neuron)
    write_table(store, key, "grokking", grokking_table(groks_at, last))
    write_table(
        store,
        key,
        "frequencies",
        frequencies_table(there, p=config.p, groks_at=groks_at, neurons=neurons),
    )
    write_table(store, key, "neurons", neurons_table(there, values, p=config.p))
    write_table(store, key, "progress_measures", progress_table(there, groks_at=groks_at))
    write_table(store, key, "heads", heads_table(there))
    if artifacts:
        from synthetic_learning import write_learning

        for epoch in there:
            write_maps(store, key, epoch, p=config.p, neurons=neurons, strength=epoch / last)
        write_learning(store, key, there, history(last=last, groks_at=groks_at, skip=skip), values)
    return values


def write_maps(store: Store, key: str, epoch: int, *, p: int, neurons: int, strength: float) -> None:
    from tdw.families.modulo_addition_1layer.maths.coarseness.scale_metrics import resize

    full = maps(neurons, p) * np.float32(0.2 + strength)
    attention = np.stack([maps(3, p, seed=head) + 0.2 for head in range(4)])
    attention /= attention.sum(axis=1, keepdims=True)
    names = ("neuron_acts_downsampled", "attn_to_a_downsampled", "attn_to_b_downsampled")
    small = [resize(x, 28) for x in (full, attention[:, 0].copy(), attention[:, 1].copy())]
    numbers = {"target_size": np.array(28), "num_neurons": np.array(neurons), "p": np.array(p)}
    write_artifact(
        store,
        key,
        "downsampled_activations",
        epoch,
        dict(zip(names, small, strict=True)) | numbers,
        half=names,
    )
    write_artifact(
        store, key, "neuron_activations", epoch, {"neuron_activations": full}, quantize=["neuron_activations"]
    )
    write_artifact(
        store,
        key,
        "attention_patterns",
        epoch,
        {"attention_patterns": attention},
        half=["attention_patterns"],
    )
    rng = np.random.default_rng(epoch)
    half = (p - 1) // 2
    best = rng.integers(1, half + 1, neurons)
    fraction = rng.uniform(0, 1, neurons).astype(np.float32)
    write_artifact(
        store,
        key,
        "neuron_frequencies",
        epoch,
        {
            "best_frequency": best,
            "best_fraction": fraction,
            "variance": rng.uniform(0, 1, neurons).astype(np.float32),
            "cluster": np.where(fraction >= 0.85, best, 0),
            "cluster_sizes": np.bincount(best[fraction >= 0.85], minlength=half + 1)[1:],
        },
    )
