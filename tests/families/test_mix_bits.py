"""The fast form has the bits with which stored variants were trained: losses, gradients, metrics, weights."""

from __future__ import annotations

from typing import Any

import first_mix
import pytest
import torch

from tdw.compute import one_thread
from tdw.families import get_family

FAMILY = get_family("modulo_addition_1layer")
NARROW: dict[str, Any] = {"d_model": 20, "n_heads": 3, "d_head": 7, "d_mlp": 37}
CASES: list[dict[str, Any]] = [
    *({"p": p, "seed": seed} for p in (3, 5, 7, 11, 13, 17, 47, 59, 97, 101, 113) for seed in (0, 999)),
    *({"p": p, "seed": 1, **NARROW} for p in (5, 13, 59)),
    {"p": 59, "seed": 1, "operation": "subtract"},
    {"p": 59, "seed": 1, "operation": "multiply"},
    {"p": 59, "seed": 1, "n_heads": 8, "d_head": 16},
    {"p": 59, "seed": 1, "n_heads": 1, "d_head": 128},
    {"p": 59, "seed": 1, "n_heads": 5, "d_head": 11, "d_mlp": 300},
    {"p": 59, "seed": 1, "d_mlp": 1024},
    {"p": 59, "seed": 1, "init_scale": 3.0},
    # The last block has 2 pairs, 2 pairs, and all that a block may have.
    {"p": 29, "seed": 1, "train_fraction": 0.46},
    {"p": 41, "seed": 1, "train_fraction": 0.23},
    {"p": 43, "seed": 1, "train_fraction": 0.208},
]


@pytest.mark.parametrize("fields", CASES, ids=lambda fields: FAMILY.make_config(**fields).key)
def test_every_bit_is_that_of_the_form_as_first_written(fields: dict[str, Any]) -> None:
    config = FAMILY.make_config(**fields)
    weights, objective = FAMILY.init_weights(config), FAMILY.objective(config, form="numba")
    optimizer = FAMILY.make_optimizer(config, weights)
    with one_thread():
        for _ in range(3):
            loss, gradients = first_mix.loss_and_gradients(config, weights)
            assert objective.loss_and_gradients(weights, 0) == loss
            assert {
                name for name, gradient in gradients.items() if not _same(weights[name].grad, gradient)
            } == set()
            optimizer.step()
            assert objective.metrics(weights) == first_mix.metrics(config, weights)


def _same(first: torch.Tensor | None, second: torch.Tensor) -> bool:
    """Bit by bit: 0 and -0 differ."""
    return first is not None and first.numpy().tobytes() == second.contiguous().numpy().tobytes()


def test_a_diverged_weight_is_seen_and_leaves_nothing_behind() -> None:
    config = FAMILY.make_config(p=17, seed=0)
    objective = FAMILY.objective(config, form="numba")
    sound = FAMILY.init_weights(config)
    with one_thread():
        before = objective.loss_and_gradients(sound, 0)
        broken = {name: tensor.clone() for name, tensor in sound.items()}
        broken["blocks.0.mlp.W_out"][0, 0] = float("inf")
        assert not torch.isfinite(torch.tensor(objective.loss_and_gradients(broken, 0)))
        assert objective.loss_and_gradients(sound, 0) == before
        gradients = first_mix.loss_and_gradients(config, sound)[1]
    assert all(_same(sound[name].grad, gradient) for name, gradient in gradients.items())
