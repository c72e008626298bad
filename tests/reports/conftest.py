"""A made-up study: the tables of eight variants with known outcomes, without training anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_variant import TINY

from tdw.exchange.bundle import export_bundle
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.summaries.learning import grokking
from tdw.making.comparison import compare, write_comparison
from tdw.making.tables import summarize
from tdw.recipes.reading.evidence import Evidence
from tdw.recipes.reading.variant_tables import VariantTables
from tdw.recipes.summary import Inputs
from tdw.reports.evidence import make_evidence
from tdw.store import Address, Provenance, Store, TableAddress
from tdw.store.layout import comparison_folder
from tdw.study import Study, load_study

FAMILY = get_family("modulo_addition_1layer")
EPOCHS = np.array([0, *range(500, 25_001, 500)])
GROKKED: Mapping[tuple[int, int], float | None] = {
    (97, 485): 9000, (97, 999): 11_000, (101, 485): 10_000, (101, 999): None,
    (109, 485): 6000, (109, 999): 8500, (113, 485): 7000, (113, 999): 12_000,
}  # fmt: skip


def tables_of(
    p: int,
    seed: int,
    *,
    epoch: float | None,
    early: float = 0.3,
    blobs: int = 100,
    renamed_blobs: int = 50,
    rise: float | None = None,
    last: int = 25_000,
    neurons: np.ndarray | None = None,
    stable: bool = True,
) -> dict[str, pd.DataFrame]:
    """History and summaries of one variant, with the columns that the reports read.

    Args:
        epoch: of grokking, None for no grok.
        early: mean coarseness from epoch 500 on, until it rises to 0.6 at `rise` (500 before grokking).
        blobs: from the rise on, under the observed labels; `renamed_blobs` under all others, which have
            1000 times `early` before.
        neurons: indices that end as blobs.
        stable: the final frequencies are the strongest from the start.
    """
    epochs = EPOCHS[last >= EPOCHS]
    rise = (epoch or 20_000) - 500 if rise is None else rise
    risen = epochs >= rise
    half = (p - 1) // 2
    dense = np.arange(0, last + 1, 100)
    loss = np.where(dense < (epoch if epoch is not None else np.inf), 5.0, 0.001)
    history = pd.DataFrame({"epoch": dense, "train_loss": 1e-6, "test_loss": loss, "test_accuracy": loss < 1})
    return {
        "history": history,
        "grokking": grokking.compute(
            Inputs(FAMILY.make_config(p=p, seed=seed), (), {}, history), grokking.Parameters()
        ),
        "coarseness": pd.DataFrame(
            {
                "epoch": epochs,
                "mean_coarseness": np.where(risen, 0.6, np.where(epochs > 0, early, 0.1)),
                "num_blob_neurons_0.5": np.where(risen, blobs * 2, 1),
                "num_blob_neurons_0.7": np.where(risen, blobs, 0),
                "num_neurons": 512,
            }
        ),
        "frequencies": _frequencies(epochs, half, seed, stable),
        "neurons": _neurons(range(blobs) if neurons is None else neurons),
        "relabelling": pd.DataFrame(
            {
                "epoch": np.repeat(epochs, half),
                "c": np.tile(np.arange(1, half + 1), len(epochs)),
                "mean_coarseness": np.where(
                    np.tile(np.arange(half), len(epochs)) == 0,
                    np.repeat(np.where(risen, 0.6, early), half),
                    np.repeat(np.where(risen, 0.6, 0.2), half),
                ),
                "num_blob_neurons": np.where(
                    np.tile(np.arange(half), len(epochs)) == 0,
                    np.repeat(np.where(risen, blobs, 0), half),
                    np.repeat(np.where(risen, renamed_blobs, 1000 * early), half),
                ),
                "rank_mean_coarseness": 1,
            }
        ),
        "progress_measures": pd.DataFrame(
            {
                "epoch": epochs,
                "test_loss": np.where(epochs < (epoch or np.inf), 5.0, 0.001),
                "train_loss": 1e-6,
                "restricted_loss_test": np.where(risen, 0.1, 4.0),
                "excluded_loss_train": np.where(risen, 4.0, 0.1),
                "gini_W_E_components": 0.1 + seed / 1e5 + p / 1e4,
                "sum_squared_weights": 1000.0 - p,
            }
        ),
    }


def write_variant(store: Store, p: int, seed: int, *, last: int = 25_000, **settings: Any) -> None:
    """Commit the tables of one variant, and files that say which checkpoints there are."""
    config = FAMILY.make_config(p=p, seed=seed)
    mark = config.fingerprint
    for name, table in tables_of(p, seed, last=last, **settings).items():
        provenance = Provenance(FAMILY.name, config.key, name, code_version="1", variant_fingerprint=mark)
        store.write_table(TableAddress(FAMILY.name, config.key, name), table, provenance=provenance)
    for epoch in (0, last):
        provenance = Provenance(FAMILY.name, config.key, "checkpoint", epoch, variant_fingerprint=mark)
        address = Address(FAMILY.name, config.key, "checkpoints", epoch)
        store.write(address, {"x": np.zeros(1)}, provenance=provenance)


def _frequencies(epochs: np.ndarray, half: int, seed: int, stable: bool) -> pd.DataFrame:
    norms = 1 + 0.02 * np.random.default_rng(seed).random((len(epochs), half))
    late = epochs > 0 if stable else epochs >= 20_000
    for k in (2, 5, 9):
        norms[late, k - 1] = 3
    return pd.DataFrame(
        {
            "epoch": epochs,
            "dominant_frequencies": np.where(late, "2 5 9", ""),
            **{f"norm_{k + 1}": norms[:, k] for k in range(half)},
        }
    )


def _neurons(blobs: range | np.ndarray) -> pd.DataFrame:
    is_blob = np.isin(np.arange(512), list(blobs))
    since = pd.array(np.where(is_blob, 5000, -1), "Int64")
    since[~is_blob] = pd.NA
    return pd.DataFrame(
        {
            "first_blob_epoch": since,
            "blob_since_epoch": since,
            "stays_blob": is_blob,
            "frequency_settled": True,
            "dead_at_end": False,
        }
    )


def settings_of(epoch: float | None, change: Mapping[str, object] | None) -> dict[str, Any]:
    """Settings of a variant that groks at `epoch`: the earlier, the coarser early."""
    return {"epoch": epoch, "early": 0.5 - (epoch or 13_000) / 50_000, **(change or {})}


StudyMaker = Callable[..., Evidence]


@pytest.fixture
def study() -> StudyMaker:
    """Make a study: `study(change={(101, 999): {...}}, drop=[(97, 485)], grokked={...})` -> evidence."""

    def make(
        *,
        change: Mapping[tuple[int, int], Mapping[str, object]] | None = None,
        drop: tuple[tuple[int, int], ...] = (),
        grokked: Mapping[tuple[int, int], float | None] = GROKKED,
    ) -> Evidence:
        variants: list[VariantTables] = []
        histories: dict[str, pd.DataFrame] = {}
        for (p, seed), epoch in grokked.items():
            config, tables, epochs = FAMILY.make_config(p=p, seed=seed), {}, ()
            if (p, seed) not in drop:
                settings = settings_of(epoch, (change or {}).get((p, seed)))
                tables = tables_of(p, seed, **settings)
                histories[config.key] = tables.pop("history")
                epochs = (0, settings.get("last", 25_000))
            variants.append(VariantTables(config, tables, epochs, {}))
        table = compare(FAMILY, variants)
        return make_evidence(
            table, variants, histories, outcome=FAMILY.outcome, early_epoch=1000, last_epoch=25_000
        )

    return make


@pytest.fixture
def study_store(tmp_path: Path) -> Store:
    """A store with the tables of the eight variants."""
    store = Store(tmp_path / "study")
    for (p, seed), epoch in GROKKED.items():
        write_variant(store, p, seed, **settings_of(epoch, None))
    return store


@pytest.fixture
def outcomes() -> Mapping[tuple[int, int], float | None]:
    """(p, seed) -> grokking epoch of the made-up study."""
    return GROKKED


@pytest.fixture(scope="session")
def eight_models() -> Study:
    """The study of the eight models, with its claims."""
    return load_study(Path(__file__).parents[2] / "studies" / "eight_models")


@pytest.fixture
def full(tiny_store: Store) -> Store:
    """Artifacts, states, tables, a plot of the variant; tables over variants, of a study and of none."""
    config = FAMILY.parse_variant(TINY)
    for name in ("grokking", "coarseness", "frequencies"):
        summarize(tiny_store, FAMILY, config, name)
    for folder in (None, comparison_folder("mine")):
        write_comparison(tiny_store, FAMILY, [config], early_epoch=10, folder=folder)
    address = TableAddress(FAMILY.name, TINY, "coarseness")
    provenance = dataclasses.replace(tiny_store.read_table_with_provenance(address)[1], name="blob_count")
    tiny_store.write_document(
        FAMILY.name, TINY, "blob_count", files={"data.csv": b"a\n1\n"}, provenance=provenance
    )
    return tiny_store


@pytest.fixture
def small(full: Store, tmp_path: Path) -> Path:
    """A small bundle: statistics and tables."""
    export_bundle(
        full, FAMILY, [TINY], tmp_path / "small.tar", include=["coarseness_stats", "summaries", "plots"]
    )
    return tmp_path / "small.tar"
