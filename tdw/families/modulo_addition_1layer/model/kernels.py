"""The loops over pairs, compiled by numba: `mix.py` says what they compute and why.

One thread, fixed order: the same machine gives the same bits every time. `reassoc` lets the compiler sum in
vector lanes; NaN and infinities keep their meaning, so that a diverged run is seen.
"""

# numba's decorators are untyped.
# pyright: reportUntypedFunctionDecorator=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def in_order(function: _Function) -> _Function:
    """Compile on first use, operations as written; cached on disk where numba finds a writable folder."""
    return _jitted(function, fastmath=False)


def _compiled(function: _Function) -> _Function:
    """The same, but sums may be taken in vector lanes."""
    return _jitted(function, fastmath={"reassoc", "contract", "nsz", "arcp"})


def _jitted(function: _Function, *, fastmath: Any) -> _Function:
    options: dict[str, Any] = {"fastmath": fastmath, "error_model": "numpy"}
    try:
        return cast("_Function", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder to cache in: compile in every process
        return cast("_Function", numba.njit(**options)(function))


@_compiled
def attention_weights(scores: F32, a: I64, b: I64, out: F32) -> None:
    """Softmax over (score of a, score of b, 0) for each pair and head.

    Args:
        scores: (2 p, H), of token a at position 0, then of token b at position 1, relative to "=".
        a: first operands (N,).
        b: second operands (N,).
        out: (N, H, 2), attention to a and to b; the rest goes to "=".
    """
    p = (scores.shape[0]) // 2
    for n in range(a.shape[0]):
        for h in range(scores.shape[1]):
            at_a, at_b = scores[a[n], h], scores[p + b[n], h]
            peak = max(max(at_a, at_b), np.float32(0))
            exp_a, exp_b, exp_end = np.exp(at_a - peak), np.exp(at_b - peak), np.exp(-peak)
            total = exp_a + exp_b + exp_end
            out[n, h, 0] = exp_a / total
            out[n, h, 1] = exp_b / total


@_compiled
def mix_forward(tables: F32, base: F32, weights: F32, a: I64, b: I64, post: F32, skip: F32) -> None:
    """Mix table rows into the activations of each pair.

    Args:
        tables: (H, 2 p + 1, M), M at least d_mlp + p.
        base: (M,), what every pair has.
        weights: (N, H, 2), attention to a and b.
        a: first operands (N,).
        b: second operands (N,).
        post: out (N, d_mlp), after the ReLU.
        skip: out (N, p or more), the part of the logits that goes round the MLP; columns from p on stay.
    """
    p, d_mlp = tables.shape[1] // 2, post.shape[1]
    fours = tables.shape[0] // 4 * 4
    row = np.empty(base.shape[0], np.float32)
    for n in range(a.shape[0]):
        for m in range(row.shape[0]):  # a slice would be copied element by element
            row[m] = base[m]
        for h in range(0, fours, 4):  # four heads at a time: the row is read and written once
            a0, a1, a2, a3 = (
                tables[h, a[n]], tables[h + 1, a[n]], tables[h + 2, a[n]], tables[h + 3, a[n]]
            )  # fmt: skip
            at = p + b[n]
            b0, b1, b2, b3 = tables[h, at], tables[h + 1, at], tables[h + 2, at], tables[h + 3, at]
            u0, u1, u2, u3 = (
                weights[n, h, 0],
                weights[n, h + 1, 0],
                weights[n, h + 2, 0],
                weights[n, h + 3, 0],
            )
            v0, v1, v2, v3 = (
                weights[n, h, 1],
                weights[n, h + 1, 1],
                weights[n, h + 2, 1],
                weights[n, h + 3, 1],
            )
            for m in range(row.shape[0]):
                row[m] += (
                    u0 * a0[m] + u1 * a1[m] + u2 * a2[m] + u3 * a3[m]
                    + v0 * b0[m] + v1 * b1[m] + v2 * b2[m] + v3 * b3[m]
                )  # fmt: skip
        for h in range(fours, tables.shape[0]):
            of_a, of_b = tables[h, a[n]], tables[h, p + b[n]]
            to_a, to_b = weights[n, h, 0], weights[n, h, 1]
            for m in range(row.shape[0]):
                row[m] += to_a * of_a[m] + to_b * of_b[m]
        for m in range(d_mlp):
            post[n, m] = max(row[m], np.float32(0))
        for m in range(p):
            skip[n, m] = row[d_mlp + m]


@_compiled
def mix_backward(
    tables: F32, weights: F32, a: I64, b: I64, post: F32, d_post: F32, d_skip: F32,
    d_tables: F32, d_base: F32, d_scores: F32,
) -> None:  # fmt: skip
    """Add the gradients of tables, base and scores; arguments as in `mix_forward`.

    Args:
        tables, weights, a, b, post: as they were.
        d_post: (N, d_mlp), gradient of `post`.
        d_skip: (N, p or more), gradient of `skip`.
        d_tables: (H, 2 p + 1, M), added to.
        d_base: (M,), added to.
        d_scores: (2 p, H), added to.
    """
    p, d_mlp = tables.shape[1] // 2, post.shape[1]
    row = np.zeros(d_base.shape[0], np.float32)
    total = np.zeros(d_base.shape[0], np.float32)  # of this block alone: sums of sums round less
    row_skip, total_skip = row[d_mlp:], total[d_mlp:]
    for n in range(a.shape[0]):
        for m in range(d_mlp):
            d_pre = d_post[n, m] if post[n, m] > 0 else np.float32(0)
            row[m] = d_pre
            total[m] += d_pre
        for m in range(p):
            row_skip[m] = d_skip[n, m]
            total_skip[m] += d_skip[n, m]
        at_a, at_b = a[n], p + b[n]
        for h in range(tables.shape[0]):
            to_a, to_b = weights[n, h, 0], weights[n, h, 1]
            d_to_a = np.float32(0)
            d_to_b = np.float32(0)
            # One table a loop: with both the compiler can't rule out an overlap, and gives up on vectors.
            of_a, d_of_a = tables[h, at_a], d_tables[h, at_a]
            for m in range(row.shape[0]):
                d_to_a += row[m] * of_a[m]
                d_of_a[m] += to_a * row[m]
            of_b, d_of_b = tables[h, at_b], d_tables[h, at_b]
            for m in range(row.shape[0]):
                d_to_b += row[m] * of_b[m]
                d_of_b[m] += to_b * row[m]
            mean = to_a * d_to_a + to_b * d_to_b
            d_scores[at_a, h] += to_a * (d_to_a - mean)
            d_scores[at_b, h] += to_b * (d_to_b - mean)
    for m in range(row.shape[0]):
        d_base[m] += total[m]


@_compiled
def subtract_peak(logits: F32, peak: F64, out: F64) -> None:
    """Float64 logits minus the largest of their row, which goes to `peak`; as many columns as `out` has."""
    for n in range(logits.shape[0]):
        largest = logits[n, 0]
        for m in range(out.shape[1]):
            largest = max(largest, logits[n, m])
        peak[n] = largest
        for m in range(out.shape[1]):
            out[n, m] = np.float64(logits[n, m]) - np.float64(largest)


@_compiled
def loss_and_gradient(logits: F32, peak: F64, exps: F64, answers: I64, n_pairs: int) -> float:
    """Sum over rows of the cross-entropy in float64; `logits` become its gradient divided by `n_pairs`.

    Args:
        logits: (N, p or more), the first p columns overwritten.
        peak: (N,), largest logit of each row.
        exps: (N, p), exp(logits - peak).
        answers: (N,).
        n_pairs: pairs over which the loss is the mean.
    """
    loss = 0.0
    for n in range(logits.shape[0]):
        total = 0.0
        for m in range(exps.shape[1]):
            total += exps[n, m]
        loss += np.log(total) - (np.float64(logits[n, answers[n]]) - peak[n])
        scale = 1.0 / (total * n_pairs)
        right = exps[n, answers[n]] * scale - 1.0 / n_pairs
        for m in range(exps.shape[1]):
            logits[n, m] = exps[n, m] * scale
        logits[n, answers[n]] = right
    return loss


@_compiled
def loss_and_hits(logits: F32, peak: F64, exps: F64, answers: I64) -> tuple[float, int]:
    """Sum over rows of the cross-entropy in float64, and the rows whose (first) peak is the answer."""
    loss = 0.0
    hits = 0
    for n in range(logits.shape[0]):
        total = 0.0
        for m in range(exps.shape[1]):
            total += exps[n, m]
        loss += np.log(total) - (np.float64(logits[n, answers[n]]) - peak[n])
        first = 0
        while first < exps.shape[1] - 1 and np.float64(logits[n, first]) != peak[n]:
            first += 1
        hits += first == answers[n]
    return loss, hits


@_compiled
def grid_activations(by_neuron: F32, tables: F32, base: F32, weights: F32, out: F32) -> None:
    """Post-activations of every pair, neuron first.

    Args:
        by_neuron: (H, d_mlp, p), the tables of position 1, transposed, so that b is contiguous.
        tables: (H, 2 p + 1, M); rows 0 to p - 1 are used, position 0's.
        base: (M,).
        weights: (H, 2, p, p), attention to a and b, indexed [head, source, a, b].
        out: (d_mlp, p, p), indexed [neuron, a, b].
    """
    p = out.shape[1]
    row = np.empty(p, np.float32)
    for m in range(out.shape[0]):
        for a in range(p):
            row[:] = base[m]
            for h in range(tables.shape[0]):
                of_a = tables[h, a, m]
                to_a, to_b, of_b = weights[h, 0, a], weights[h, 1, a], by_neuron[h, m]
                for b in range(p):
                    row[b] += to_a[b] * of_a + to_b[b] * of_b[b]
            for b in range(p):
                out[m, a, b] = max(row[b], np.float32(0))
