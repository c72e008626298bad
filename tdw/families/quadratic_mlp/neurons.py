"""The Fourier content of every neuron's three weight vectors, each a function on Z_p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.families.transformer.network import Weights
from tdw.families.zp_fourier import fourier_basis

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NeuronFourier:
    """Per neuron; columns are W_a, W_b, W_out.

    Attributes:
        ipr: inverse participation ratio, float64 (width, 3); see `participation`.
        frequency: frequency of the largest power, int64 (width, 3), 1..(p - 1) / 2.
        phase: of that wave, cos(2 pi k x / p + phase), float64 (width, 3) in (-pi, pi].
        mismatch: phase of W_a plus that of W_b (for a - b, minus it) minus that of W_out, float64 (width,) in
            (-pi, pi]: 0 in the known solution; NaN where the three frequencies differ.
    """

    ipr: Float64
    frequency: Int64
    phase: Float64
    mismatch: Float64


def neuron_fourier(weights: Weights, answer: tuple[int, int] = (1, 1)) -> NeuronFourier:
    """Fourier content of all neurons.

    Args:
        weights: by name.
        answer: (m, n), where the network learns m a + n b.
    """
    vectors = (weights["W_a"].T, weights["W_b"].T, weights["W_out"])
    basis = fourier_basis(vectors[0].shape[1])
    coefficients = np.stack([vector.detach().cpu().double().numpy() @ basis.T for vector in vectors], axis=1)
    cos, sin = coefficients[..., 1::2], coefficients[..., 2::2]
    power = cos**2 + sin**2
    best = power.argmax(axis=-1)[..., None]
    # cos(w x + phase) = cos(phase) cos(w x) - sin(phase) sin(w x)
    phase = np.arctan2(-np.take_along_axis(sin, best, -1), np.take_along_axis(cos, best, -1))[..., 0]
    frequency = best[..., 0].astype(np.int64) + 1
    mismatch = _wrap(answer[0] * phase[:, 0] + answer[1] * phase[:, 1] - phase[:, 2])
    same = (frequency == frequency[:, :1]).all(axis=1)
    return NeuronFourier(participation(power), frequency, phase, np.where(same, mismatch, np.nan))


def participation(power: Float64) -> Float64:
    """Inverse participation ratio over the last axis: sum of squares over the square of the sum.

    1 where one frequency has all the power, 1/h where all h have the same; 0 for a vector without power.
    A sum over the coefficients of the complex transform would give half of it: k and -k have equal power.

    Args:
        power: by frequency, the constant left out, float64 (..., h).
    """
    total = power.sum(axis=-1)
    squares = (power**2).sum(axis=-1)
    return np.divide(squares, total**2, out=np.zeros_like(total), where=total > 0)


def _wrap(angle: Float64) -> Float64:
    """The same angle in (-pi, pi]."""
    return np.pi - (np.pi - angle) % (2 * np.pi)
