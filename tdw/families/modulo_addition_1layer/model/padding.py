"""Whether BLAS gives the same bits beside padding, and to memory that is transposed: tried, shape by shape.

Products with W_out W_U are faster at a width of 64 than at p=59, and into transposed memory. In
which order BLAS sums a row and a column depends on the processor and on the shape, not on the numbers: where
it is another one than for the plain product, stored variants would go on with other bits.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from tdw.compute import one_thread

_MULTIPLE = 8


def padded(p: int) -> int:
    """The width that p columns get."""
    return -(-p // _MULTIPLE) * _MULTIPLE


@functools.cache
@one_thread()
def block_may_be_padded(pairs: int, p: int, d_mlp: int) -> bool:
    """Whether logits of a block, and the gradient of its activations, are the same beside padding."""
    post, readout, logits = _numbers(pairs, d_mlp), _numbers(d_mlp, p), _numbers(pairs, p)
    wide, wide_readout = _widened(logits), _widened(readout)
    back = torch.mm(wide[:, :p], wide_readout[:, :p].T)
    wide.addmm_(post, wide_readout)
    return torch.equal(back, torch.mm(logits, readout.T)) and torch.equal(
        wide[:, :p], logits.addmm(post, readout)
    )


@functools.cache
@one_thread()
def readout_may_be_transposed(pairs: int, p: int, d_mlp: int) -> bool:
    """Whether a block's share of the readout's gradient is the same in transposed memory."""
    post, logits = _numbers(pairs, d_mlp), _numbers(pairs, p)
    plain, transposed = torch.zeros(d_mlp, p), torch.zeros(p, d_mlp).T
    plain.addmm_(post.T, logits)
    transposed.addmm_(post.T, _widened(logits)[:, :p])
    return torch.equal(plain, transposed)


@functools.cache
@one_thread()
def weights_allow_both(p: int, d_model: int, d_mlp: int) -> bool:
    """Whether W_out W_U is the same beside padding, and what its transposed gradient leads to."""
    w_out, w_u, plain = _numbers(d_mlp, d_model), _numbers(d_model, p), _numbers(d_mlp, p)
    transposed, d_unembed = plain.T.contiguous().T, torch.zeros(p, d_model).T
    torch.mm(w_out.T, transposed, out=d_unembed)
    return (
        torch.equal(torch.mm(w_out, _widened(w_u))[:, :p], torch.mm(w_out, w_u))
        and torch.equal(d_unembed, torch.mm(w_out.T, plain))
        and torch.equal(transposed @ w_u.T, plain @ w_u.T)
    )


def _numbers(rows: int, columns: int) -> Tensor:
    """Always the same, and no generator of the caller's is touched."""
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))


def _widened(tensor: Tensor) -> Tensor:
    wide = torch.zeros(tensor.shape[0], padded(tensor.shape[1]))
    wide[:, : tensor.shape[1]] = tensor
    return wide
