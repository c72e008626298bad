"""The real orthonormal Fourier basis of Z_p, and the energy of maps over Z_p x Z_p by pair of frequencies.

Components are in the order constant, cos 1, sin 1, cos 2, sin 2, ... for an odd p, so h = (p - 1) / 2
frequencies.

A map f(a, b) has p² real coefficients, products of one component along a and one along b. Its *energy* at
the pair (k, l), k and l in 0..h, is the sum of the squares of the (at most four) coefficients with
frequency k along a and l along b. It equals the sum of |fft2(f)|² / p² over the pixels (±k, ±l), and all of
them together sum to the sum of f² (Parseval). Everything in A6 and A8 that is about frequencies is a masked
sum of these energies, so one transform a checkpoint, two products with a p x p matrix, serves all of it.
Multiplying residues by a unit permutes the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig, TdwError

_BLOCK = 32  # maps transformed at a time: their float32 temporaries stay in the cache
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


def require_odd(p: int) -> int:
    """Check that the basis exists in this form and give back h = (p - 1) / 2.

    Raises:
        BadConfig: p is even or below 3.
    """
    if p < 3 or p % 2 == 0:
        raise BadConfig(f"the Fourier basis of Z_{p} was asked for", "use an odd modulus of at least 3")
    return p // 2


@lru_cache(maxsize=16)
def fourier_basis(p: int) -> Float64:
    """The basis: float64 (p, p), a component per row, orthonormal; read-only, as it is shared.

    Row 0 is 1/sqrt(p), row 2k - 1 is sqrt(2/p) cos(2 pi k x / p), row 2k the same with sin.

    Raises:
        BadConfig: p is even or below 3.
    """
    k = np.arange(1, require_odd(p) + 1)
    # k x is reduced mod p first: cos of a large angle is less exact.
    angle = 2 * np.pi / p * (np.outer(k, np.arange(p)) % p)
    basis = np.empty((p, p))
    basis[0] = p**-0.5
    basis[1::2] = np.sqrt(2 / p) * np.cos(angle)
    basis[2::2] = np.sqrt(2 / p) * np.sin(angle)
    basis.flags.writeable = False
    return basis


@dataclass(frozen=True)
class Spectra:
    """What one transform tells about n maps.

    Attributes:
        energy: float32 (n, h + 1, h + 1) by frequency along a and along b; [:, 0, 0] is the constant's.
        mean: float64 (n,), of each map.
        constant: bool (n,), maps whose largest value is their smallest.
    """

    energy: Float32
    mean: Float64
    constant: npt.NDArray[np.bool_]

    @property
    def p(self) -> int:
        """The modulus."""
        return 2 * self.energy.shape[-1] - 1

    @cached_property
    def varying(self) -> Float64:
        """Energy without the constant, p² times the variance; exactly 0 for a constant map: float64 (n,)."""
        flat = self.energy.reshape(len(self.energy), -1)
        return flat[:, 1:].sum(axis=1, dtype=np.float64)

    @property
    def total(self) -> Float64:
        """Energy of each map, its constant included: float64 (n,)."""
        return self.varying + self.energy[:, 0, 0]

    @property
    def variance(self) -> Float64:
        """Variance (population) of each map: float64 (n,)."""
        return self.varying / self.p**2

    def at(self, mask: npt.NDArray[np.bool_]) -> Float64:
        """Energy at the pairs of frequencies that `mask`, bool (h + 1, h + 1), picks: float64 (n,)."""
        flat = self.energy.reshape(len(self.energy), -1)
        return flat[:, np.flatnonzero(mask)].sum(axis=1, dtype=np.float64)

    def by_frequency(self) -> Float64:
        """Energy of the eight terms of each frequency k = 1..h: float64 (n, h).

        The terms are {1, cos k, sin k} x {1, cos k, sin k} without the constant.
        """
        diagonal = np.einsum("nkk->nk", self.energy)[:, 1:].astype(np.float64)
        return diagonal + self.energy[:, 0, 1:] + self.energy[:, 1:, 0]


def spectra(maps: Float32) -> Spectra:
    """Energies of float32 maps (n, p, p).

    The mean is taken off before the float32 products, so that a small variation on a large constant keeps
    its relative precision (about 1e-6); the mean's own rounding only reaches the constant, which is set
    from the mean.

    Raises:
        BadConfig: maps that are not square, or of an even size.
        TdwError: a map holds NaN or infinity.
    """
    n, p = len(maps), maps.shape[-1]
    h = require_odd(p)
    if maps.ndim != 3 or maps.shape[1] != p:
        raise BadConfig(f"maps of shape {maps.shape} were given", "give maps of shape (n, p, p)")
    basis = fourier_basis(p).astype(np.float32)
    transposed = np.ascontiguousarray(basis.T)
    energy = np.empty((n, h + 1, h + 1), np.float32)
    mean, constant = np.empty(n), np.empty(n, np.bool_)
    centered, along_b = (np.empty((min(n, _BLOCK), p, p), np.float32) for _ in range(2))
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        block = maps[rows]
        size = len(block)
        flat = block.reshape(size, -1)
        constant[rows] = flat.min(axis=1) == flat.max(axis=1)
        mean[rows] = flat.mean(axis=1, dtype=np.float64)
        _require_finite(mean[rows], start)
        work, other = centered[:size], along_b[:size]
        np.subtract(block, mean[rows].astype(np.float32)[:, None, None], out=work)
        np.matmul(work.reshape(-1, p), transposed, out=other.reshape(-1, p))
        np.matmul(basis, other, out=work)
        _fold(work, energy[rows])
    energy[constant] = 0
    energy[:, 0, 0] = (p * mean) ** 2
    return Spectra(energy, mean, constant)


def low_disc(p: int, radius_fraction: float) -> npt.NDArray[np.bool_]:
    """Pairs of frequencies (k, l) inside the low mask of A8: bool (h + 1, h + 1).

    The mask is the disc of radius r = int(radius_fraction p) around the center (p // 2, p // 2) of the
    shifted
    spectrum, edge included: k² + l² <= r². It is symmetric in the signs of k and l, which is why energies
    by pair of frequencies suffice.
    """
    radius = int(radius_fraction * p)
    squares = np.arange(require_odd(p) + 1) ** 2
    return squares[:, None] + squares <= radius**2


def _require_finite(mean: Float64, start: int) -> None:
    bad = np.flatnonzero(~np.isfinite(mean))
    if bad.size:
        raise TdwError(
            f"map {start + bad[0]} holds NaN or infinite values",
            "look at the loss before this checkpoint: training may have diverged",
        )


def _fold(coefficients: Float32, energy: Float32) -> None:
    """Square the coefficients (n, p, p) in place; put their sums by pair of frequencies into `energy`."""
    squares = np.multiply(coefficients, coefficients, out=coefficients)
    energy[:, 0, 0] = squares[:, 0, 0]
    np.add(squares[:, 0, 1::2], squares[:, 0, 2::2], out=energy[:, 0, 1:])
    np.add(squares[:, 1::2, 0], squares[:, 2::2, 0], out=energy[:, 1:, 0])
    along_a = squares[:, 1::2, 1:] + squares[:, 2::2, 1:]
    np.add(along_a[:, :, 0::2], along_a[:, :, 1::2], out=energy[:, 1:, 1:])
