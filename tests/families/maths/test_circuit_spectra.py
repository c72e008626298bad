import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.maths.fourier.circuit_spectra import (
    block_shares,
    circuit_spectra,
    copying_score,
    singular_values_of_product,
)
from tdw.families.modulo_addition_1layer.model.network import init_weights

P = 11


def initial(p=P):
    return {name: w.numpy() for name, w in init_weights(Config(p=p, seed=3)).items()}


def component(k, wave, p=P):
    values = [wave(2 * np.pi * k * x / p) for x in range(p)]
    return np.array(values) / np.sqrt(sum(v * v for v in values))


def naive_shares(matrix, p=P):
    """Inner products with cos k and sin k on either side, one at a time."""
    norms = []
    for k in range(1, p // 2 + 1):
        waves = [component(k, np.cos, p), component(k, np.sin, p)]
        norms.append(np.sqrt(sum((u @ matrix @ v) ** 2 for u in waves for v in waves)))
    return np.array(norms) / sum(norms)


@pytest.mark.parametrize("p", [11, 59])  # below and above d_head: the small products differ
def test_every_number_agrees_with_the_whole_matrices(p):
    weights = initial(p)
    found = circuit_spectra(weights)
    wide = {name: w.astype(np.float64) for name, w in weights.items()}
    e, u = wide["embed.W_E"][:p], wide["unembed.W_U"]
    q, k, v, o = (wide[f"blocks.0.attn.W_{x}"] for x in "QKVO")
    end = wide["embed.W_E"][p] + wide["pos_embed.W_pos"][2]
    for h in range(4):
        matrices = {
            "ov": e @ v[h] @ o[h] @ u,
            "qk": (e @ q[h]) @ (e @ k[h]).T,
            "ov_weights": v[h] @ o[h],
            "qk_weights": q[h] @ k[h].T,
        }
        for name, matrix in matrices.items():
            s = np.linalg.svd(matrix, compute_uv=False)
            assert found[f"{name}_norm"][h] == pytest.approx(np.linalg.norm(matrix, 2))
            assert found[f"{name}_effective_rank"][h] == pytest.approx(s.sum() ** 2 / (s**2).sum())
        for name in ("ov", "qk"):
            np.testing.assert_allclose(found[f"{name}_shares"][h], naive_shares(matrices[name], p), rtol=1e-9)
        eigenvalues = np.linalg.eigvals(matrices["ov"])
        copying = sum(max(x.real, 0) for x in eigenvalues) / sum(abs(x) for x in eigenvalues)
        assert found["ov_copying"][h] == pytest.approx(copying, abs=1e-6)
        values, scores = e @ v[h], e @ k[h] @ (end @ q[h])
        waves = [(component(f, np.cos, p), component(f, np.sin, p)) for f in range(1, p // 2 + 1)]
        of_values = np.array([np.sqrt(sum(((w @ values) ** 2).sum() for w in both)) for both in waves])
        of_scores = np.array([np.hypot(*(w @ scores for w in both)) for both in waves])
        np.testing.assert_allclose(found["value_shares"][h], of_values / of_values.sum())
        np.testing.assert_allclose(found["score_shares"][h], of_scores / of_scores.sum(), rtol=1e-6)
    direct = e @ u
    assert found["direct_norm"] == pytest.approx(np.linalg.norm(direct, 2))
    np.testing.assert_allclose(found["direct_shares"], naive_shares(direct, p), rtol=1e-9)
    eigenvalues = np.linalg.eigvals(direct)
    assert found["direct_copying"] == pytest.approx(
        np.maximum(eigenvalues.real, 0).sum() / np.abs(eigenvalues).sum()
    )


def test_shapes_and_dtypes_are_as_documented():
    found = circuit_spectra(initial())
    assert len(found) == 20
    for name, array in found.items():
        heads = () if name.startswith("direct") else (4,)
        assert array.shape == ((*heads, 5) if name.endswith("shares") else heads), name
        assert array.dtype == np.float64, name


def test_a_positive_matrix_copies_fully_and_its_negative_not_at_all():
    x = np.random.default_rng(0).standard_normal((1, P, 4))
    assert copying_score(x, x.swapaxes(1, 2)) == pytest.approx(1)
    assert copying_score(x, -x.swapaxes(1, 2)) == pytest.approx(0, abs=1e-12)
    assert copying_score(0 * x, x.swapaxes(1, 2)).tolist() == [0]


def test_a_shift_by_some_residue_copies_as_much_as_the_mean_of_its_cosines():
    # The eigenvalues of x -> x + 1 are the p roots of one: sum max(cos, 0) / p.
    shift = np.roll(np.eye(P), 1, axis=1)[None]
    expected = sum(max(np.cos(2 * np.pi * j / P), 0) for j in range(P)) / P
    assert copying_score(shift, np.eye(P)[None]) == pytest.approx(expected)


def test_a_wave_of_one_frequency_has_all_of_its_share():
    x = np.arange(P)
    wave = np.cos(2 * np.pi * 3 * (x[:, None] - x) / P)[None]
    shares, inside = block_shares(wave, np.eye(P)[None])
    np.testing.assert_allclose(shares, [[0, 0, 1, 0, 0]], atol=1e-12)
    assert inside == pytest.approx(1)
    # Two frequencies, one on either side, lie in no block.
    mixed = np.outer(component(1, np.cos), component(2, np.cos))[None]
    assert block_shares(mixed, np.eye(P)[None])[1] == pytest.approx(0, abs=1e-12)


def test_relabelling_residues_moves_the_shares_and_keeps_ranks_and_copying():
    weights, c = initial(), 3
    before = circuit_spectra(weights)
    order = np.append(c * np.arange(P) % P, P)
    after = circuit_spectra(
        {
            **weights,
            "embed.W_E": weights["embed.W_E"][order],
            "unembed.W_U": weights["unembed.W_U"][:, order[:-1]],
        }
    )
    k = np.arange(1, P // 2 + 1)
    moved = np.minimum(c * k % P, -c * k % P)
    for name in before:
        if name.endswith("shares"):
            np.testing.assert_allclose(after[name][..., moved - 1], before[name], rtol=1e-5, err_msg=name)
        else:
            np.testing.assert_allclose(after[name], before[name], rtol=1e-5, err_msg=name)


def test_singular_values_of_a_product_need_not_be_square():
    rng = np.random.default_rng(5)
    left, right = rng.standard_normal((2, 9, 3)), rng.standard_normal((2, 3, 6))
    np.testing.assert_allclose(
        singular_values_of_product(left, right), np.linalg.svd(left @ right, compute_uv=False)[:, :3]
    )
