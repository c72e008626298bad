"""The tables of the progress measures and of the relabelling control, from a real tiny variant."""

from __future__ import annotations

import numpy as np
import pytest

from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.summaries import progress_measures, relabelling
from tdw.making.tables import summarize
from tdw.recipes.summary import Inputs
from tdw.store import Address, Store, TableAddress

CONFIG = Config(7, seed=1)


FAMILY = get_family("modulo_addition_1layer")
TINY = "p7_s1_d598_f0.5"


def table(store: Store, name: str):
    config = FAMILY.parse_variant(TINY)
    summarize(store, FAMILY, config, name)
    return store.read_table(TableAddress(FAMILY.name, TINY, name))


def artifact(store: Store, analyzer: str, epoch: int):
    return store.read(Address(FAMILY.name, TINY, analyzer, epoch)).arrays


def test_losses_on_the_probe_are_those_of_training(tiny_store: Store) -> None:
    found = table(tiny_store, "progress_measures").set_index("epoch")
    history = tiny_store.read_table(TableAddress(FAMILY.name, TINY, "history")).set_index("epoch")
    for column in ("train_loss", "test_loss", "test_accuracy"):
        np.testing.assert_allclose(found[column], history.loc[found.index, column], rtol=1e-5)


def test_every_number_of_the_artifact_is_a_column(tiny_store: Store) -> None:
    found = table(tiny_store, "progress_measures").set_index("epoch")
    for epoch in (0, 10, 20):
        for name, array in artifact(tiny_store, "progress_measures", epoch).items():
            if array.ndim == 0 and name != "logit_norm":
                assert found.loc[epoch, name] == array, name


def test_measures_with_the_last_epochs_frequencies_use_them_at_every_epoch(tiny_store: Store) -> None:
    stored = [dict(artifact(tiny_store, "progress_measures", epoch)) for epoch in (0, 10, 20)]
    stored[0]["key_frequencies"] = np.array([], np.int64)
    stored[2]["key_frequencies"] = np.array([1, 3])
    found = progress_measures.compute(
        Inputs(CONFIG, (0, 10, 20), {"progress_measures": tuple(stored)}),
        progress_measures.NoParameters(),
    )
    assert found["last_key_frequencies"].tolist() == ["1 3"] * 3
    assert found["key_frequencies"].tolist()[0] == ""
    expected = stored[0]["excluded_loss_each"][0, [0, 2]].mean()
    assert found["excluded_loss_last_keys_train"][0] == pytest.approx(expected)
    # All three frequencies of p = 7 together are the whole table of means by answer.
    stored[2]["key_frequencies"] = np.array([1, 2, 3])
    found = progress_measures.compute(
        Inputs(CONFIG, (0, 10, 20), {"progress_measures": tuple(stored)}),
        progress_measures.NoParameters(),
    )
    logits = stored[0]["logit_table"].astype(np.float64)
    losses = np.log(np.exp(logits).sum(1)) - np.diagonal(logits)
    assert found["restricted_loss_last_keys_all"][0] == pytest.approx(losses.mean(), rel=1e-6)


def test_the_relabelling_table_has_a_row_an_epoch_and_labelling(tiny_store: Store) -> None:
    found = table(tiny_store, "relabelling")
    assert found[["epoch", "c"]].to_numpy().tolist() == [[e, c] for e in (0, 10, 20) for c in (1, 2, 3)]
    stats = artifact(tiny_store, "coarseness_stats", 10)
    observed = found[(found["epoch"] == 10) & (found["c"] == 1)].iloc[0]
    assert observed["mean_coarseness"] == pytest.approx(float(stats["mean_coarseness"]), rel=1e-6)
    assert observed["num_blob_neurons"] == stats["num_blob_neurons_0.7"]


def test_ranks_agree_with_the_analyzers_and_count_ties_against_the_labelling() -> None:
    arrays = {
        "mean_coarseness": np.array([0.2, 0.3, 0.2, 0.1]),
        "num_blob_neurons": np.array([5, 5, 5, 5]),
    }
    found = relabelling.compute(Inputs(CONFIG, (0,), {"relabelling": (arrays,)}), relabelling.NoParameters())
    assert found["rank_mean_coarseness"].tolist() == [3, 1, 3, 4]
    assert found["rank_num_blob_neurons"].tolist() == [4, 4, 4, 4]
