"""Tables over tokens, from the weights and back: the linear algebra around the mix (see `mix.py`).

Forward, with U = [x_a - x_end; x_b - x_end; x_end] the 2 p + 1 residual inputs, of both positions and of "=":

    V = U W_V                 values, (2 p + 1, H d_head)
    R_h = W_O,h [W_in | W_U]  what a head's output does to neurons and logits, (d_head, M)
    T_h = V_h R_h             tables, (2 p + 1, M): through d_head, a quarter of the work of W_V W_O first
    base = x_end [W_in | W_U] + sum_h T_h[last]
    s = U (W_K q), q = x_end W_Q / sqrt(d_head)      scores relative to the score of "="

The backward pass is the same products transposed, written out here: it costs a third of autograd's, and its
results go straight to where the optimizer reads them.

Each product is written so that its sums have the order that they always had: stored variants go on with the
same bits. Where padding and transposing would change it, there is none (`padding.py`).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import table_kernels
from tdw.families.modulo_addition_1layer.model.padding import (
    padded,
    readout_may_be_transposed,
    weights_allow_both,
)
from tdw.recipes.family import Weights

F32 = npt.NDArray[np.float32]
_LANES = 16  # float32 in a vector register; rows are padded to it


class Arrays(NamedTuple):
    """The buffers that the kernels read and add to, as numpy arrays over the same memory."""

    tables: F32
    base: F32
    scores: F32
    d_tables: F32
    d_base: F32
    d_scores: F32


class Tables:
    """Buffers for the tables of one configuration, and the products that fill them and go back.

    Attributes:
        tables: (H, 2 p + 1, M); columns are neurons, then logits, then padding (zero).
        base: (M,).
        scores: (2 p, H).
        readout: (d_mlp, L), W_out W_U, then padding (zero). L is p, or a multiple of 8.
        d_tables, d_base, d_scores, d_readout: their gradients; d_readout (d_mlp, p), mostly transposed in
            memory. Clear with `clear_gradients`.
        arrays: most of these, for the kernels.
    """

    def __init__(self, config: Config, blocks: Collection[int] = ()) -> None:
        """Numbers of pairs in the blocks that add to the gradients: `blocks`."""
        p, d, h, e, d_mlp = config.p, config.d_model, config.n_heads, config.d_head, config.d_mlp
        self._p, self._d_mlp, self._n_heads, self._d_head = p, d_mlp, h, e
        width = -(-(d_mlp + p) // _LANES) * _LANES
        fast = weights_allow_both(p, d, d_mlp)
        columns = padded(p) if fast else p
        by_column = fast and all(readout_may_be_transposed(pairs, p, d_mlp) for pairs in set(blocks))
        self.tables = torch.zeros(h, 2 * p + 1, width)
        self.base = torch.zeros(width)
        self.scores = torch.zeros(2 * p, h)
        self.readout = torch.zeros(d_mlp, columns)
        self.d_tables, self.d_base = torch.zeros_like(self.tables), torch.zeros_like(self.base)
        self.d_scores, self.d_readout = torch.zeros_like(self.scores), _zeros(d_mlp, p, by_column=by_column)
        self.arrays = Arrays(
            *_arrays(self.tables, self.base, self.scores, self.d_tables, self.d_base, self.d_scores)
        )
        self._into = torch.zeros(d, width)  # [W_in | W_U | 0]
        self._unembed = torch.zeros(d, columns)  # [W_U | 0]
        self._inputs = torch.zeros(2 * p + 1, d)  # U
        self._at_end, self._of_tokens = self._inputs[2 * p], self._inputs[: 2 * p]
        self._to_query, self._to_value = torch.zeros(d, h * e), torch.zeros(d, h * e)
        self._values = torch.zeros(2 * p + 1, h * e)  # V
        self._values_of_head = self._values.view(-1, h, e).permute(1, 0, 2)
        self._through = torch.zeros(h * e, width)  # R
        self._query = torch.zeros(h, e)  # of "=", the only one that is read
        self._d_through, self._d_into = torch.zeros_like(self._through), torch.zeros_like(self._into)
        self._d_to_value, self._d_inputs = torch.zeros_like(self._to_value), torch.zeros_like(self._inputs)
        self._d_unembed = _zeros(d, p, by_column=by_column)
        self._laid_out = _arrays(self._inputs, self._to_query, self._to_value, self._into, self._unembed)
        self._for_weights = _arrays(
            self._inputs, self._query, self._d_inputs, self._d_to_value, self._d_into, self._d_unembed
        )

    def fill(self, weights: Weights) -> None:
        """Compute tables, base, scores and readout."""
        h, e = self._n_heads, self._d_head
        table_kernels.lay_out(*_arrays(*(weights[name] for name in _LAID_OUT)), *self._laid_out)
        torch.mm(self._inputs, self._to_value, out=self._values)
        torch.mm(weights["blocks.0.attn.W_O"].view(h * e, -1), self._into, out=self._through)
        torch.bmm(self._values_of_head, self._through.view(h, e, -1), out=self.tables)
        torch.mv(self._into.T, self._at_end, out=self.base)
        self.base += self.tables[:, 2 * self._p].sum(dim=0)
        torch.mv(self._to_query.T, self._at_end, out=self._query.view(-1)).div_(math.sqrt(e))
        self._key = torch.bmm(weights["blocks.0.attn.W_K"], self._query[:, :, None])[:, :, 0].T
        torch.mm(self._of_tokens, self._key, out=self.scores)
        torch.mm(weights["blocks.0.mlp.W_out"], self._unembed, out=self.readout)

    def clear_gradients(self) -> None:
        """Set the gradients that the loop over pairs adds to, to zero."""
        for gradient in (self.d_tables, self.d_base, self.d_scores, self.d_readout):
            gradient.zero_()

    def gradients(self, weights: Weights) -> dict[str, Tensor]:
        """Gradients of the weights, by name, from those of tables, base, scores and readout."""
        p, h, e = self._p, self._n_heads, self._d_head
        w_q, w_k = weights["blocks.0.attn.W_Q"], weights["blocks.0.attn.W_K"]
        w_o, w_out = weights["blocks.0.attn.W_O"].view(h * e, -1), weights["blocks.0.mlp.W_out"]
        into, d_inputs, d_base = self._into, self._d_inputs, self.d_base
        self.d_tables[:, 2 * p] = d_base  # the row of "=" reaches every pair through the base
        d_values = torch.bmm(self.d_tables, self._through.view(h, e, -1).transpose(1, 2))
        d_values = d_values.permute(1, 0, 2).reshape(2 * p + 1, h * e)
        torch.bmm(self._values_of_head.transpose(1, 2), self.d_tables, out=self._d_through.view(h, e, -1))
        d_w_o = (self._d_through @ into.T).view(h, e, -1)
        torch.mm(w_o.T, self._d_through, out=self._d_into).addr_(self._at_end, d_base)
        torch.mm(self._inputs.T, d_values, out=self._d_to_value)
        torch.mm(d_values, self._to_value.T, out=d_inputs)
        # scores = inputs key, key = W_K query, query = x_end W_Q / sqrt(d_head)
        of_tokens = d_inputs[: 2 * p].addmm_(self.d_scores, self._key.T)
        d_key = self.d_scores.T @ self._of_tokens  # (H, d_model)
        d_query = torch.bmm(d_key[:, None], w_k)[:, 0].div_(math.sqrt(e))
        d_from_query = torch.mv(w_q.permute(1, 2, 0).reshape(-1, h * e), d_query.T.reshape(-1))
        torch.mm(w_out.T, self.d_readout, out=self._d_unembed)
        written = {name: torch.empty_like(weights[name]) for name in _WITHOUT_PRODUCT}
        table_kernels.of_weights(
            *self._for_weights,
            *_arrays(of_tokens.view(2, p, -1).sum(dim=1), into @ d_base, d_from_query, d_query, d_key),
            *_arrays(*written.values()),
        )
        return {
            **written,
            "blocks.0.attn.W_O": d_w_o,
            "blocks.0.mlp.W_out": self.d_readout @ weights["unembed.W_U"].T,
        }


_LAID_OUT = (
    "embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_Q", "blocks.0.attn.W_V", "blocks.0.mlp.W_in",
    "unembed.W_U",
)  # fmt: skip
"""Weights that `table_kernels.lay_out` reads, in its order."""

_WITHOUT_PRODUCT = (
    "embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_Q", "blocks.0.attn.W_K", "blocks.0.attn.W_V",
    "blocks.0.mlp.W_in", "unembed.W_U",
)  # fmt: skip
"""Weights whose gradients `table_kernels.of_weights` writes, in its order."""


def _arrays(*tensors: Tensor) -> tuple[F32, ...]:
    return tuple(tensor.detach().numpy() for tensor in tensors)


def _zeros(rows: int, columns: int, *, by_column: bool) -> Tensor:
    """(rows, columns), row after row in memory, or column after column."""
    return torch.zeros(columns, rows).T if by_column else torch.zeros(rows, columns)
