"""A20 on a real variant, against autograd, numpy's FFT and shuffles written out; and on made-up flows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_variant import TINY, TINY_EPOCHS

from tdw.families import get_family
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.data import split
from tdw.families.modulo_addition_1layer.summaries.learning import gradient_flow, gradient_sites
from tdw.recipes.summary import Inputs
from tdw.store import Address, Store

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant(TINY)


def read(store: Store, name: str, epoch: int) -> dict[str, np.ndarray]:
    return store.read(Address(FAMILY.name, TINY, name, epoch)).arrays


def plain_gradients(store: Store, epoch: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Weights and their gradient by autograd in float64."""
    weights = {n: torch.as_tensor(a).double() for n, a in read(store, "checkpoints", epoch).items()}
    leaves = {n: weights[n].requires_grad_() for n in CONFIG.trained}
    index = split(CONFIG)[0]
    a, b = torch.as_tensor(index // 7), torch.as_tensor(index % 7)
    loss = torch.nn.functional.cross_entropy(network.logits({**weights, **leaves}, a, b), (a + b) % 7)
    parts = torch.autograd.grad(loss, list(leaves.values()))
    found = {n: g.numpy() for n, g in zip(leaves, parts, strict=True)}
    return {n: w.detach().numpy() for n, w in weights.items()}, found


def energies(site: np.ndarray) -> np.ndarray:
    """By frequency, of a matrix (7, n): the FFT's k and p - k hold cos k and sin k."""
    power = (np.abs(np.fft.fft(site, axis=0, norm="ortho")) ** 2).sum(axis=1)
    return power[1:4] + power[:3:-1]


@pytest.mark.parametrize("epoch", TINY_EPOCHS)
def test_energies_are_those_of_autograd_and_the_fft(tiny_store: Store, epoch: int) -> None:
    weights, gradients = plain_gradients(tiny_store, epoch)
    embed = weights["embed.W_E"][:-1]
    expected = [energies(gradients["embed.W_E"][:-1])]
    for name in "QKV":
        heads = gradients[f"blocks.0.attn.W_{name}"]
        expected.append(np.mean([energies(embed @ head) for head in heads], axis=0))
    expected.append(energies(embed @ gradients["blocks.0.mlp.W_in"]))
    found = read(tiny_store, "gradients", epoch)
    np.testing.assert_allclose(found["energy"], expected, rtol=1e-3)
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    assert found["norm"] == pytest.approx(norm, rel=1e-4)


def test_the_flow_to_blobs_is_compared_with_shuffles(tiny_store: Store) -> None:
    # At p=7 no neuron is a blob: coarseness is made up.
    scale, dead = np.random.default_rng(1).random(512), np.arange(512) % 9 == 0
    artifacts = {
        "gradients": (read(tiny_store, "gradients", 20),),
        "coarseness": ({"neuron_fft_ratio_no_dc": scale, "neuron_dead": dead},),
    }
    table = gradient_flow.compute(Inputs(CONFIG, (20,), artifacts), gradient_flow.Parameters())
    weights, gradients = plain_gradients(tiny_store, 20)
    alive, blob = ~dead, scale[~dead] >= 0.7
    into = np.linalg.norm(gradients["blocks.0.mlp.W_in"], axis=0)
    flows = {
        "flow": into * np.linalg.norm(weights["blocks.0.mlp.W_in"], axis=0),
        "into": into,
        "out_of": np.linalg.norm(gradients["blocks.0.mlp.W_out"], axis=1),
    }
    for name, flow in flows.items():
        values = flow[alive]
        row = table[table["flow"] == name].iloc[0]
        assert (row["blobs"], row["others"], row["dead"]) == (blob.sum(), (~blob).sum(), (~alive).sum())
        assert row["ratio"] == pytest.approx(values[blob].mean() / values[~blob].mean(), rel=1e-3)
        shuffler = np.random.default_rng(99)
        means, ratios = [], []
        for _ in range(4000):
            shuffled = shuffler.permutation(values)
            inside, outside = shuffled[: blob.sum()].mean(), shuffled[blob.sum() :].mean()
            means.append(abs(inside - outside))
            ratios.append(inside / outside)
        observed = abs(values[blob].mean() - values[~blob].mean())
        assert row["p_value"] == pytest.approx(np.mean(np.array(means) >= observed), abs=0.05)
        low, high = np.percentile(ratios, (2.5, 97.5))
        assert (row["random_low"], row["random_high"]) == pytest.approx((low, high), rel=0.05)


def made_up(member_flow: float, *, epochs: int = 2) -> Inputs:
    """Forty neurons: ten blobs with one flow, twenty others with 1, ten dead ones with none."""
    scale = np.r_[np.full(10, 0.9), np.full(20, 0.2), np.zeros(10)]
    flow = np.r_[np.full(10, member_flow), np.ones(20), np.zeros(10)]
    energy = np.zeros((5, 3))
    energy[:, 1] = 4
    arrays = {
        "gradients": {"flow": flow, "into": flow, "out_of": flow, "energy": energy,
                      "cosines": np.ones((5, 5)), "norm": np.array(2.0)},
        "coarseness": {"neuron_fft_ratio_no_dc": scale, "neuron_dead": scale == 0},
    }  # fmt: skip
    return Inputs(CONFIG, tuple(range(epochs)), {name: (found,) * epochs for name, found in arrays.items()})


def test_blobs_with_three_times_the_flow_have_ratio_three_and_the_smallest_p() -> None:
    table = gradient_flow.compute(made_up(3.0), gradient_flow.Parameters())
    assert (table["ratio"] == 3).all()
    assert (table["p_value"] == 1 / 1000).all()
    assert set(table["dead"]) == {10}
    assert (table["random_high"] < 3).all()


def test_equal_flows_are_no_difference_and_no_blobs_have_no_test() -> None:
    equal = gradient_flow.compute(made_up(1.0), gradient_flow.Parameters())
    assert (equal["p_value"] == 1).all()
    none = gradient_flow.compute(made_up(1.0), gradient_flow.Parameters(blob_from=0.95))
    assert none["p_value"].isna().all()
    assert none["other_mean"].eq(1).all()


def test_seed_and_permutations_are_in_the_table_and_the_seed_decides_the_bits() -> None:
    inputs = Inputs(CONFIG, (0,), {
        "gradients": ({name: np.random.default_rng(0).random(40) for name in ("flow", "into", "out_of")},),
        "coarseness": made_up(1.0).artifacts["coarseness"][:1],
    })  # fmt: skip
    tables = [
        gradient_flow.compute(inputs, gradient_flow.Parameters(seed=s, permutations=199)) for s in (4, 4, 5)
    ]
    assert set(tables[0]["seed"]) == {4} and set(tables[0]["permutations"]) == {199}
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert tables[0]["random_low"].tolist() != tables[2]["random_low"].tolist()


def test_a_gradient_of_one_frequency_is_named_with_share_one() -> None:
    table = gradient_sites.compute(made_up(1.0), gradient_sites.SUMMARY.parameters())
    assert table["site"].tolist() == ["W_E", "Q", "K", "V", "W_in"] * 2
    assert set(table["frequency"]) == {2}
    assert set(table["frequency_share"]) == {1.0}
    assert set(table["energy"]) == {4.0}
