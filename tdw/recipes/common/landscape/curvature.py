"""A21: how curved the loss is: its largest Hessian eigenvalues, and seeded random directions.

The Hessian H is never formed. A product H v is the derivative of (∇L · v), so one graph of the gradient
serves every product (Pearlmutter 1994). The largest eigenvalues come from these products by the implicitly
restarted Lanczos method (Lanczos 1950; ARPACK through SciPy). The residuals ||H v - λ v|| are returned: each
λ is that close to an eigenvalue. A ReLU's second derivative is taken as 0, as autograd does.

Flatness by random directions: ΔL = L(θ + r u) - L(θ) for unit directions u uniform on the sphere in the space
of the trained weights, which are not normalized by filter. In n dimensions a step of length r sees about
r² tr(H) / (2 n), the mean curvature, not the largest.

Both are pure functions of a loss in float64 and a seed. They cost many passes: off by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.errors import BadConfig, TdwError
from tdw.recipes.common.landscape.training_loss import Float64, Loss

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Eigenvalues:
    """The largest eigenvalues of a Hessian.

    Attributes:
        values: float64 (count,), algebraically largest, descending; nats per squared unit of weights.
        residuals: float64 (count,), ||H v - λ v|| of the unit eigenvectors.
        products: how many Hessian-vector products it took.
    """

    values: Float64
    residuals: Float64
    products: int


def hessian_vector_product(
    loss: Loss, weights: Mapping[str, torch.Tensor], *, names: Sequence[str]
) -> Callable[[Float64], Float64]:
    """The function v -> H v at `weights`, both float64 (n,), over the named weights flattened in order.

    Args:
        loss: of weights by name; it gets float64 tensors.
        weights: by name, any float dtype, on the CPU.
        names: of the weights that vary; the others are constants.
    """
    import torch

    leaves = {name: weights[name].detach().double().requires_grad_() for name in names}
    fixed = {name: tensor.detach().double() for name, tensor in weights.items()}
    varied = list(leaves.values())
    gradients = torch.autograd.grad(loss({**fixed, **leaves}), varied, create_graph=True)
    gradient = torch.cat([part.reshape(-1) for part in gradients])

    def product(vector: Float64) -> Float64:
        direction = torch.as_tensor(np.ascontiguousarray(vector, np.float64)).reshape(-1)
        # A weight on which the gradient does not depend has no graph: its part of H v is zero.
        parts = torch.autograd.grad(
            gradient @ direction, varied, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return torch.cat([part.reshape(-1) for part in parts]).numpy()

    return product


def largest_eigenvalues(
    product: Callable[[Float64], Float64],
    size: int,
    *,
    count: int,
    seed: int,
    tolerance: float = 1e-4,
    max_restarts: int = 100,
) -> Eigenvalues:
    """The algebraically largest eigenvalues of a symmetric matrix that is known by its products.

    Args:
        product: v -> H v, float64 (size,).
        size: n.
        count: how many, below n.
        seed: of the Gaussian start vector.
        tolerance: relative accuracy of each eigenvalue.
        max_restarts: of the Lanczos iteration.

    Raises:
        BadConfig: `count` is not in 1..n-1.
        TdwError: not converged.
    """
    import scipy.sparse.linalg  # pyright: ignore[reportMissingTypeStubs]

    if not 0 < count < size:
        raise BadConfig(f"{count} eigenvalues of a {size} x {size} matrix", f"ask for 1 to {size - 1}")
    calls = 0

    def counted(vector: Float64) -> Float64:
        nonlocal calls
        calls += 1
        return product(vector)

    arpack: Any = scipy.sparse.linalg
    operator = arpack.LinearOperator((size, size), matvec=counted, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(size)
    try:
        values, vectors = arpack.eigsh(
            operator, k=count, which="LA", v0=start, tol=tolerance, maxiter=max_restarts
        )
    except arpack.ArpackNoConvergence as error:
        raise TdwError(
            f"{len(error.eigenvalues)} of {count} Hessian eigenvalues converged in {max_restarts} restarts",
            "ask for fewer eigenvalues or a larger tolerance",
        ) from error
    order = np.argsort(values)[::-1]
    values, vectors = values[order], vectors[:, order]
    residuals = [
        float(np.linalg.norm(counted(vector) - value * vector))
        for value, vector in zip(values, vectors.T, strict=True)
    ]
    return Eigenvalues(values, np.array(residuals), calls)


@dataclass(frozen=True)
class Flatness:
    """The loss at random points around given weights.

    Attributes:
        increases: float64 (directions,), ΔL = L(θ + r u) - L(θ), in the unit of the loss.
        curvatures: float64 (directions,), (L(θ + r u) + L(θ - r u) - 2 L(θ)) / r², close to u·H u: the slope,
            which decides ΔL where training has not come to rest, cancels.
        loss: L at the weights.
        flat_share: share of the directions with ΔL below 10 % of L, 0-1.
    """

    increases: Float64
    curvatures: Float64
    loss: float
    flat_share: float


def flatness(
    loss: Loss,
    weights: Mapping[str, torch.Tensor],
    *,
    names: Sequence[str],
    seed: int,
    directions: int = 50,
    radius: float = 0.1,
) -> Flatness:
    """The loss along seeded random unit directions, there and back.

    Args:
        loss: of weights by name; it gets float64 tensors.
        weights: by name, any float dtype, on the CPU.
        names: of the weights that vary.
        seed: of the directions, Gaussian and then normalized.
        directions: how many.
        radius: length of the step, in units of weights; the same at every checkpoint, whatever their norm.
    """
    import torch

    fixed = {name: tensor.detach().double() for name, tensor in weights.items()}
    sizes = [fixed[name].numel() for name in names]
    generator = np.random.default_rng(seed)
    there, back = np.empty(directions), np.empty(directions)

    def moved(step: Float64) -> float:
        parts = np.split(step, np.cumsum(sizes)[:-1])
        near = {
            name: fixed[name] + torch.as_tensor(part).view_as(fixed[name])
            for name, part in zip(names, parts, strict=True)
        }
        return float(loss({**fixed, **near}))

    with torch.no_grad():
        here = float(loss(fixed))
        for i in range(directions):
            direction = generator.standard_normal(sum(sizes))
            step = direction * (radius / np.linalg.norm(direction))
            there[i], back[i] = moved(step) - here, moved(-step) - here
    return Flatness(there, (there + back) / radius**2, here, float((there < 0.1 * here).mean()))
