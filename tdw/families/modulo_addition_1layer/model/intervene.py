"""Interventions on weights, at the start and after every step: `interventions.py` has the formulas.

They act on weights alone, so the objective and its numba form know nothing of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdw.compute import one_thread
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.zp_fourier import fourier_basis
from tdw.optimizers.optimizer import Optimizer
from tdw.recipes.family import Weights

_W_IN, _W_E = "blocks.0.mlp.W_in", "embed.W_E"


def begin(config: Config, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The initial weights after the interventions; changed in place, and the same where there are none."""
    with torch.no_grad(), one_thread():
        if config.planted_neurons:
            weights[_W_IN][:, : config.planted_neurons] = planted_columns(config, weights)
        _constrain(config, weights, epoch=0)
    return weights


def low_frequencies(config: Config) -> tuple[int, ...]:
    """The frequencies k, 1 to (p - 1) / 2, with c k = ±1, ±2, ... mod p up to the intervention's highest."""
    p, inverse = config.p, pow(config.names, -1, config.p)
    found = (inverse * k % p for k in range(1, config.low_up_to + 1))
    return tuple(min(k, p - k) for k in found)


def planted_waves(config: Config) -> npt.NDArray[np.float64]:
    """u of each planted neuron: float64 (p, planted_neurons)."""
    seed = int.from_bytes(hashlib.sha256(f"planted {config.seed}".encode()).digest()[:7], "big")
    generator = torch.Generator().manual_seed(seed)
    n = config.planted_neurons
    phases = 2 * np.pi * torch.rand(n, generator=generator, dtype=torch.float64).numpy()
    k = np.resize(low_frequencies(config), n)
    return np.cos(2 * np.pi / config.p * (np.outer(np.arange(config.p), k) % config.p) + phases)


def planted_columns(config: Config, weights: Weights) -> Tensor:
    """Columns of W_in of the planted neurons, float32 (d_model, planted_neurons), of the norms they had."""
    p = config.p
    a, b = (torch.as_tensor(each) for each in np.divmod(np.arange(p * p), p))
    doubled = {name: tensor.double() for name, tensor in weights.items()}
    grid = network.last_residual(doubled, a, b).view(p, p, -1)
    read = (grid.mean(dim=1) + grid.mean(dim=0)) / 2
    drawn = doubled[_W_IN][:, : config.planted_neurons]
    inverse = cast("Tensor", torch.linalg.pinv(read))  # pyright: ignore[reportUnknownMemberType]
    kept = drawn - inverse @ (read @ drawn)
    pattern = inverse @ torch.as_tensor(planted_waves(config))
    # The two are orthogonal: what is kept lies in the kernel of X, the pattern in its row space.
    room = (drawn.square().sum(dim=0) - kept.square().sum(dim=0)).clamp(min=0).sqrt()
    return (kept + pattern * (room / pattern.square().sum(dim=0).sqrt())).float()


def intervening(config: Config, weights: Weights, optimizer: Optimizer) -> Optimizer | InterveningOptimizer:
    """The optimizer with the interventions that follow its steps; itself where there are none."""
    if config.barred_k or config.parts(config.freeze) or config.parts(config.ablate):
        return InterveningOptimizer(config, weights, optimizer)
    return optimizer


class InterveningOptimizer:
    """An optimizer after whose steps interventions change the weights. It has no state of its own."""

    def __init__(self, config: Config, weights: Weights, inner: Optimizer) -> None:
        self._config, self._weights, self._inner = config, weights, inner
        self.settings = None  # parts of weights are not like others

    @torch.no_grad()
    def step(self) -> None:
        """See Optimizer."""
        config, weights, steps = self._config, self._weights, self._inner.steps
        frozen = config.parts(config.freeze) if steps >= config.freeze_from else ()
        ablated = config.parts(config.ablate) if steps >= config.ablate_from else ()
        before = [weights[name][index].clone() for name, index in frozen]
        for name, index in (*frozen, *ablated):
            gradient = weights[name].grad
            if gradient is not None:
                gradient[index] = 0
        self._inner.step()
        _constrain(config, weights, epoch=steps + 1)
        for (name, index), value in zip(frozen, before, strict=True):
            weights[name][index] = value

    def state_arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """See Optimizer."""
        return self._inner.state_arrays()

    def state_shapes(self, steps: int) -> Mapping[str, tuple[int, ...]]:
        """See Optimizer."""
        return self._inner.state_shapes(steps)

    def load_state_arrays(self, arrays: Mapping[str, npt.NDArray[Any]], *, steps: int) -> None:
        """See Optimizer."""
        self._inner.load_state_arrays(arrays, steps=steps)


def _constrain(config: Config, weights: Weights, *, epoch: int) -> None:
    """Bring the weights of an epoch, in place, to where the bar and the ablation have them."""
    if config.barred_k:
        rows = weights[_W_E][: config.p]
        low = torch.as_tensor(_low_basis(config), device=rows.device)
        exact = rows.double()
        rows.copy_(exact - low.T @ (low @ exact))
    if epoch >= config.ablate_from:
        for name, index in config.parts(config.ablate):
            weights[name][index] = 0


@lru_cache(maxsize=16)
def _low_basis(config: Config) -> npt.NDArray[np.float64]:
    """Orthonormal rows cos k, sin k of the low frequencies: float64 (2 low_up_to, p)."""
    k = np.asarray(low_frequencies(config))
    return fourier_basis(config.p)[np.sort(np.concatenate([2 * k - 1, 2 * k]))]
