"""A23: the local learning coefficient, by stochastic gradient Langevin dynamics with full gradients.

With n samples, loss L (mean per sample, nats) and an inverse temperature β, the estimate at weights w* is

    λ̂ = n β (E[L(w)] - L(w*)),   w ~ exp(-n β L(w) - γ/2 ||w - w*||²)

(Lau et al. 2023, arXiv:2308.12108) where β = 1 / log n (Watanabe 2013) and γ keeps the samples near w*.
Chains follow (Welling and Teh 2011)

    w <- w - ε/2 (n β ∇L(w) + γ (w - w*)) + N(0, ε)

Known values: d / 2 for a regular minimum in d dimensions, 1 / 4 per dimension for w⁴, 1 / 2 for (a b)². The
estimate depends on ε, γ, the number of steps and β: it is a number only together with its settings, and worth
what its chains agree on. At a point that is no minimum (during training, or at epoch 0) it can be negative;
then it says only that lower loss is near. Steps must be small: ε (n β h + γ) < 4 for the largest curvature h,
or the chains diverge. For a quadratic the step makes the variance too large by 1 / (1 - ε (n β h + γ) / 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig, TdwError
from tdw.parameters import is_count, is_number, require
from tdw.recipes.common.landscape.training_loss import Float64, LossAndGradient


@dataclass(frozen=True)
class Settings:
    """What an estimate depends on.

    Attributes:
        step_size: ε, variance of the noise of one step, in squared units of weights.
        localization: γ.
        chains, burn_in, draws: independent chains, the steps that each discards first, and those it keeps.
        seed: of the noise; chain c uses (seed, c).
        inverse_temperature: β; None for 1 / log n.

    Raises:
        BadConfig: a setting out of range.
    """

    step_size: float = 5e-5
    localization: float = 300.0
    chains: int = 4
    burn_in: int = 200
    draws: int = 200
    seed: int = 0
    inverse_temperature: float | None = None

    def __post_init__(self) -> None:
        beta = self.inverse_temperature
        for holds, name, wanted in (
            (is_number(self.step_size) and self.step_size > 0, "step_size", "a number above 0"),
            (is_number(self.localization) and self.localization >= 0, "localization", "a number from 0 on"),
            (is_count(self.chains, least=2), "chains", "at least 2: their spread is part of the result"),
            (is_count(self.burn_in, least=0), "burn_in", "a whole number from 0 on"),
            (is_count(self.draws), "draws", "a whole number from 1 on"),
            (is_count(self.seed, least=0) and self.seed < 2**63, "seed", "a whole number from 0 to 2^63 - 1"),
            (beta is None or (is_number(beta) and beta > 0), "inverse_temperature", "a number above 0"),
        ):
            require(holds, name, getattr(self, name), wanted=wanted)

    def n_beta(self, samples: int) -> float:
        """n β for `samples` training samples."""
        beta = 1 / math.log(samples) if self.inverse_temperature is None else self.inverse_temperature
        return samples * beta


@dataclass(frozen=True)
class Estimate:
    """A local learning coefficient with its spread.

    Attributes:
        mean, std: of the chains' estimates; std with chains - 1 in the denominator.
        by_chain: float64 (chains,).
        losses: float32 (chains, burn_in + draws), the loss after each step: flat where a chain has settled.
        initial_loss: L(w*), nats.
        n_beta: n β.
        distance: float64 (chains,), ||w - w*|| at the end.
    """

    mean: float
    std: float
    by_chain: Float64
    losses: npt.NDArray[np.float32]
    initial_loss: float
    n_beta: float
    distance: Float64


def estimate(function: LossAndGradient, at: Float64, *, samples: int, settings: Settings) -> Estimate:
    """The local learning coefficient of a loss at given weights.

    Cost: chains x (burn_in + draws) + 1 losses with gradients.

    Args:
        function: the loss over all training samples, and its gradient.
        at: w*, float64 (d,).
        samples: n, at least 2.
        settings: of the sampler.

    Raises:
        BadConfig: fewer than two samples.
        TdwError: a chain diverged.
    """
    if samples < 2:
        raise BadConfig(f"{samples} training samples", "a learning coefficient needs at least two")
    n_beta = settings.n_beta(samples)
    initial, start_gradient = function(at)
    steps = settings.burn_in + settings.draws
    losses = np.empty((settings.chains, steps))
    distance = np.empty(settings.chains)
    for chain in range(settings.chains):
        generator = np.random.default_rng((settings.seed, chain))
        w, gradient = at.copy(), start_gradient
        for step in range(steps):
            drift = n_beta * gradient + settings.localization * (w - at)
            w = w - settings.step_size / 2 * drift
            w += math.sqrt(settings.step_size) * generator.standard_normal(w.size)
            losses[chain, step], gradient = function(w)
            if not math.isfinite(losses[chain, step]):
                raise TdwError(
                    f"chain {chain} diverged at step {step + 1} with step size {settings.step_size:g}",
                    "use a smaller step_size",
                )
        distance[chain] = np.linalg.norm(w - at)
    by_chain = n_beta * (losses[:, settings.burn_in :].mean(axis=1) - initial)
    return Estimate(
        mean=float(by_chain.mean()),
        std=float(by_chain.std(ddof=1)),
        by_chain=by_chain,
        losses=losses.astype(np.float32),
        initial_loss=initial,
        n_beta=n_beta,
        distance=distance,
    )
