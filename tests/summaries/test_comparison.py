"""The comparison over variants (S5), from made-up tables with known answers and from a real tiny variant."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from tdw.errors import FingerprintMismatch
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.association import associate_early, association_table, grokking_times
from tdw.making.comparison import compare, write_comparison
from tdw.making.tables import summarize
from tdw.recipes.reading.variant_tables import VariantTables, read_tables
from tdw.store import Store, TableAddress

FAMILY = get_family("modulo_addition_1layer")
TINY = "p7_s1_d598_f0.5"
EPOCHS = (0, 1000, 2000, 3000)


def made_up(key, *, grokking_epoch, censored_at=None, means=(0.1, 0.2, 0.3, 0.4), blobs=(0, 1, 2, 3)):
    """A variant's tables with the columns that the comparison reads."""
    censored = None if grokking_epoch is not None else censored_at
    grokking = pd.DataFrame(
        [
            {
                "grokked": grokking_epoch is not None,
                "grokking_epoch": grokking_epoch,
                "censored_at": censored,
                "rule": "a rule",
                "final_test_loss": 0.001,
                "final_test_accuracy": 1.0,
            }
        ]
    ).astype({"grokking_epoch": "Int64", "censored_at": "Int64"})
    coarseness = pd.DataFrame(
        {
            "epoch": EPOCHS,
            "mean_coarseness": means,
            "num_blob_neurons_0.5": np.array(blobs) * 2,
            "num_blob_neurons_0.7": blobs,
            "num_neurons": 512,
        }
    )
    frequencies = pd.DataFrame(
        {
            "epoch": EPOCHS,
            "dominant_frequencies": ["", "2", "2 3", "2 3"],
            "norm_1": [1.0, 1, 1, 1],
            "norm_2": [1.0, 3, 3, 3],
            "norm_3": [1.0, 0.5, 3, 3],
        }
    )
    neurons = pd.DataFrame(
        {
            "first_blob_epoch": pd.array([1000, None, 2000], "Int64"),
            "stays_blob": [True, False, False],
            "frequency_settled": [True, True, False],
            "dead_at_end": [False, False, True],
        }
    )
    relabelling = pd.DataFrame(
        [(e, c, 4 - c) for e in EPOCHS for c in (1, 2, 3)], columns=["epoch", "c", "rank_mean_coarseness"]
    )
    onset = pd.DataFrame(
        {
            "lasting_blob_epoch": pd.array([2000], "Int64"),
            "relabelled_first_blob_epoch": pd.array([None], "Int64"),
            "relabelled_mean_first_blob_epoch": [1500.0],
            "first_blob_rank": [2],
        }
    )
    tables = {
        "blob_onset": onset,
        "grokking": grokking,
        "coarseness": coarseness,
        "frequencies": frequencies,
        "neurons": neurons,
        "relabelling": relabelling,
    }
    return VariantTables(FAMILY.parse_variant(key), tables, EPOCHS, {})


def test_a_row_says_what_happened_early_at_grokking_and_at_the_end():
    (row,) = compare(FAMILY, [made_up("p97_s1_d598", grokking_epoch=1500)]).to_dict("records")
    assert (row["variant"], row["p"], row["seed"], row["train_fraction"]) == ("p97_s1_d598", 97, 1, 0.3)
    assert row["grokking_epoch"] == 1500
    assert (row["early_mean_coarseness"], row["early_num_blobs"], row["early_num_blobs_0.5"]) == (0.2, 1, 2)
    assert row["grokking_num_blobs"] == 2  # at 2000, the first analyzed epoch after grokking
    assert (row["initial_num_blobs"], row["final_num_blobs"], row["max_num_blobs"]) == (0, 3, 3)
    assert row["first_blob_epoch"] == 1000
    assert (row["early_frequencies"], row["final_frequencies"]) == ("2", "2 3")
    # The two strongest at epoch 1000 are 2 and 1; of the final 2 and 3 that is one.
    assert row["early_frequency_overlap"] == 0.5
    assert row["frequencies_settled_epoch"] == 2000
    assert [
        row[f"num_{name}"] for name in ("ever_blob", "stays_blob", "frequency_settled", "dead_at_end")
    ] == [
        2,
        1,
        2,
        1,
    ]
    assert (row["num_labellings"], row["early_label_rank"], row["final_label_rank"]) == (3, 3, 3)
    assert (row["lasting_blob_epoch"], row["relabelled_mean_first_blob_epoch"]) == (2000, 1500)
    assert pd.isna(row["relabelled_first_blob_epoch"]) and row["first_blob_label_rank"] == 2
    assert row["missing"] == "progress_measures"


@pytest.mark.parametrize(("last", "settled"), [("2 3", 2000), ("2", None), ("", None)])
def test_frequencies_that_changed_at_the_last_epoch_never_settled(last, settled):
    variant = made_up("p97_s1_d598", grokking_epoch=1500)
    table = variant.tables["frequencies"]
    table.loc[len(table) - 1, "dominant_frequencies"] = last
    (row,) = compare(FAMILY, [variant]).to_dict("records")
    found = row["frequencies_settled_epoch"]
    assert pd.isna(found) if settled is None else found == settled


def test_what_was_not_analyzed_is_empty_and_named():
    bare = VariantTables(FAMILY.parse_variant("p97_s1_d598"), {}, (), {})
    (row,) = compare(FAMILY, [bare, made_up("p97_s2_d598", grokking_epoch=1500)], early_epoch=500).to_dict(
        "records"
    )[:1]
    assert row["missing"].split(", ")[0] == "grokking"
    assert math.isnan(row["early_mean_coarseness"])
    assert pd.isna(row["grokking_epoch"])
    assert row["grokked"] is None


def study():
    """Early coarseness falls exactly as the grokking epoch rises; the last two did not grok."""
    grokked = [
        made_up(f"p97_s{i}_d598", grokking_epoch=1000 * i, means=(0.1, 0.9 - i / 10, 0.5, 0.5))
        for i in range(1, 5)
    ]
    failed = [
        made_up(f"p97_s{i}_d598", grokking_epoch=None, censored_at=9000, means=(0.1, 0.3, 0.5, 0.5))
        for i in (5, 6)
    ]
    return compare(FAMILY, [*grokked, *failed])


def test_no_grok_is_tied_for_last_when_it_was_watched_long_enough():
    times = grokking_times(study())
    assert times.epochs == (1000, 2000, 3000, 4000, math.inf, math.inf)
    assert times.unplaced == ()


def test_a_variant_that_was_not_watched_long_enough_has_no_place():
    table = study()
    table.loc[table["variant"] == "p97_s6_d598", "censored_at"] = 3500
    times = grokking_times(table)
    assert times.unplaced == ("p97_s6_d598",)
    found = associate_early(table)
    assert found.left_out == ("p97_s6_d598",)
    assert found.association.n == 5


def test_the_association_counts_no_grok_and_the_line_does_not():
    found = associate_early(study())
    assert found.association.n == 6
    assert found.association.rho == pytest.approx(-1)
    assert found.association.p_value == pytest.approx(2 / 720)  # the tied two may change places
    assert found.reached_only.n == 4
    assert found.line is not None
    assert (found.line.n, found.line.slope) == (4, pytest.approx(-10_000))


def test_a_variant_without_the_early_epoch_is_left_out_by_name():
    table = study()
    table.loc[0, "early_mean_coarseness"] = math.nan
    assert associate_early(table).left_out == ("p97_s1_d598",)


def test_the_association_table_has_a_row_a_predictor():
    found = association_table(study()).set_index("predictor")
    assert found.loc["early_mean_coarseness", "rho"] == pytest.approx(-1)
    assert found.loc["early_mean_coarseness", "grokked_n"] == 4
    assert math.isnan(found.loc["early_num_blobs", "rho"])  # the same in all variants


def summarized(store: Store):
    config = FAMILY.parse_variant(TINY)
    for name in FAMILY.comparison.tables:
        summarize(store, FAMILY, config, name)
    return config


def test_a_real_variant_has_every_column_and_the_table_is_committed(tiny_store: Store) -> None:
    config = summarized(tiny_store)
    other = FAMILY.parse_variant("p7_s2_d598_f0.5")
    write_comparison(tiny_store, FAMILY, [config, other], early_epoch=10)
    table, provenance = tiny_store.read_table_with_provenance(TableAddress(FAMILY.name, None, "comparison"))
    assert table["variant"].tolist() == [TINY, other.key]
    assert table["missing"].tolist()[0] == ""
    assert table["num_checkpoints"].tolist() == [3, 0]
    stored = tiny_store.read_table(TableAddress(FAMILY.name, TINY, "coarseness")).set_index("epoch")
    assert table["early_mean_coarseness"][0] == stored.loc[10, "mean_coarseness"]
    assert table["final_mean_coarseness"][0] == stored.loc[20, "mean_coarseness"]
    assert f"{TINY}/coarseness" in provenance.inputs
    assert tiny_store.exists(TableAddress(FAMILY.name, None, "associations"))


def test_a_summary_of_another_configuration_is_refused(tiny_store: Store) -> None:
    config = summarized(tiny_store)
    address = TableAddress(FAMILY.name, TINY, "coarseness")
    table, provenance = tiny_store.read_table_with_provenance(address)
    tiny_store.write_table(
        address, table, provenance=dataclasses.replace(provenance, variant_fingerprint="f" * 64)
    )
    with pytest.raises(FingerprintMismatch, match="ffffffffffff"):
        read_tables(tiny_store, FAMILY, [config])


def test_variants_that_were_summarized_by_different_rules_are_refused(tiny_store: Store) -> None:
    config = summarized(tiny_store)
    other = FAMILY.parse_variant("p7_s2_d598_f0.5")
    table, provenance = tiny_store.read_table_with_provenance(TableAddress(FAMILY.name, TINY, "grokking"))
    foreign = dataclasses.replace(
        provenance,
        variant=other.key,
        variant_fingerprint=other.fingerprint,
        parameters={"metric": "test_accuracy", "threshold": 0.99},
    )
    tiny_store.write_table(TableAddress(FAMILY.name, other.key, "grokking"), table, provenance=foreign)
    with pytest.raises(FingerprintMismatch, match="summary grokking") as refusal:
        read_tables(tiny_store, FAMILY, [config, other])
    assert TINY in str(refusal.value)
    assert other.key in str(refusal.value)
