"""The tables of blob onset, coarseness by frequency, head composition and scale clusters (A22, S6)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tiny_variant import TINY, TINY_EPOCHS

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.analyzers.relabelling import control
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_waves import reference_line
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_metrics import fft_ratio_no_dc
from tdw.families.modulo_addition_1layer.summaries import (
    blob_onset,
    coarseness_by_frequency,
    head_composition,
    scale_clusters,
)
from tdw.families.zp_fourier import spectra
from tdw.making.tables import summarize
from tdw.recipes.summary import Inputs, NoParameters
from tdw.store import Address, Store, TableAddress

FAMILY = get_family("modulo_addition_1layer")
CONFIG = Config(23, seed=1)
H = 11


def wave(k: int) -> np.ndarray:
    return np.tile(np.cos(2 * np.pi * k * np.arange(23) / 23)[:, None], 23).astype(np.float32)


def table(store: Store, name: str) -> pd.DataFrame:
    summarize(store, FAMILY, FAMILY.parse_variant(TINY), name)
    return store.read_table(TableAddress(FAMILY.name, TINY, name))


def arrays(store: Store, name: str, epoch: int):
    return store.read(Address(FAMILY.name, TINY, name, epoch)).arrays


def test_the_first_blob_is_found_among_the_neurons_and_among_the_labellings() -> None:
    """A wave of frequency k along a is a blob where c k is 1 or 2 up to its sign; else it has none."""
    by_epoch = {0: [7, 9], 10: [5, 9], 20: [1, 5], 40: [1, 3]}
    found = [spectra(np.stack([wave(k) for k in neurons])) for neurons in by_epoch.values()]
    inputs = Inputs(
        CONFIG,
        tuple(by_epoch),
        {
            "coarseness": tuple(
                {"neuron_fft_ratio_no_dc": fft_ratio_no_dc(each, radius_fraction=0.125)} for each in found
            ),
            "relabelling": tuple(control(each) for each in found),
        },
    )
    (row,) = blob_onset.compute(inputs, BlobRule()).to_dict("records")
    first: dict[int, int] = {}
    for c in range(1, H + 1):
        epochs = [e for e, ks in by_epoch.items() if any(c * k % 23 in (1, 2, 21, 22) for k in ks)]
        first |= {c: epochs[0]} if epochs else {}
    assert 1 < len(first) < H and set(first.values()) == {0, 10, 20, 40}
    assert (row["num_labellings"], row["relabellings_without_blob"]) == (H, H - len(first))
    assert (row["first_blob_epoch"], row["first_blob_neuron"]) == (20, 0)
    assert (row["lasting_blob_epoch"], row["lasting_blob_neuron"]) == (20, 0)
    assert row["first_blob_rank"] == sum(epoch <= 20 for epoch in first.values())
    assert row["relabelled_mean_first_blob_epoch"] == pytest.approx(np.mean([*first.values()]))
    assert row["relabelled_first_blob_epoch"] == sorted(first.values())[(H - 1) // 2]


def test_without_a_blob_there_is_no_epoch() -> None:
    scales = {"neuron_fft_ratio_no_dc": np.array([0.1, 0.6])}
    counts = {"num_blob_neurons": np.zeros(H, np.int64)}
    inputs = Inputs(CONFIG, (0, 5), {"coarseness": (scales,) * 2, "relabelling": (counts,) * 2})
    found = blob_onset.compute(inputs, BlobRule())
    (row,) = found.to_dict("records")
    assert pd.isna(row["first_blob_epoch"]) and pd.isna(row["relabelled_first_blob_epoch"])
    assert (row["relabellings_without_blob"], row["first_blob_rank"]) == (H, H)
    assert blob_onset.describe(found)["first_blob_epoch"] == "none"
    lower = blob_onset.compute(inputs, BlobRule(blob_from=0.6))
    assert lower["first_blob_epoch"].tolist() == [0] and lower["lasting_blob_neuron"].tolist() == [1]
    with pytest.raises(BadConfig, match="the same blob_from"):  # the relabelling has counted none
        blob_onset.compute(inputs, BlobRule(blob_from=0.5))


def waves(coarseness: np.ndarray, frequency: np.ndarray, fraction: np.ndarray) -> Inputs:
    scales = {"neuron_fft_ratio_no_dc": coarseness, "radius_fraction": np.array(0.125)}
    found = {
        "best_frequency": frequency,
        "best_fraction": fraction,
        "cluster_sizes": np.zeros(H, np.int64),
    }
    return Inputs(CONFIG, (7,), {"coarseness": (scales,), "neuron_frequencies": (found,)})


def test_neurons_that_are_rectified_waves_lie_on_the_curve() -> None:
    line = reference_line(23).query("relu and shape == 'of_both'").groupby("frequency")["coarseness"].mean()
    frequency = np.repeat(np.arange(1, H + 1), 4)
    inputs = waves(line.loc[frequency].to_numpy(), frequency, np.ones(4 * H))
    found = coarseness_by_frequency.compute(inputs, coarseness_by_frequency.Parameters(blob_from=0.5))
    np.testing.assert_allclose(found["mean_coarseness"], found["pure_wave"], atol=1e-12)
    np.testing.assert_allclose(found["pure_wave"], line, atol=1e-12)
    assert found["explained"].tolist() == pytest.approx([1] * H)
    assert found["distance"].tolist() == pytest.approx([1] * H)  # a frequency is a blob's or is not
    assert found["blobs"].tolist() == (4 * (line >= 0.5)).tolist()
    assert found["p_value"].iloc[0] <= 0.01
    assert 0 < found["chance"].iloc[0] < 1


def test_neurons_of_no_single_frequency_are_left_out() -> None:
    frequency = np.array([1, 1, 0, 4])
    inputs = waves(np.array([0.9, 0.1, 0.0, 0.8]), frequency, np.array([0.9, 0.6, 0.0, 0.7]))
    found = coarseness_by_frequency.compute(inputs, coarseness_by_frequency.Parameters())
    assert found.set_index("frequency")["neurons"].to_dict() == {k: int(k in (1, 4)) for k in range(1, H + 1)}
    assert found["distance"].isna().all()  # all that count are blobs: there are no others


def test_shares_of_heads_are_means_over_the_neurons_of_a_group(tiny_store: Store) -> None:
    found = table(tiny_store, "head_composition").set_index(["epoch", "group", "head"])
    assert len(found) == len(TINY_EPOCHS) * 2 * 4
    here = arrays(tiny_store, "head_composition", 20)
    values = arrays(tiny_store, "coarseness", 20)
    coarse, dead = values["neuron_fft_ratio_no_dc"], values["neuron_dead"]
    energy = here["read_energy"].astype(float)
    for group, members in (("blob", coarse >= 0.7), ("plaid", (coarse < 0.5) & ~dead)):
        for head in range(4):
            row = found.loc[(20, group, head)]
            assert row["neurons"] == members.sum()
            shares = [energy[head, n] / energy[:, n].sum() for n in np.flatnonzero(members)]
            assert row["share"] == pytest.approx(np.mean(shares) if shares else np.nan, nan_ok=True)
    some = found.dropna(subset="share")["share"].groupby(level=["epoch", "group"]).sum()
    np.testing.assert_allclose(some, 1)


def test_a_group_that_reads_one_head_reads_one_head() -> None:
    arrays = {
        "groups": np.array([[True, True, False], [False, False, False]]),
        "read_energy": np.array([[3, 1, 0], [0, 0, 5.0]], np.float32),
        "heads_per_neuron": np.array([1, 1, 1], np.float32),
        "gain": np.array([1, 1, 1], np.float32),
        "composition": np.array([[0.5, 0], [0, 0]]),
        "energy_by_frequency": np.array([[[0, 4.0], [0, 0]], [[0, 0], [0, 0]]]),
    }
    found = head_composition.compute(
        Inputs(CONFIG, (0,), {"head_composition": (arrays,)}), NoParameters()
    ).set_index(["group", "head"])
    assert found.loc["blob", "share"].tolist() == [1, 0]
    assert found.loc["blob", "frequency"].tolist() == [2, 0]
    assert found.loc["blob", "heads_per_neuron"].tolist() == [1, 1]
    assert found.loc["plaid", ["share", "composition", "gain"]].isna().all(axis=None)


def test_clusters_are_those_of_the_last_epochs_profiles(tiny_store: Store) -> None:
    found = table(tiny_store, "scale_clusters")
    profiles = arrays(tiny_store, "scale_profiles", 20)["profiles"]
    maps = arrays(tiny_store, "neuron_activations", 20)["neuron_activations"]
    octaves = [f"octave_{j}" for j in range(profiles.shape[1])]
    for neuron in range(0, 512, 37):  # stored at 8 bits, so to a hundredth
        power = np.abs(np.fft.fft2(maps[neuron].astype(float))) ** 2
        side = np.minimum(np.arange(7), 7 - np.arange(7))
        radius = np.hypot(side[:, None], side)
        bands = [power[(radius >= 2**j) & (radius < 2 ** (j + 1))].sum() for j in range(len(octaves))]
        if sum(bands):
            shares = np.array(bands) / sum(bands)
            np.testing.assert_allclose(found.loc[neuron, octaves].to_numpy(float), shares, atol=0.02)
    assert found["representative"].sum() == found["num_clusters"].iloc[0]
    # From coarse to fine.
    means = found[found["cluster"] >= 0].groupby("cluster")[octaves].mean() @ np.arange(len(octaves))
    assert means.is_monotonic_increasing


def test_two_scales_are_two_clusters_and_a_dead_neuron_is_in_none() -> None:
    profiles = np.array(
        [[0, 0.1, 0.9], [0.9, 0.1, 0], [0, 0, 0], [0, 0.12, 0.88], [0.88, 0.12, 0]], np.float32
    )
    artifacts = ({"profiles": profiles[::-1]}, {"profiles": profiles})
    found = scale_clusters.compute(
        Inputs(CONFIG, (0, 5), {"scale_profiles": artifacts}), scale_clusters.Parameters()
    )
    assert found["cluster"].tolist() == [1, 0, -1, 1, 0]
    assert (found["num_clusters"].iloc[0], found["last_epoch"].iloc[0]) == (2, 5)
    assert found["silhouette"].iloc[0] > 0.9
