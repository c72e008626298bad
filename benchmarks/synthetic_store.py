"""Make stores with the sizes of real ones, to measure reading: one variant in full, or many small ones.

Neuron maps are rectified sums of cosines whose frequencies settle during "training"; everything derived from
them is computed by the real analyzers and summaries.

    python benchmarks/synthetic_store.py FOLDER                 p=113, 512 neurons, 95 checkpoints (0.7 GB)
    python benchmarks/synthetic_store.py FOLDER --variants 100  file names, histories and summaries of 100
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tdw.epochs import parse_epochs
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.context import CheckpointContext
from tdw.families.modulo_addition_1layer.maths.learning.loss import training_loss
from tdw.families.modulo_addition_1layer.model.data import probe_labels
from tdw.families.modulo_addition_1layer.model.probe_types import ProbePass
from tdw.families.modulo_addition_1layer.summaries.learning.grokking import Parameters as GrokkingParameters
from tdw.families.modulo_addition_1layer.summaries.learning.grokking import compute as grokking_table
from tdw.parameters import as_json
from tdw.recipes.catalog import catalog_of
from tdw.recipes.summary import Inputs
from tdw.store import Address, Provenance, Store, TableAddress
from tdw.store.fingerprints import fingerprint_arrays

FAMILY = get_family("modulo_addition_1layer")
EPOCHS = parse_epochs(FAMILY.default_checkpoints)


def probe_at(
    p: int, progress: float, weights: Mapping[str, np.ndarray], *, neurons: int, heads: int, seed: int
) -> ProbePass:
    """Maps at a share `progress` (0-1) of training: noise of high frequency turns into few clean waves."""
    rng = np.random.default_rng(seed)
    key = rng.choice(np.arange(1, p // 2 + 1), 6, replace=False)
    final, first = rng.choice(key, neurons), rng.integers(1, p // 2 + 1, neurons)
    settles = rng.uniform(0.1, 0.9, neurons)
    share = 1 / (1 + np.exp(-(progress - settles) * 25))[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (4, neurons, 1))
    x = np.arange(p)[None] * (2 * np.pi / p)

    def waves(k: np.ndarray, offset: int) -> np.ndarray:
        a, b = (np.cos(k[:, None] * x + phase[offset + i]) for i in range(2))
        return a[:, :, None] + b[:, None, :]

    maps = share * waves(final, 0) + (1 - share) * waves(first, 2)
    maps += 0.3 * (1 - share) * rng.standard_normal((neurons, p, p), dtype=np.float32)
    maps *= rng.uniform(0.2, 3, (neurons, 1, 1))
    maps[:: max(neurons // 8, 2)] = -1
    scores = np.stack([1.5 * progress * _head_waves(p, rng, key, heads),
                       np.zeros((heads, p, p)), np.full((heads, p, p), -1.0)], axis=1)  # fmt: skip
    attention = np.exp(scores)
    attention /= attention.sum(axis=1, keepdims=True)
    return ProbePass(np.maximum(maps, 0).astype(np.float32), attention.astype(np.float32), weights)


def _head_waves(p: int, rng: np.random.Generator, key: np.ndarray, heads: int) -> np.ndarray:
    wave = np.cos(np.outer(rng.choice(key, heads), np.arange(p)) * (2 * np.pi / p))
    return wave[:, :, None] - wave[:, None, :]


def make_variant(store: Store, key: str, *, epochs: tuple[int, ...] = EPOCHS) -> None:
    """One variant, in full."""
    config = FAMILY.parse_variant(key)
    drawn = {name: tensor.numpy() for name, tensor in FAMILY.init_weights(config).items()}
    for epoch in epochs:
        weights = {name: values * np.float32(1 - epoch / epochs[-1] / 2) for name, values in drawn.items()}
        found = probe_at(
            config.p,
            epoch / epochs[-1],
            weights,
            neurons=config.d_mlp,
            heads=config.n_heads,
            seed=config.seed,
        )
        context = CheckpointContext(
            config.p,
            weights,
            lambda found=found: found,
            label_probe=lambda: probe_labels(config),
            open_loss=lambda weights=weights: training_loss(config, weights),
        )
        mark = fingerprint_arrays({"epoch": np.array(epoch)})
        store.write(
            Address(FAMILY.name, key, "checkpoints", epoch),
            weights,
            provenance=_note(key, "checkpoint", epoch, mark),
        )
        for analyzer in catalog_of(FAMILY).in_order(
            name for name in catalog_of(FAMILY).default_names if name != "progress_measures"
        ):
            arrays = analyzer.function(context, catalog_of(FAMILY).parameters_of(analyzer.name))
            context.results[analyzer.name] = arrays
            note = _note(
                key,
                analyzer.name,
                epoch,
                mark,
                code_version=analyzer.code_version,
                parameters=as_json(catalog_of(FAMILY).parameters_of(analyzer.name)),
                inputs=catalog_of(FAMILY).inputs_of(analyzer.name),
            )
            address = Address(FAMILY.name, key, analyzer.name, epoch)
            store.write(address, arrays, provenance=note, quantize=analyzer.quantize, half=analyzer.half)
    make_tables(store, key, epochs=epochs)


def make_tables(store: Store, key: str, *, epochs: tuple[int, ...] = EPOCHS) -> None:
    """History, coarseness by epoch and grokking epoch of one variant."""
    config = FAMILY.parse_variant(key)
    groks = 4000 + 150 * (config.seed % 100)
    at = np.arange(epochs[-1] + 1)
    test = np.exp(np.log(18) - 17 / (1 + np.exp(-(at - groks + 300) / 250)))
    table = pd.DataFrame({"epoch": at, "train_loss": 4.7 * np.exp(-at / 150) + 2e-7, "test_loss": test})
    table.loc[at % 10 != 0, "test_loss"] = np.nan
    table["test_accuracy"] = 1 / (1 + table["test_loss"])
    at = np.array(epochs)
    mean = 0.7 / (1 + np.exp(-(at - groks) / 900))
    coarseness = pd.DataFrame({"epoch": at, "mean_coarseness": mean})
    grokking = grokking_table(Inputs(config, epochs=(), artifacts={}, history=table), GrokkingParameters())
    for name, each in {"history": table, "coarseness": coarseness, "grokking": grokking}.items():
        store.write_table(TableAddress(FAMILY.name, key, name), each, provenance=_note(key, name))


def make_many(store: Store, count: int, *, epochs: tuple[int, ...] = EPOCHS) -> None:
    """What the first page reads of many variants; the artifacts of a kind are one tiny file."""
    root = Path(str(store.root))
    for i in range(count):
        key = f"p113_s{i + 1}_d598"
        for kind in ("checkpoints", *catalog_of(FAMILY).default_names):
            first = Address(FAMILY.name, key, kind, epochs[0])
            store.write(first, {"x": np.zeros(1)}, provenance=_note(key, kind, 0))
            for epoch in epochs[1:]:
                (root / Address(FAMILY.name, key, kind, epoch).relative).hardlink_to(store.path(first))
        make_tables(store, key, epochs=epochs)


def _note(key: str, name: str, epoch: int | None = None, checkpoint: str = "", **extra: object) -> Provenance:
    config = FAMILY.parse_variant(key)
    return Provenance(
        family=FAMILY.name,
        variant=key,
        name=name,
        epoch=epoch,
        variant_fingerprint=config.fingerprint,
        probe_fingerprint=FAMILY.probe_fingerprint(config),
        checkpoint_fingerprint=checkpoint,
        **extra,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variant", default="p113_s999_d598")
    parser.add_argument("--variants", type=int, default=0)
    options = parser.parse_args()
    if options.variants:
        make_many(Store(options.folder), options.variants)
    else:
        make_variant(Store(options.folder), options.variant)
