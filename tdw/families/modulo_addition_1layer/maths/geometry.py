"""A19: how the classes of one answer lie at a site: clusters, circle, and which frequency winds it.

X (N, d) are the activations at a site at the last position; class r holds the p inputs with
(a + b) mod p = r; μ_r is its mean, σ_r² its mean squared distance from μ_r. Means and all that follows from
them are float64; distances from them within a class have the precision of the activations.

- radius = sqrt(mean_r σ_r²); spread = sqrt(mean_r ||μ_r - mean μ||²); SNR = spread² / radius².
- Fisher J_rs = ||μ_r - μ_s||² / (σ_r² + σ_s²): mean over pairs, smallest, and the pair that has it.
- Circularity: the means on their first two principal components, x_r; the circle with the algebraic fit of
  Kåsa (1976), center c and radius ρ; clip((1 - mean (|x_r - c| - ρ)² / mean |x_r - mean x|², 0, 1) times the
  share of variance on the two components times var₂ / var₁.
- Alignment = max_k |mean_r exp(i (φ_r - 2 π k r / p))|² with φ_r the angle of x_r about c, and that k. A
  component's sign is arbitrary, so both directions of turning count: k is folded to 1..(p-1)/2.
- Per frequency, which needs no choice of a plane: the share of the means' variance at k, and the roundness
  of the ellipse that cos k and sin k draw, 2 s₁ s₂ / (s₁² + s₂²) with s the singular values of the two
  coefficient vectors: 1 for a circle, 0 for a line.
- Per class, participation ratio of its covariance, (tr C)² / tr C².

Where the activations do not vary within classes (or at all) the ratios have no value: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from tdw.families.zp_fourier import Float64, fourier_basis


@dataclass(frozen=True)
class Geometry:
    """Geometry of the p classes at one site; h = (p - 1) / 2.

    Attributes:
        radius, spread: in units of the activations.
        snr, fisher_mean, fisher_min: ratios, 0 or more.
        fisher_worst: int64 (2,), the pair of answers with the smallest J, r < s.
        circularity, alignment: 0-1.
        alignment_frequency: int64 (), 1..h; 0 where there is none.
        center, circle_radius: float64 (2,) and (), of the fitted circle, in the plane.
        plane: float32 (p, 2), the means on their first two principal components.
        frequency_shares, roundness: float64 (h,), 0-1; shares sum to 1.
        class_dimensions: float64 (p,), participation ratios.
    """

    radius: Float64
    spread: Float64
    snr: Float64
    fisher_mean: Float64
    fisher_min: Float64
    fisher_worst: npt.NDArray[np.int64]
    circularity: Float64
    alignment: Float64
    alignment_frequency: npt.NDArray[np.int64]
    center: Float64
    circle_radius: Float64
    plane: npt.NDArray[np.float32]
    frequency_shares: Float64
    roundness: Float64
    class_dimensions: Float64


def stacked(sites: list[Geometry]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of several sites, by name, site first."""
    return {f.name: np.stack([getattr(site, f.name) for site in sites]) for f in fields(Geometry)}


def geometry(activations: npt.NDArray[np.floating], rows: npt.NDArray[np.int64]) -> Geometry:
    """Geometry of the classes at one site.

    Args:
        activations: (N, d), an input per row.
        rows: int64 (p, m), the rows of each class.
    """
    p = len(rows)
    if _is_constant(activations):
        return _of_a_constant(p)
    grouped = activations[rows]  # (p, m, d), in the precision of the activations
    means = grouped.mean(axis=1, dtype=np.float64)
    grouped -= means[:, None].astype(grouped.dtype)
    variance, dimensions = _within(grouped)
    centered = means - means.mean(axis=0)
    between = (centered**2).sum(axis=1).mean()
    smallest, mean_j, worst = _fisher(centered, variance)
    # Principal components from the p x p inner products: half the cost of a singular value decomposition.
    values, vectors = np.linalg.eigh(centered @ centered.T)
    values = np.maximum(values[::-1], 0)
    plane = vectors[:, :-3:-1] * np.sqrt(values[:2])
    center, ring = fit_circle(plane)
    alignment, k = _alignment(plane - center)
    shares, roundness = _by_frequency(centered)
    return Geometry(
        radius=np.array(np.sqrt(variance.mean())),
        spread=np.array(np.sqrt(between)),
        snr=_ratio(between, variance.mean()),
        fisher_mean=np.array(mean_j),
        fisher_min=np.array(smallest),
        fisher_worst=worst,
        circularity=np.array(_circularity(plane, center, ring, values)),
        alignment=np.array(alignment),
        alignment_frequency=np.array(min(k, p - k), np.int64),
        center=center,
        circle_radius=np.array(ring),
        plane=plane.astype(np.float32),
        frequency_shares=shares,
        roundness=roundness,
        class_dimensions=dimensions,
    )


def fit_circle(points: Float64) -> tuple[Float64, float]:
    """Center (2,) and radius of the circle that fits points (n, 2) best in Kåsa's algebraic sense.

    Least squares of |x|² = 2 c · x + (ρ² - |c|²), which is linear in c and the constant.
    """
    design = np.column_stack([2 * points, np.ones(len(points))])
    least_squares: Any = np.linalg.lstsq
    solution: Float64 = least_squares(design, (points**2).sum(axis=1))[0]
    center = solution[:2]
    return center, float(np.sqrt(max(solution[2] + center @ center, 0.0)))


def _fisher(means: Float64, variance: Float64) -> tuple[float, float, npt.NDArray[np.int64]]:
    """Smallest and mean J, and the pair with the smallest."""
    r, s = np.triu_indices(len(means), 1)
    squares = (means**2).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares - 2 * means @ means.T, 0)[r, s]
    j = _ratio(distance, variance[r] + variance[s])
    if np.isnan(j).all():
        return float("nan"), float("nan"), np.array([0, 1], np.int64)
    at = int(np.nanargmin(j))
    return float(j[at]), float(np.nanmean(j)), np.array([r[at], s[at]], np.int64)


def _circularity(plane: Float64, center: Float64, ring: float, values: Float64) -> float:
    in_plane = values[:2].sum()
    if in_plane <= 0:
        return float("nan")
    residual = ((np.linalg.norm(plane - center, axis=1) - ring) ** 2).mean()
    fit = 1 - residual / (in_plane / len(plane))
    return float(np.clip(fit * (in_plane / values.sum()) * (values[1] / values[0]), 0, 1))


def _is_constant(activations: npt.NDArray[np.floating]) -> bool:
    # Two rows that differ spare the look at all of them.
    first = activations[0]
    return np.array_equal(first, activations[-1]) and bool((activations == first).all())


def _of_a_constant(p: int) -> Geometry:
    """Geometry of a site at which nothing varies: no distance, and no ratio of distances."""
    zero, none, frequencies = np.array(0.0), np.array(np.nan), np.full(p // 2, np.nan)
    return Geometry(
        radius=zero,
        spread=zero,
        snr=none,
        fisher_mean=none,
        fisher_min=none,
        fisher_worst=np.array([0, 1], np.int64),
        circularity=none,
        alignment=none,
        alignment_frequency=np.array(0, np.int64),
        center=np.zeros(2),
        circle_radius=zero,
        plane=np.zeros((p, 2), np.float32),
        frequency_shares=frequencies,
        roundness=frequencies,
        class_dimensions=np.full(p, np.nan),
    )


def _alignment(plane: Float64) -> tuple[float, int]:
    """max_k |mean exp(i (φ_r - 2 π k r / p))|² over k = 1..p-1, and k."""
    if not plane.any():
        return float("nan"), 0
    phase = np.exp(1j * np.arctan2(plane[:, 1], plane[:, 0]))
    strength = np.abs(np.fft.fft(phase) / len(phase)) ** 2
    k = int(strength[1:].argmax()) + 1
    return float(strength[k]), k


def _by_frequency(centered: Float64) -> tuple[Float64, Float64]:
    """Share of the variance of means (p, d) at each k, and the roundness of its ellipse: (h,), (h,)."""
    coefficients = fourier_basis(len(centered))[1:] @ centered
    cos, sin = coefficients[0::2], coefficients[1::2]
    along_cos, along_sin = (cos**2).sum(axis=1), (sin**2).sum(axis=1)
    energy = along_cos + along_sin
    # s₁² s₂² is the determinant of the 2 x 2 Gram matrix, s₁² + s₂² its trace.
    determinant = np.maximum(along_cos * along_sin - (cos * sin).sum(axis=1) ** 2, 0)
    return _ratio(energy, energy.sum()), _ratio(2 * np.sqrt(determinant), energy)


def _within(centered: npt.NDArray[np.floating]) -> tuple[Float64, Float64]:
    """tr C and (tr C)² / tr C² of each class (p, m, d), by the smaller Gram matrix: (p,) and (p,)."""
    _, m, d = centered.shape
    flipped = centered.swapaxes(1, 2)
    gram = centered @ flipped if m <= d else flipped @ centered
    trace = np.einsum("rii->ri", gram).sum(axis=1, dtype=np.float64)
    squares = np.square(gram, out=gram).sum(axis=(1, 2), dtype=np.float64)
    return trace / m, _ratio(trace**2, squares)


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Float64:
    """part / whole, NaN where the whole is 0."""
    above, below = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
