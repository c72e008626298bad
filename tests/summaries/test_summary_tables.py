"""The tables from made-up artifacts, where every value is known."""

import numpy as np
import pandas as pd
import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import coarseness_stats
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.summaries import (
    coarseness,
    frequencies,
    heads,
    neuron_coarseness,
    neurons,
)
from tdw.recipes.summary import Inputs

CONFIG = Config(7, seed=1)


EPOCHS = (0, 100, 500)


def inputs(**artifacts):
    count = len(next(iter(artifacts.values())))
    return Inputs(
        Config(7, seed=1), EPOCHS[:count], {name: tuple(listed) for name, listed in artifacts.items()}
    )


# coarseness and neuron_coarseness


def test_the_coarseness_table_has_every_statistic_by_epoch():
    values = [np.array([0.1, 0.6, 0.8]), np.array([0.0, 0.9, 0.96])]
    stats = [coarseness_stats.statistics(v, v == 0) for v in values]
    found = coarseness.SUMMARY.function(inputs(coarseness_stats=stats), None)
    assert found["epoch"].tolist() == [0, 100]
    assert found.columns[:3].tolist() == ["epoch", "mean_coarseness", "std_coarseness"]
    assert found["mean_coarseness"].tolist() == pytest.approx([0.5, 0.62])
    assert found["num_blob_neurons_0.7"].tolist() == [1, 2]
    assert found["num_dead_neurons"].tolist() == [0, 1]
    histogram = found[[f"hist_{i:02d}" for i in range(20)]]
    assert histogram.sum(axis=1).tolist() == [3, 3]
    assert (histogram.loc[1, "hist_00"], histogram.loc[1, "hist_18"], histogram.loc[1, "hist_19"]) == (
        1,
        1,
        1,
    )
    for name in ("std", "median", "min", "max", "p25", "p75"):
        assert f"{name}_coarseness" in found
    assert found["fraction_blob"].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_the_neuron_matrix_has_a_row_an_epoch_and_a_column_a_neuron():
    arrays = [{"neuron_fft_ratio_no_dc": np.array([0.1, 0.2], np.float32) + i / 2} for i in range(2)]
    found = neuron_coarseness.SUMMARY.function(inputs(coarseness=arrays), None)
    assert found.columns.tolist() == ["epoch", "0", "1"]
    assert found["1"].tolist() == pytest.approx([0.2, 0.7])


# neurons (S3)


def neuron_table(values, frequency=None, dead=None, **options):
    values = np.array(values, np.float32)
    frequency = np.ones(values.shape, int) if frequency is None else np.array(frequency)
    dead = np.zeros(values.shape, bool) if dead is None else np.array(dead)
    return neurons.compute(
        inputs(
            coarseness=[
                {"neuron_fft_ratio_no_dc": v, "neuron_dead": d} for v, d in zip(values, dead, strict=True)
            ],
            neuron_frequencies=[
                {"best_frequency": f, "best_fraction": f / 10, "cluster": f} for f in frequency
            ],
        ),
        BlobRule(**options),
    )


def test_when_a_neuron_becomes_a_blob_and_whether_it_stays_one():
    found = neuron_table([[0.1, 0.8, 0.7, 0.1], [0.9, 0.2, 0.7, 0.1], [0.8, 0.9, 0.7, 0.1]])
    assert found["first_blob_epoch"].tolist() == [100, 0, 0, pd.NA]
    assert found["stays_blob"].tolist() == [True, False, True, False]
    assert found["blob_since_epoch"].tolist() == [100, 500, 0, pd.NA]
    assert found["num_blob_epochs"].tolist() == [2, 2, 3, 0]


def test_a_neuron_that_is_no_blob_at_the_end_does_not_stay_one():
    found = neuron_table([[0.8], [0.8], [0.3]])
    assert found["first_blob_epoch"].tolist() == [0]
    assert found["stays_blob"].tolist() == [False]
    assert found["blob_since_epoch"].tolist() == [pd.NA]
    assert (found["max_coarseness"][0], found["max_coarseness_epoch"][0]) == (pytest.approx(0.8), 0)


def test_when_a_frequency_settles():
    frequency = [[3, 1, 2, 4], [3, 2, 2, 4], [3, 2, 5, 0]]
    found = neuron_table(np.zeros((3, 4)), frequency, np.array(frequency) == 0)
    assert found["frequency_settled"].tolist() == [True, True, False, False]
    # The third changed at the last epoch and was not seen to stay, the fourth died.
    assert found["frequency_settled_epoch"].tolist() == [0, 100, pd.NA, pd.NA]
    assert found["final_frequency"].tolist() == [3, 2, 5, 0]
    assert found["dead_at_end"].tolist() == [False, False, False, True]


def test_one_epoch_shows_no_settling():
    found = neuron_table([[0.9, 0.1]])
    assert found["frequency_settled"].tolist() == [False, False]
    assert found["stays_blob"].tolist() == [True, False]


def test_the_blob_threshold_is_a_parameter():
    assert neuron_table([[0.6]], blob_from=0.6)["first_blob_epoch"].tolist() == [0]
    with pytest.raises(BadConfig, match="blob_from"):
        BlobRule(blob_from=2)


# heads (S4)


def test_the_scale_of_a_map_follows_from_coarseness_and_relative_gradient():
    found = heads.scale_labels(
        np.array([0.9, 0.9, 0.6, 0.2, 0.2, 0.0]),
        np.array([0.3, 0.8, 0.4, 1.0, 0.3, 0.0]),
        np.array([False] * 5 + [True]),
    )
    assert found.tolist() == ["coarse", "mixed", "mixed", "fine", "mixed", "flat"]


def test_plane_waves_inside_the_disc_are_coarse_and_white_noise_is_fine():
    from tdw.families.modulo_addition_1layer.maths.coarseness import scale_metrics as metrics
    from tdw.families.zp_fourier import spectra

    p = 113
    x = 2 * np.pi * np.arange(p) / p
    total = np.add.outer(x, x)
    noise = np.random.default_rng(0).standard_normal((p, p))
    waves = [np.cos(14 * x)[:, None] + np.zeros(p), np.cos(9 * total), np.cos(30 * total)]
    maps = np.stack([*waves, noise]).astype(np.float32)
    found = spectra(maps)
    roughness = metrics.gradient(maps) / np.sqrt(found.variance)
    values = metrics.fft_ratio_no_dc(found, radius_fraction=0.125)
    assert heads.scale_labels(values, roughness, found.constant).tolist() == [
        "coarse",
        "coarse",
        "fine",
        "fine",
    ]
    assert roughness[3] == pytest.approx(2 / np.sqrt(np.pi), rel=0.02)


def head_arrays(coarse_a, coarse_b, gradient):
    sides = {"a": coarse_a, "b": coarse_b}
    arrays = {}
    for side, values in sides.items():
        values = np.array(values, np.float32)
        arrays |= {
            f"head_{side}_fft_ratio_no_dc": values,
            f"head_{side}_gradient": np.full_like(values, gradient),
            f"head_{side}_std": np.full_like(values, 2),
            f"head_{side}_variance_preserved": values,
            f"head_{side}_modular_low_freq": values,
            f"head_{side}_dead": np.zeros(len(values), bool),
        }
    return arrays


def test_the_heads_table_has_a_row_an_epoch_and_head():
    pattern = np.stack([np.full((2, 7, 7), share) for share in (0.2, 0.3, 0.5)], axis=1)
    found = heads.compute(
        inputs(
            coarseness=[head_arrays([0.9, 0.1], [0.8, 0.9], 0.5), head_arrays([0.1, 0.1], [0.2, 0.3], 3)],
            attention_patterns=[{"attention_patterns": pattern}] * 2,
        ),
        heads.Parameters(),
    )
    assert found[["epoch", "head"]].to_numpy().tolist() == [[0, 0], [0, 1], [100, 0], [100, 1]]
    assert found["scale"].tolist() == ["coarse", "mixed", "fine", "fine"]
    assert found["scale_a"].tolist() == ["coarse", "mixed", "fine", "fine"]
    assert found["coarseness"].tolist() == pytest.approx([0.85, 0.5, 0.15, 0.2])
    assert found["roughness_a"].tolist() == [0.25, 0.25, 1.5, 1.5]
    for side, share in (("a", 0.2), ("b", 0.3), ("equals", 0.5)):
        assert found[f"mean_attention_to_{side}"].tolist() == pytest.approx([share] * 4)


@pytest.mark.parametrize("values", [{"roughness": 0}, {"fine_below": 0.9}, {"coarse_from": 1.2}])
def test_a_label_rule_that_makes_no_sense_is_refused(values):
    with pytest.raises(BadConfig, match=next(iter(values))):
        heads.Parameters(**values)


# frequencies


def test_the_frequency_table_has_norms_and_clusters_by_frequency():
    def embedding(dominant):
        return {
            "dominant_frequencies": np.array(dominant, int),
            "frequency_norms": np.array([1.0, 5.0, 1.0]),
            "fourier_norms": np.arange(7.0),
            "median_norm": np.array(1.0),
            "threshold_norm": np.array(2.0),
        }

    clusters = {"cluster_sizes": np.array([0, 9, 1]), "best_fraction": np.array([0.5, 1.0], np.float32)}
    found = frequencies.compute(
        inputs(dominant_frequencies=[embedding([]), embedding([2, 3])], neuron_frequencies=[clusters] * 2),
        None,
    )
    assert found["dominant_frequencies"].tolist() == ["", "2 3"]
    assert found["num_dominant_frequencies"].tolist() == [0, 2]
    assert found[["norm_1", "norm_2", "norm_3"]].iloc[1].tolist() == [1, 5, 1]
    assert found[["neurons_1", "neurons_2", "neurons_3"]].iloc[0].tolist() == [0, 9, 1]
    assert found["num_clustered_neurons"].tolist() == [10, 10]
    assert found["num_clusters"].tolist() == [2, 2]
    assert found["mean_best_fraction"].tolist() == [0.75, 0.75]
