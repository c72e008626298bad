"""A21, A23: curvature and learning coefficient of a checkpoint. Both take many passes: off by default."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.compute import one_thread
from tdw.parameters import is_count, is_number, require
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.common.landscape.curvature import flatness, hessian_vector_product, largest_eigenvalues
from tdw.recipes.common.landscape.learning_coefficient import Settings, estimate
from tdw.recipes.common.landscape.training_loss import WithTrainingLoss
from tdw.recipes.context import Arrays

_PRODUCT, _LOSS = 12, 2
"""Training steps that a Hessian-vector product and a loss in float64 take, about: benchmarks/landscape.py."""
_PRODUCTS = 10
"""Products that an eigenvalue takes, about."""


@dataclass(frozen=True)
class Curvature:
    """How the curvature is measured.

    Attributes:
        eigenvalues: how many of the largest.
        tolerance: relative accuracy of each.
        directions: random ones.
        radius: length of the step along them, in units of weights.
        seed: of the start vector, and of the directions; the same at every epoch.
    """

    eigenvalues: int = 3
    tolerance: float = 1e-3
    directions: int = 50
    radius: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        most: int = self.eigenvalues
        require(is_count(most), "eigenvalues", most, wanted="a whole number from 1 on")
        wanted = "at least 2: their spread is part of the result"
        require(is_count(self.directions, least=2), "directions", self.directions, wanted=wanted)
        for name in ("tolerance", "radius"):
            value = getattr(self, name)
            require(is_number(value) and value > 0, name, value, wanted="a number above 0")
        require(is_count(self.seed, least=0), "seed", self.seed, wanted="a whole number from 0 on")

    @property
    def steps(self) -> float:
        """Training steps that it takes, about."""
        return self.eigenvalues * _PRODUCTS * _PRODUCT + 2 * self.directions * _LOSS


def curvature(context: WithTrainingLoss, parameters: Curvature) -> Arrays:
    """Eigenvalues and flatness; see `CURVATURE`."""
    landscape = context.training_loss
    with one_thread():
        tensors, size = landscape.tensors, landscape.flat.size
        product = hessian_vector_product(landscape.loss, tensors, names=landscape.trained)
        largest = largest_eigenvalues(
            product, size, count=parameters.eigenvalues, seed=parameters.seed, tolerance=parameters.tolerance
        )
        around = flatness(
            landscape.loss, tensors, names=landscape.trained, seed=parameters.seed,
            directions=parameters.directions, radius=parameters.radius,
        )  # fmt: skip
    return {
        "eigenvalues": largest.values,
        "residuals": largest.residuals,
        "products": np.array(largest.products, np.int64),
        "increases": around.increases,
        "curvatures": around.curvatures,
        "loss": np.array(around.loss, np.float64),
        "flat_share": np.array(around.flat_share, np.float64),
    }


def _describe_curvature(arrays: Arrays) -> Metadata:
    return {
        "largest_eigenvalue": float(arrays["eigenvalues"][0]),
        "mean_increase": float(arrays["increases"].mean()),
        "hessian_products": int(arrays["products"]),
    }


def coefficient(context: WithTrainingLoss, parameters: Settings) -> Arrays:
    """The estimate and its chains; see `LEARNING_COEFFICIENT`."""
    landscape = context.training_loss
    with one_thread():
        found = estimate(landscape.function, landscape.flat, samples=landscape.samples, settings=parameters)
    return {
        "by_chain": found.by_chain,
        "losses": found.losses,
        "loss": np.array(found.initial_loss, np.float64),
        "distance": found.distance,
        "n_beta": np.array(found.n_beta, np.float64),
        "step_size": np.array(parameters.step_size, np.float64),
        "localization": np.array(parameters.localization, np.float64),
        "burn_in": np.array(parameters.burn_in, np.int64),
        "seed": np.array(parameters.seed, np.int64),
    }


def _describe_coefficient(arrays: Arrays) -> Metadata:
    chains = arrays["by_chain"]
    return {"learning_coefficient": float(chains.mean()), "std_over_chains": float(chains.std(ddof=1))}


CURVATURE = Analyzer(
    name="curvature",
    title="Curvature of the training loss",
    description="""\
The largest (algebraically) eigenvalues of the Hessian of the training loss over the trained weights, by the
implicitly restarted Lanczos method ([Lanczos 1950](https://doi.org/10.6028/jres.045.026); ARPACK) on products
H v = ∂(∇L · v) ([Pearlmutter 1994](https://doi.org/10.1162/neco.1994.6.1.147)) in float64; each residual
‖H v − λ v‖ says how close λ is to an eigenvalue. A ReLU's second derivative is taken as 0, as autograd does.

*Flatness*: ΔL = L(θ + r u) − L(θ) for random directions u, uniform on the unit sphere of the trained weights
(not normalized by filter) and the same at every epoch, with r = `radius`; the share of them with ΔL below
10 % of L; and (L(θ + r u) + L(θ − r u) − 2 L(θ)) / r², whose mean is about tr(H) / n for n weights.

Weight decay is no part of the loss. The bound 2 / learning rate holds for plain gradient descent, not for
Adam.
""",
    code_version="1",
    parameters=Curvature,
    function=curvature,
    arrays={
        "eigenvalues": "float64 (n,), descending; unit of the loss per squared unit of weights",
        "residuals": "float64 (n,), ||H v - lambda v|| of the unit eigenvectors",
        "products": "int64 (), Hessian-vector products that it took",
        "increases": "float64 (directions,), of the loss along a random direction",
        "curvatures": "float64 (directions,), second difference along it",
        "loss": "float64 (), at the checkpoint",
        "flat_share": "float64 (), 0-1",
    },
    describe=_describe_curvature,
    steps=lambda parameters: parameters.steps,
)

LEARNING_COEFFICIENT = Analyzer(
    name="learning_coefficient",
    title="Local learning coefficient",
    description="""\
How degenerate the training loss is around the checkpoint w* ([Lau et al.
2023](https://arxiv.org/abs/2308.12108)): λ̂ = n β (E[L(w)] − L(w*)), over w from
exp(−n β L(w) − γ/2 ‖w − w*‖²), with n training samples, β = 1 / log n unless `inverse_temperature` is given
([Watanabe 2013](https://www.jmlr.org/papers/v14/watanabe13a.html)) and γ = `localization`. Sampled by
Langevin dynamics with full gradients ([Welling and Teh
2011](https://www.stats.ox.ac.uk/~teh/research/compstats/WelTeh2011a.pdf)):
w ← w − ε/2 (n β ∇L(w) + γ (w − w*)) + N(0, ε), ε = `step_size`, in `chains` chains, each with its own noise
from (`seed`, chain), `burn_in` steps that do not count and `draws` that do.

Half the number of weights at a regular minimum, less at a singular one. λ̂ depends on all of these settings:
compare epochs and variants of one family with the same ones, read no single value as *the* coefficient, and
trust it as far as its chains agree and the loss along them has settled. Where w* is no minimum, during
training and at epoch 0, it can be negative; then lower loss is near. Where the loss is flat the samples lie
about √(d / γ) from w*, with d weights (`distance`): how local that is, the length of w* says.
""",
    code_version="1",
    parameters=Settings,
    function=coefficient,
    arrays={
        "by_chain": "float64 (chains,), estimate of each",
        "losses": "float32 (chains, steps), after each step",
        "loss": "float64 (), at the checkpoint",
        "distance": "float64 (chains,), ||w - w*|| at the end",
        "n_beta": "float64 (), n times beta",
        "step_size": "float64 (), the parameter",
        "localization": "float64 (), the parameter",
        "burn_in": "int64 (), the parameter",
        "seed": "int64 (), the parameter",
    },
    describe=_describe_coefficient,
    steps=lambda parameters: parameters.chains * (parameters.burn_in + parameters.draws),
)
