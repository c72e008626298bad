import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.maths.head_composition import head_composition
from tdw.families.modulo_addition_1layer.model.network import init_weights

P = 7


def initial():
    return {name: w.numpy().astype(float) for name, w in init_weights(Config(p=P, seed=5)).items()}


def some_groups():
    coarseness = np.random.default_rng(0).random(512)
    return np.stack([coarseness > 0.7, coarseness < 0.5])


def test_every_number_agrees_with_the_whole_matrices():
    w, groups = initial(), some_groups()
    found = head_composition(w, groups)
    e, w_in = w["embed.W_E"][:P], w["blocks.0.mlp.W_in"]
    ov = [w["blocks.0.attn.W_V"][h] @ w["blocks.0.attn.W_O"][h] for h in range(4)]
    reads = [(e - e.mean(axis=0)) @ m @ w_in for m in ov]
    for n in range(0, 512, 41):
        energies = [sum(r[a, n] ** 2 for a in range(P)) for r in reads]
        np.testing.assert_allclose(found["read_energy"][:, n], energies)
        shares = [x / sum(energies) for x in energies]
        assert found["heads_per_neuron"][n] == pytest.approx(1 / sum(s * s for s in shares))
        together = sum(sum(r[a, n] for r in reads) ** 2 for a in range(P))
        assert found["gain"][n] == pytest.approx(together / sum(energies))
    x = np.arange(P)
    for h in range(4):
        for g, member in enumerate(groups):
            norm = np.linalg.norm
            expected = norm(ov[h] @ w_in[:, member]) / (norm(ov[h]) * norm(w_in[:, member]))
            assert found["composition"][h, g] == pytest.approx(expected)
            for k in range(1, P // 2 + 1):
                waves = [f(2 * np.pi * k * x / P) * np.sqrt(2 / P) for f in (np.cos, np.sin)]
                energy = sum(((wave @ reads[h][:, member]) ** 2).sum() for wave in waves)
                assert found["energy_by_frequency"][h, g, k - 1] == pytest.approx(energy)
    np.testing.assert_allclose(found["energy_by_frequency"].sum(axis=2), found["read_energy"] @ groups.T)


def test_heads_that_say_the_same_add_up_and_opposite_ones_cancel():
    w = initial()
    for name in ("W_V", "W_O"):
        w[f"blocks.0.attn.{name}"][:] = w[f"blocks.0.attn.{name}"][0]
    found = head_composition(w, some_groups())
    np.testing.assert_allclose(found["gain"], 4)
    np.testing.assert_allclose(found["heads_per_neuron"], 4)
    w["blocks.0.attn.W_O"][1:3] *= -1
    np.testing.assert_allclose(head_composition(w, some_groups())["gain"], 0, atol=1e-12)


def test_a_neuron_of_one_head_has_one_head():
    w = initial()
    w["blocks.0.attn.W_V"][1:] = 0
    found = head_composition(w, some_groups())
    np.testing.assert_allclose(found["heads_per_neuron"], 1)
    np.testing.assert_allclose(found["gain"], 1)


def test_groups_without_neurons_and_neurons_without_input_are_zero():
    w = initial()
    w["blocks.0.mlp.W_in"][:, 3] = 0
    found = head_composition(w, np.stack([np.zeros(512, bool), np.ones(512, bool)]))
    assert found["heads_per_neuron"][3] == found["gain"][3] == 0
    assert (found["composition"][:, 0] == 0).all()
    assert (found["energy_by_frequency"][:, 0] == 0).all()
