"""The tables and figures of A14 to A20 and S6, on a real variant against the checkpoints themselves."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from tiny_variant import TINY, TINY_EPOCHS

from tdw.families import get_family
from tdw.making.figures import DATA, FIGURE, PREVIEW, render
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store, TableAddress

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant(TINY)
TABLES = (
    "outcome", "circuits", "effective_dimensions", "commitment", "graduation", "answer_geometry",
    "coarseness_by_frequency", "head_composition", "scale_clusters", "gradient_sites", "gradient_flow",
)  # fmt: skip
FIGURES = (
    "outcome", "commitment", "graduation", "class_accuracy", "answer_geometry", "answer_circles", "circuits",
    "effective_dimensions", "trajectory", "coarseness_by_frequency", "head_composition", "scale_clusters",
    "gradient_sites", "gradient_flow",
)  # fmt: skip


@pytest.fixture
def store(tiny_store: Store) -> Store:
    for name in ("grokking", *TABLES):
        summarize(tiny_store, FAMILY, CONFIG, name)
    return tiny_store


def table(store: Store, name: str) -> pd.DataFrame:
    return store.read_table(TableAddress(FAMILY.name, TINY, name))


def weights(store: Store, epoch: int) -> dict[str, np.ndarray]:
    return store.read(Address(FAMILY.name, TINY, "checkpoints", epoch)).arrays


def test_dimensions_are_those_of_the_checkpoints_weights(store: Store) -> None:
    found = table(store, "effective_dimensions").set_index("epoch")
    assert list(found.index) == list(TINY_EPOCHS)
    for epoch in TINY_EPOCHS:
        values = np.linalg.svd(weights(store, epoch)["blocks.0.mlp.W_out"].astype(float), compute_uv=False)
        assert found.loc[epoch, "W_out"] == pytest.approx(values.sum() ** 2 / (values**2).sum())


def test_ranks_are_those_of_the_whole_circuits(store: Store) -> None:
    found = table(store, "circuits").set_index(["epoch", "head"])
    assert len(found) == len(TINY_EPOCHS) * 4
    at = weights(store, 20)
    for head in range(4):
        value, output = (at[f"blocks.0.attn.W_{x}"][head].astype(float) for x in "VO")
        circuit = at["embed.W_E"][:-1].astype(float) @ value @ output @ at["unembed.W_U"]
        values = np.linalg.svd(circuit, compute_uv=False)
        assert found.loc[(20, head), "ov_effective_rank"] == pytest.approx(
            values.sum() ** 2 / (values**2).sum()
        )
        eigenvalues = np.linalg.eigvals(circuit)
        copying = np.maximum(eigenvalues.real, 0).sum() / np.abs(eigenvalues).sum()
        assert found.loc[(20, head), "ov_copying"] == pytest.approx(copying)


def test_pairs_and_classes_agree_with_the_history(store: Store) -> None:
    history = table(store, "history").set_index("epoch")
    for epoch in TINY_EPOCHS:
        arrays = store.read(Address(FAMILY.name, TINY, "answers", epoch)).arrays
        right, train = arrays["right"], arrays["train"]
        assert right[~train].mean() == pytest.approx(history.loc[epoch, "test_accuracy"])
        sums = np.add.outer(np.arange(7), np.arange(7)) % 7
        by_hand = [right[sums == answer].mean() for answer in range(7)]
        np.testing.assert_allclose(arrays["accuracy_by_class"][2], by_hand)
    pairs = table(store, "graduation")
    assert len(pairs) == 49
    last = right.ravel()
    assert pairs["right_at_end"].tolist() == last.tolist()
    # Three checkpoints: a pair that is right at all of them graduates at the first, no other one does.
    always = np.all(
        [store.read(Address(FAMILY.name, TINY, "answers", e)).arrays["right"] for e in TINY_EPOCHS], axis=0
    )
    assert (pairs["graduation_epoch"] == 0).fillna(False).tolist() == always.ravel().tolist()
    assert pairs["graduation_epoch"].notna().sum() == always.sum()


def test_committed_neurons_are_counted_by_their_frequency(store: Store) -> None:
    found = table(store, "commitment")
    arrays = store.read(Address(FAMILY.name, TINY, "neuron_frequencies", 20)).arrays
    committed = arrays["best_frequency"][arrays["best_fraction"] >= 0.7]
    last = found[found["epoch"] == 20].set_index("frequency")["committed_neurons"]
    assert last.to_dict() == {k: int((committed == k).sum()) for k in (1, 2, 3)}


def test_before_attention_nothing_varies_and_after_it_classes_do(store: Store) -> None:
    found = table(store, "answer_geometry").set_index(["site", "epoch"])
    assert (found.loc["resid_pre", "spread"] == 0).all()
    assert found.loc["resid_pre", "snr"].isna().all()
    assert (found.loc["resid_post", "spread"] > 0).all()


def test_the_outcome_says_its_rules(store: Store) -> None:
    row = table(store, "outcome").iloc[0]
    assert row["outcome"] == "no memorization"
    assert row["last_epoch"] == 20
    assert "0.01 of the first train loss" in row["rules"]


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_drawn_by_both_pens_with_its_data(store: Store, name: str) -> None:
    plot = catalog_of(FAMILY).plot(name, scope="variant")
    drawn = render(plot, store, family=FAMILY, variants=[TINY], scheduled=[*TINY_EPOCHS, 30])
    assert {FIGURE, PREVIEW, DATA} <= set(drawn.files)
    data = pd.read_csv(io.BytesIO(drawn.files[DATA]))
    assert len(data) > 0
    assert set(data["variant"]) == {TINY}
