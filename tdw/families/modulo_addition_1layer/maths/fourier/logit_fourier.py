"""Logits as functions of the answer: the directions cos and sin of w_k (a + b), with and without them.

The p² inputs fall into p classes by their answer s (for addition s = a + b mod p), p inputs each. The
directions cos(w_k s), sin(w_k s) over inputs, w_k = 2 pi k / p, only see the class, so a projection on them
is a mean within classes followed by a one-dimensional transform along s: a p x p table, where the plain way
multiplies p² x p logits by p - 1 directions. Taking directions away shifts all logits of a class alike, so
the losses with each frequency taken away in turn share one exponential of the logits:
sum_c exp(L - D) = exp(L) @ exp(-D), class by class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.model.probe_types import ProbeLabels
from tdw.families.zp_fourier import Float32, Float64, fourier_basis

PAIRS = ("train", "test", "all")
_SAFE_EXPONENT = 300  # exp(300)² is far from overflow; beyond, logits are shifted one by one


@dataclass(frozen=True)
class Classes:
    """The probe's inputs by their answer.

    Attributes:
        rows: int64 (p, p), the inputs whose answer is s, ascending.
        train: bool (p, p), which of them train.
    """

    rows: npt.NDArray[np.int64]
    train: npt.NDArray[np.bool_]

    @property
    def counts(self) -> Float64:
        """Inputs of each class among the train, test and all pairs: float64 (3, p)."""
        return pair_counts(self.train.sum(axis=1))


def pair_counts(train: npt.NDArray[np.integer]) -> Float64:
    """Inputs of each answer among the train, test and all pairs, from those that train: float64 (3, p)."""
    here = train.astype(np.float64)
    return np.stack([here, len(here) - here, np.full_like(here, len(here))])


def classes(labels: ProbeLabels, p: int) -> Classes:
    """Sort the probe by answer.

    Raises:
        BadConfig: the answers are not 0..p-1, each of p inputs.
    """
    if (
        labels.answers.shape != (p * p,)
        or not (np.bincount(labels.answers, minlength=p) == p).all()
        or (labels.answers.max() >= p)
    ):
        raise BadConfig(
            f"the probe's answers are not the residues 0..{p - 1}, each of {p} inputs",
            "use progress measures for tasks such as modular addition, where every answer is as frequent",
        )
    rows = np.argsort(labels.answers, kind="stable").reshape(p, p)
    return Classes(rows, labels.train[rows])


def class_means(values: npt.NDArray[np.floating], groups: Classes) -> Float64:
    """Mean of values (p², n) over each class: float64 (p, n)."""
    p = len(groups.rows)
    means = np.empty((p, values.shape[1]))
    for s, rows in enumerate(groups.rows):
        values[rows].mean(axis=0, dtype=np.float64, out=means[s])
    return means


def transform(table: Float64) -> Float64:
    """Coefficients of a table (p, n) along its answers: float64 (p, n), constant, cos 1, sin 1, ..."""
    return fourier_basis(len(table)) @ table


def part_of(coefficients: Float64, frequencies: Sequence[int]) -> Float64:
    """What some frequencies contribute to the table with these coefficients: float64 (p, n)."""
    basis = fourier_basis(len(coefficients))
    pick = [i for k in frequencies for i in (2 * k - 1, 2 * k)]
    return basis[pick].T @ coefficients[pick]


def frequency_norms(coefficients: Float64) -> Float64:
    """Norm of each frequency over all p² inputs, cos and sin together: float64 (h,).

    A direction over inputs has p times the squared length of one over answers.
    """
    norms = np.linalg.norm(coefficients, axis=1)
    return np.hypot(norms[1::2], norms[2::2]) * np.sqrt(len(coefficients))


def cosine_coefficients(coefficients: Float64) -> Float64:
    """Inner product of the logits with the unit vector along cos(w_k (s - c)), k = 1..h: float64 (h,).

    cos(w (s - c)) = cos ws cos wc + sin ws sin wc, over p² inputs and p outputs of squared length p³ / 2.
    """
    p = len(coefficients)
    both = coefficients @ fourier_basis(p).T
    diagonal = np.diagonal(both)
    return (diagonal[1::2] + diagonal[2::2]) * np.sqrt(p / 2)


def cosine_part(cosines: Float64, frequencies: Sequence[int], p: int) -> Float64:
    """The part of the logits along cos(w_k (s - c)) for some k, as a table (p, p) by answer and output."""
    difference = np.arange(p)[:, None] - np.arange(p)
    wave = np.zeros(p)
    for k in frequencies:
        angle = 2 * np.pi / p * (k * np.arange(p) % p)
        wave += cosines[k - 1] * np.sqrt(2 / p**3) * np.cos(angle)
    return wave[difference % p]


def table_losses(table: Float64, counts: Float64) -> Float64:
    """Loss (nats) of logits that depend on the answer alone: float64 (3,), over train, test and all pairs.

    Args:
        table: float64 (p, p), logits by answer and output.
        counts: float64 (3, p), see `pair_counts`.
    """
    losses = _log_sum_exp(table) - np.diagonal(table)
    return _means(counts @ losses, counts)


@dataclass(frozen=True)
class Removals:
    """What is taken off the logits, in K ways, each a table by answer and output.

    Attributes:
        tables: float64 (m, p, p), tables as they are.
        coefficients: float64 (p, p), of the table of class means: one more way for each frequency, with its
            part taken off. Never formed for all frequencies at once.
    """

    tables: Float64
    coefficients: Float64

    def of_class(self, s: int) -> Float64:
        """The shift of each output in class s, by way: float64 (p, m + h)."""
        column = fourier_basis(len(self.coefficients))[:, s, None] * self.coefficients
        return np.concatenate([self.tables[:, s], column[1::2] + column[2::2]]).T


@dataclass(frozen=True)
class Losses:
    """Losses and accuracy over train, test and all pairs.

    Attributes:
        loss: float64 (3,), nats, of the logits as they are.
        accuracy: float64 (3,), 0-1.
        removed: float64 (3, m + h), nats, with each of the removals taken off.
    """

    loss: Float64
    accuracy: Float64
    removed: Float64


def losses(logits: Float32, groups: Classes, removals: Removals) -> Losses:
    """Cross-entropy of logits (p², p), as they are and with each removal, in float64."""
    ways = 1 + len(removals.tables) + len(logits[0]) // 2
    sums, right = np.zeros((3, ways)), np.zeros(3)
    for s, rows in enumerate(groups.rows):
        block = logits[rows].astype(np.float64)
        pairs = np.stack([groups.train[s], ~groups.train[s], np.ones(len(rows), np.bool_)]).astype(np.float64)
        shift = np.concatenate([np.zeros((len(block[0]), 1)), removals.of_class(s)], axis=1)
        sums += pairs @ _class_losses(block, s, shift)
        right += pairs @ (block.argmax(axis=1) == s)
    means = _means(sums, groups.counts)
    return Losses(loss=means[:, 0], accuracy=_means(right, groups.counts), removed=means[:, 1:])


def _means(sums: Float64, counts: Float64) -> Float64:
    """Means over train, test and all pairs from sums (3, ...) over them; NaN where there are none."""
    number = counts.sum(axis=1).reshape(-1, *(1,) * (sums.ndim - 1))
    return np.divide(sums, number, out=np.full_like(sums, np.nan), where=number > 0)


def _class_losses(block: Float64, answer: int, shift: Float64) -> Float64:
    """Losses of a class's logits (n, p) with each column of shift (p, K) taken off: float64 (n, K)."""
    shift = shift - shift.mean(axis=0)  # a softmax sees no constant
    highest = block.max(axis=1, keepdims=True)
    wild = np.abs(shift).max(axis=0) > _SAFE_EXPONENT
    below = np.exp(block - highest)
    partition = np.log(below @ np.exp(-np.where(wild, 0, shift)))
    for way in np.flatnonzero(wild):
        partition[:, way] = _log_sum_exp(block - highest - shift[:, way])
    return partition + (highest - block[:, answer, None]) + shift[answer]


def _log_sum_exp(values: Float64) -> Float64:
    """log sum exp along the last axis."""
    highest = values.max(axis=-1, keepdims=True)
    return np.log(np.exp(values - highest).sum(axis=-1)) + highest[..., 0]
