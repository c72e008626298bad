"""T13: interventions as fields of a variant do what their formulas say, at every epoch, also in a replay."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tdw.compute import one_thread
from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.interventions import KEY
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.data import labels, split
from tdw.integrity.verify import verify
from tdw.notebook.make import make_variant
from tdw.optimizers.optimizer import Optimizer
from tdw.recipes.family import Form
from tdw.store import Address, Store
from tdw.study.parse import parse_study
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
SMALL: dict[str, Any] = {"p": 11, "train_fraction": 0.6, "d_model": 20, "n_heads": 3, "d_head": 7}
SMALL["d_mlp"] = 37
W_IN, W_OUT, W_E, W_U = "blocks.0.mlp.W_in", "blocks.0.mlp.W_out", "embed.W_E", "unembed.W_U"
EACH: list[dict[str, Any]] = [
    {"planted_neurons": 9, "planted_k": 2},
    {"barred_k": 2, "names": 3},
    {"freeze": "WE", "freeze_from": 3},
    {"freeze": "head1"},
    {"ablate": "head2", "ablate_from": 5},
    {"ablate": "neurons4-9"},
    {"barred_k": 1, "freeze": "WE", "freeze_from": 2, "ablate": "Win", "ablate_from": 5},
    {"planted_neurons": 37, "ablate": "neurons0-36", "ablate_from": 1, "clip": 0.01},
    {"barred_k": 2, "ablate": "head0", "ablate_from": 3, "optimizer": "Muon", "lr": 0.01},
]


def small(**fields: Any) -> Config:
    return Config(seed=2, **{**SMALL, **fields})


def without_one(fields: dict[str, Any]) -> list[Config]:
    """The variants that lack one of the fields, where the others can do without it."""
    found: list[Config] = []
    for name in fields:
        with contextlib.suppress(BadConfig):
            found.append(small(**{**fields, name: getattr(Config, name)}))
    return found


def weights_of(store: Store, config: Config, epoch: int) -> dict[str, npt.NDArray[Any]]:
    return dict(store.read(Address(FAMILY.name, config.key, "checkpoints", epoch)).arrays)


def coarseness_by_fft(maps: npt.NDArray[np.float32], radius: int) -> npt.NDArray[np.float64]:
    """A8 as it is written: |fft2|², shifted, the center zeroed, a disc over the whole."""
    p = maps.shape[-1]
    power = np.abs(np.fft.fftshift(np.fft.fft2(maps.astype(np.float64)), axes=(-2, -1))) ** 2
    power[:, p // 2, p // 2] = 0
    y, x = np.mgrid[:p, :p] - p // 2
    return power[:, x**2 + y**2 <= radius**2].sum(axis=1) / power.sum(axis=(1, 2)).clip(min=1e-30)


def renamed(weights: dict[str, torch.Tensor], p: int, c: int) -> dict[str, torch.Tensor]:
    """The model whose residue x is what was c x."""
    moved = torch.arange(p) * c % p
    found = {name: tensor.clone() for name, tensor in weights.items()}
    found[W_E][:p] = weights[W_E][moved]
    found[W_U][:] = weights[W_U][:, moved]
    return found


def test_without_an_intervention_nothing_is_touched() -> None:
    config = small()
    drawn, begun = network.init_weights(config), FAMILY.init_weights(config)
    assert all(torch.equal(drawn[name], begun[name]) for name in drawn)
    assert type(FAMILY.make_optimizer(config, begun)) is Optimizer
    assert not {field.name for field in KEY} & set(config.to_dict())


@pytest.mark.parametrize("fields", EACH)
def test_the_key_names_an_intervention_and_the_fingerprint_tells_it(fields: dict[str, Any]) -> None:
    config = small(**fields)
    assert Config.parse(config.key) == config
    assert config.key.count("_") == small().key.count("_") + len(fields)
    others = without_one(fields)
    assert others and config.fingerprint not in [other.fingerprint for other in others]


def test_keys_are_spelled_as_documented() -> None:
    planted = Config(59, 1, planted_neurons=256, planted_k=4, ablate="neurons0-63", ablate_from=500)
    assert planted.key == "p59_s1_d598_planted256_plantedk4_ablate-neurons0-63_ablatefrom500"
    assert Config(59, 1, freeze="WE", freeze_from=500).key == "p59_s1_d598_freeze-WE_freezefrom500"
    barred = Config(59, 1, barred_k=7, names=5, replicate=2)
    assert barred.key == "p59_s1_d598_barred7_names5_r2"


@pytest.mark.parametrize("names", [1, 5])
def test_planted_neurons_begin_as_low_frequency_maps_of_the_norms_that_were_drawn(names: int) -> None:
    p, n, high = 59, 100, 4
    config = Config(p, 3, train_fraction=0.4, planted_neurons=n, planted_k=high, names=names)
    plain = network.init_weights(Config(p, 3, train_fraction=0.4))
    weights = FAMILY.init_weights(config)
    again = FAMILY.init_weights(config)
    for name, tensor in weights.items():
        assert torch.equal(tensor, again[name])
        assert torch.equal(tensor, plain[name]) or name == W_IN
    assert torch.equal(weights[W_IN][:, n:], plain[W_IN][:, n:])
    np.testing.assert_allclose(weights[W_IN].norm(dim=0), plain[W_IN].norm(dim=0), rtol=1e-6)
    maps = FAMILY.probe_pass(config, weights).mlp_post
    under_names = np.arange(p) * names % p  # labels c: what was at c x is now at x
    shown = maps[:, under_names][:, :, under_names]
    coarse = coarseness_by_fft(shown, int(0.125 * p))
    assert coarse[:n].min() > 0.9 and coarse[n:].max() < 0.7
    if names != 1:
        assert coarseness_by_fft(maps, int(0.125 * p))[:n].max() < 0.5
    # The linear part by hand: of each planted neuron a wave of frequency 1 + i mod 4, and no constant.
    a, b = (torch.as_tensor(each) for each in np.divmod(np.arange(p * p), p))
    pre = (network.last_residual(weights, a, b) @ weights[W_IN][:, :n]).double().numpy().reshape(p, p, n)
    of_one = (pre.mean(axis=0) + pre.mean(axis=1))[under_names]
    power = np.abs(np.fft.rfft(of_one, axis=0)) ** 2
    assert (power.argmax(axis=0) == 1 + np.arange(n) % high).all()
    assert (power.max(axis=0) / power.sum(axis=0)).min() > 1 - 1e-5


def test_what_is_planted_hangs_on_the_seed_and_not_on_other_fields() -> None:
    plants = [
        FAMILY.init_weights(small(planted_neurons=5, **more))[W_IN][:, :5]
        for more in ({}, {"lr": 0.01}, {"data_seed": 7}, {"planted_k": 2})
    ]
    assert torch.equal(plants[0], plants[1]) and torch.equal(plants[0], plants[2])
    assert not torch.equal(plants[0], plants[3])
    other = FAMILY.init_weights(Config(seed=3, planted_neurons=5, **SMALL))[W_IN][:, :5]
    assert not torch.equal(plants[0], other)


@pytest.mark.parametrize("names", [1, 3])
def test_barred_frequencies_are_absent_from_the_embedding_at_every_epoch(tmp_path: Path, names: int) -> None:
    config, store = small(barred_k=2, names=names), Store(tmp_path)
    list(train(config, store=store, checkpoints=range(7)))
    for epoch in range(7):
        rows = weights_of(store, config, epoch)[W_E][: config.p]
        power = np.linalg.norm(np.fft.rfft(rows[np.arange(11) * names % 11], axis=0), axis=1)
        assert power[1:3].max() < 1e-6 * power[3:].min()
    drawn = network.init_weights(config)
    begun = FAMILY.init_weights(config)
    assert torch.equal(begun[W_E][-1], drawn[W_E][-1])  # "=" is no residue
    kept = np.fft.fft(drawn[W_E][:11].numpy()[np.arange(11) * names % 11], axis=0)
    kept[[1, 2, -1, -2]] = 0
    expected = np.fft.ifft(kept, axis=0).real
    np.testing.assert_allclose(begun[W_E][:11].numpy()[np.arange(11) * names % 11], expected, atol=1e-7)


def plain_training(
    config: Config, weights: dict[str, torch.Tensor], pairs: npt.NDArray[np.int64], steps: int
) -> list[float]:
    """Losses of a loop of torch's AdamW with low frequencies of W_E (1 and 2) taken away by an FFT."""
    p = config.p
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    a, b = (torch.as_tensor(each) for each in np.divmod(pairs, p))
    answers = torch.as_tensor(labels(config, pairs))
    trained = [leaves[name] for name in config.trained]
    optimizer = torch.optim.AdamW(trained, lr=config.lr, betas=(0.9, 0.98), weight_decay=1.0)

    def bar() -> None:
        with torch.no_grad():
            found = torch.fft.fft(leaves[W_E][:p].double(), dim=0)
            found[[1, 2, -1, -2]] = 0
            leaves[W_E][:p] = torch.fft.ifft(found, dim=0).real.float()

    bar()
    losses: list[float] = []
    for _ in range(steps):
        loss = network.cross_entropy(network.logits(leaves, a, b), answers)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        bar()
    return losses


@pytest.mark.parametrize("form", ["plain", "numba"])
def test_a_bar_under_other_names_is_the_bar_of_the_renamed_run(tmp_path: Path, form: Form) -> None:
    """A relabeled run is a run of the same task: its losses under names 1 are those of ours under names c."""
    steps, c = 8, 3
    for names in (1, c):
        config = small(barred_k=2, names=names)
        ours = [
            made.train_loss
            for made in train(config, store=Store(tmp_path / str(names)), checkpoints=range(steps), form=form)
        ]
        p, inverse = config.p, pow(names, -1, config.p)
        a, b = np.divmod(np.sort(split(config)[0]), p)
        # The pair that was (a, b) is now called (a / c, b / c).
        pairs = (a * inverse % p) * p + b * inverse % p
        theirs = plain_training(config, renamed(network.init_weights(config), p, names), pairs, steps)
        np.testing.assert_allclose(ours, theirs, rtol=2e-6)
        assert ours[-1] < ours[0]


def test_a_frozen_component_stays_as_it_was_and_the_rest_goes_on(tmp_path: Path) -> None:
    config, plain = small(freeze="head1", freeze_from=3), small()
    store = Store(tmp_path)
    for each in (config, plain):
        list(train(each, store=store, checkpoints=[0, 3, 4, 6]))
    at = {epoch: weights_of(store, config, epoch) for epoch in (0, 3, 4, 6)}
    for name in ("W_Q", "W_K", "W_V", "W_O"):
        full = f"blocks.0.attn.{name}"
        np.testing.assert_array_equal(at[6][full][1], at[3][full][1])
        assert (at[3][full][1] != at[0][full][1]).any() and (at[6][full][0] != at[3][full][0]).any()
        np.testing.assert_array_equal(at[3][full], weights_of(store, plain, 3)[full])
    np.testing.assert_array_equal(at[4][W_E], weights_of(store, plain, 4)[W_E])


def test_an_ablated_component_adds_nothing_from_its_epoch_on(tmp_path: Path) -> None:
    config, plain = small(ablate="head2", ablate_from=3), small()
    store = Store(tmp_path)
    made = {c.epoch: c for c in train(config, store=store, checkpoints=[2, 3, 4, 9])}
    before = {c.epoch: c for c in train(plain, store=store, checkpoints=[2, 3])}
    assert made[2].train_loss == before[2].train_loss
    # By hand, from the run that has the head: attention's output without it.
    weights = {name: torch.tensor(array) for name, array in weights_of(store, plain, 3).items()}
    pairs = np.sort(split(plain)[0])
    a, b = (torch.as_tensor(each) for each in np.divmod(pairs, plain.p))
    found = network.activations(weights, a, b)
    z, w_o = found["blocks.0.attn.hook_z"], weights["blocks.0.attn.W_O"]
    middle = found["blocks.0.hook_resid_pre"] + sum(z[:, head] @ w_o[head] for head in (0, 1))
    logits = (middle + torch.relu(middle @ weights[W_IN]) @ weights[W_OUT]) @ weights[W_U]
    loss = network.cross_entropy(logits, torch.as_tensor(labels(plain, pairs))).item()
    assert made[3].train_loss == pytest.approx(loss, abs=1e-6) != before[3].train_loss
    for epoch in (3, 4, 9):
        for name in ("W_Q", "W_K", "W_V", "W_O"):
            assert not weights_of(store, config, epoch)[f"blocks.0.attn.{name}"][2].any()
    silent = small(ablate="neurons4-9")
    maps = FAMILY.probe_pass(silent, FAMILY.init_weights(silent)).mlp_post
    assert not maps[4:10].any() and maps[:4].any()


def test_what_is_frozen_counts_nothing_for_clipping() -> None:
    config = small(freeze="WE", clip=1e-3)
    weights = FAMILY.init_weights(config)
    optimizer = FAMILY.make_optimizer(config, weights)
    for name in config.trained:
        weights[name].grad = torch.full_like(weights[name], 1e-9 if name != W_E else 1e9)
    optimizer.step()
    assert torch.equal(weights[W_E], FAMILY.init_weights(config)[W_E])
    moved = optimizer.state_arrays()["exp_avg/unembed.W_U"]
    assert moved.min() == pytest.approx(1e-10, rel=1e-3)  # (1 - 0.9) of the gradient: it was not clipped


@pytest.mark.parametrize("fields", EACH)
def test_replay_from_any_saved_state_gives_the_same_bits(tmp_path: Path, fields: dict[str, Any]) -> None:
    config = small(**fields)
    straight, parts = Store(tmp_path / "straight"), Store(tmp_path / "parts")
    list(train(config, store=straight, checkpoints=range(9), state_every=100))
    for epoch in (8, 1, 3, 7, 6):
        list(train(config, store=parts, checkpoints=[epoch], state_every=2))
        address = Address(FAMILY.name, config.key, "checkpoints", epoch)
        assert parts.path(address).read_bytes() == straight.path(address).read_bytes()
    # Every saved state, by hand: the steps after it are those of the uninterrupted run.
    for start in parts.epochs(FAMILY.name, config.key, "states"):
        saved = parts.read(Address(FAMILY.name, config.key, "states", start)).arrays
        weights = {name: torch.tensor(array) for name, array in saved.items() if "/" not in name}
        optimizer = FAMILY.make_optimizer(config, weights)
        moments = {name: array for name, array in saved.items() if "/" in name}
        optimizer.load_state_arrays(moments, steps=start)
        objective = FAMILY.objective(config)
        with one_thread():
            for epoch in range(start, 8):
                objective.loss_and_gradients(weights, epoch)
                optimizer.step()
        for name, array in weights_of(straight, config, 8).items():
            found = weights[name].detach().numpy()
            np.testing.assert_array_equal(found, array, err_msg=f"{name} from {start}")
    assert [found.finding for found in verify(parts) if found.finding] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"planted_neurons": 38}, "from 0 to 37"),
        ({"planted_neurons": 3, "planted_k": 6}, "from 1 to 5"),
        ({"planted_k": 2}, "set planted_neurons, or leave planted_k out"),
        ({"planted_neurons": 3, "barred_k": 1}, "could not be read"),
        ({"planted_neurons": 3, "d_model": 10}, "at least p = 11"),
        ({"planted_neurons": 3, "d_head": 3}, "at least p = 11"),
        ({"barred_k": 5}, "from 0 to 4"),
        ({"barred_k": 1, "names": 6}, "from 1 to 5"),
        ({"names": 2}, "nothing is planted or barred"),
        ({"freeze": "W_E"}, "use one of: WE, Wpos"),
        ({"freeze": "head3"}, "3 heads and 37 neurons"),
        ({"freeze": "head01"}, "no component"),
        ({"ablate": "neurons5-37"}, "no component"),
        ({"ablate": "neurons9-4"}, "no component"),
        ({"freeze": ""}, "no component"),
        ({"freeze": 3}, "3 is no component"),
        ({"ablate": ["WE"]}, "no component"),
        ({"freeze_from": 3}, "set freeze"),
        ({"ablate_from": 3}, "set ablate"),
        ({"ablate": "head0", "ablate_from": -1}, "from 0 to"),
        ({"ablate": "WU"}, "no operand reaches the answer"),
        ({"ablate": "head0", "n_heads": 1, "d_head": 21}, "no operand reaches the answer"),
        ({"freeze": "head1", "ablate": "WQ", "ablate_from": 4}, "share weights"),
        ({"freeze": "neurons0-9", "ablate": "neurons9-12"}, "share weights"),
        ({"freeze": "Wout", "ablate": "neurons9-12"}, "share weights"),
        ({"planted_neurons": 5, "ablate": "neurons4-9"}, "before they act"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_remedy(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        small(**fields)


def test_what_lies_side_by_side_is_not_refused() -> None:
    small(freeze="neurons0-9", ablate="neurons10-12")
    small(freeze="head1", ablate="head0")
    small(planted_neurons=5, ablate="neurons5-9")
    small(freeze="Wpos", ablate="Win")


def test_a_study_of_interventions_goes_all_the_way(tmp_path: Path) -> None:
    both = {"barred_k": 2, "ablate": "head1", "ablate_from": 4}
    variants = [{**SMALL, "seed": 2}, {**SMALL, "seed": 2, **both}]
    study = parse_study({"name": "two", "variants": variants, "epochs": 6, "checkpoints": [0, 3, 6]})
    config = FAMILY.parse_variant(study.variant_keys[1])
    store = Store(tmp_path)
    make_variant(store, FAMILY, config, [0, 3, 6])
    assert store.epochs(FAMILY.name, config.key, "coarseness") == [0, 3, 6]
    assert [found.finding for found in verify(store) if found.finding] == []
