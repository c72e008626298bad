"""Losses that no model has to be trained for: what each strategy reaches on sequences of the task.

Transition rows are Dirichlet(1), the first symbol is stationary. A strategy predicts with add-one counts, the
posterior mean under Dirichlet(1): of symbols ("unigram") or of what followed the present one ("bigram"). For
two states the expected losses are sums over all counts (`exact_levels`); for more, `sampled_levels` draws.

With two states, the number of sequences with given first symbol and transition counts is a product of two
binomial coefficients (how the runs of either symbol share their repetitions; Whittle 1955), and each of them
has as its probability an integral over a = P(0 to 1) and b = P(1 to 0),

    M(n00, n01, n10, n11) = int int b/(a + b) a^n01 (1 - a)^n00 b^n10 (1 - b)^n11 da db,

in which b/(a + b) is the stationary probability of 0. With (a, b) = (r, r v) where a > b, and (r v, r) where
not, the integrand is a polynomial in r and smooth in v: Gauss-Legendre quadrature is exact to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Levels:
    """Expected losses in nats.

    Attributes:
        uniform: ln k.
        unigram, bigram: by position, float64 (length - 1,): the prediction of symbol t + 1 from symbols 0..t.
        entropy: the entropy rate of the chain: what a model would reach that knew the transition matrix.
        errors: standard errors of entropy, and of unigram's and bigram's mean over positions; 0 where exact.
    """

    uniform: float
    unigram: Float64
    bigram: Float64
    entropy: float
    errors: dict[str, float]


@dataclass(frozen=True)
class _Counts:
    """All that strategies can know after some symbols, of sequences that begin with 0; parallel arrays."""

    now: Int64
    n00: Int64
    n01: Int64
    n10: Int64
    n11: Int64

    @property
    def position(self) -> Int64:
        """Position of the last symbol: the number of transitions so far."""
        return self.n00 + self.n01 + self.n10 + self.n11


def exact_levels(length: int) -> Levels:
    """The levels for two states and sequences of `length` symbols."""
    counts = _all_counts(length - 2)
    log_paths = _log_paths(counts)
    unigram, bigram = np.zeros(length - 1), np.zeros(length - 1)
    for following in (0, 1):
        after = _step(counts, following)
        # Twice: sequences that begin with 1 are the mirror image.
        probability = 2 * np.exp(log_paths + _log_integral(*after, degree=length))
        for losses, prediction in (
            (unigram, _unigram(counts, following)),
            (bigram, _bigram(counts, following)),
        ):
            np.add.at(losses, counts.position, -probability * np.log(prediction))
    exact = {"entropy": 0.0, "unigram": 0.0, "bigram": 0.0}
    return Levels(float(np.log(2)), unigram, bigram, _entropy_two_states(), exact)


def _all_counts(last: int) -> _Counts:
    """Counts at all positions 0..last. Ways away from 0 and back alternate, so n10 is n01 or n01 - 1."""
    stay0, away, stay1 = (x.ravel() for x in np.indices((last + 1, last // 2 + 2, last + 1)))
    rows: list[tuple[Int64, ...]] = []
    for now in (0, 1):
        back = away - now
        possible = (back >= 0) & (stay0 + away + back + stay1 <= last) & ((away > 0) | (stay1 == 0))
        rows.append(tuple(x[possible] for x in (np.full_like(away, now), stay0, away, back, stay1)))
    return _Counts(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))


def _log_paths(counts: _Counts) -> Float64:
    """Logarithm of the number of sequences with these counts."""
    runs0 = np.where(counts.now == 0, counts.n01 + 1, counts.n01)
    return _log_shares(counts.n00, runs0) + _log_shares(counts.n11, counts.n01)


def _log_shares(items: Int64, runs: Int64) -> Float64:
    """Logarithm of the number of ways to share repetitions among runs; without runs there are none."""
    several = np.maximum(runs, 1)
    largest = int((items + several).max())
    log_factorial = np.concatenate([np.zeros(1), np.cumsum(np.log(np.arange(1, largest + 1)))])
    return log_factorial[items + several - 1] - log_factorial[items] - log_factorial[several - 1]


def _step(counts: _Counts, following: int) -> tuple[Int64, Int64, Int64, Int64]:
    """Transition counts after one more symbol."""
    at0 = (counts.now == 0).astype(np.int64)
    if following == 0:
        return counts.n00 + at0, counts.n01, counts.n10 + (1 - at0), counts.n11
    return counts.n00, counts.n01 + at0, counts.n10, counts.n11 + (1 - at0)


def _unigram(counts: _Counts, following: int) -> Float64:
    seen = counts.n01 + counts.n11 if following else 1 + counts.n00 + counts.n10
    return (seen + 1) / (counts.position + 3)


def _bigram(counts: _Counts, following: int) -> Float64:
    at0 = counts.now == 0
    stay, leave = np.where(at0, counts.n00, counts.n11), np.where(at0, counts.n01, counts.n10)
    seen = np.where(at0, counts.n01 if following else counts.n00, counts.n11 if following else counts.n10)
    return (seen + 1) / (stay + leave + 2)


def _log_integral(n00: Int64, n01: Int64, n10: Int64, n11: Int64, *, degree: int) -> Float64:
    """log M; the powers add up to at most `degree`."""
    nodes, weights = np.polynomial.legendre.leggauss(degree // 2 + 24)
    nodes, weights = (nodes + 1) / 2, weights / 2
    # The inner integrals over v: int v^i / (1 + v) (1 - r v)^j dv for all i, j and r.
    powers = np.arange(degree + 3)
    v_powers = nodes ** powers[:, None] * (weights / (1 + nodes))
    other = (1 - np.outer(nodes, nodes)) ** powers[:, None, None]  # (j, r, v)
    inner = np.einsum("iv,jrv->rij", v_powers, other, optimize=True)
    total = np.zeros(len(n00))
    for r, weight, table in zip(nodes, weights, inner, strict=True):
        radial = weight * r ** (n01 + n10 + 1)
        # (a, b) = (r, r v): b/(a + b) = v/(1 + v); and (r v, r): 1/(1 + v).
        total += radial * (1 - r) ** n00 * table[n10 + 1, n11]
        total += radial * (1 - r) ** n11 * table[n01, n00]
    return np.log(total)


def _entropy_two_states() -> float:
    """E[pi_0 H(a) + pi_1 H(b)] for a and b uniform on [0, 1], H the entropy of a coin.

    By symmetry twice the integral of H(a) times that of b/(a + b) over b, which is 1 - a ln(1 + 1/a).
    """
    nodes, weights = np.polynomial.legendre.leggauss(400)
    a, weights = (nodes + 1) / 2, weights / 2
    coin = -a * np.log(a) - (1 - a) * np.log1p(-a)
    return float(2 * weights @ (coin * (1 - a * np.log1p(1 / a))))
