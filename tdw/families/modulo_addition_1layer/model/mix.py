"""The fast form: pre-activations and skipped logits of all pairs without an (N, d_model, d_mlp) product.

At "=", attention's output is a mix of values that depend on one token each, with weights that depend on the
pair. Everything up to the ReLU is linear in it, so the mix may be taken after W_in instead of before: with
x_a, x_b and x_end the residual stream before attention, w the attention, and W = [W_in | W_U],

    [pre | skip](a, b) = x_end W + sum_h (w_a x_a + w_b x_b + w_end x_end) W_V,h W_O,h W
                       = base + sum_h w_a A_h[a] + w_b B_h[b]

because w_end = 1 - w_a - w_b lets x_end be subtracted from both others: A_h = (x_a - x_end) W_V,h W_O,h W and
B_h likewise are tables over p tokens (`tables.py`), and a pair costs 2 H (d_mlp + p) multiplications. Then
logits = skip + relu(pre) (W_out W_U): three products of (N, d_mlp, p) with the backward pass, which now are
half of the time. The function is that of `network.py`; only the rounding differs.

Pairs are ordered so that a dozen rows of a stay in the cache while each row of b is fetched once for all of
them, and go through forward pass, loss and backward pass in blocks whose activations stay there too.
"""

from __future__ import annotations

import numpy as np
import torch

from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import kernels
from tdw.families.modulo_addition_1layer.model.data import Indices, labels, split
from tdw.families.modulo_addition_1layer.model.padding import block_may_be_padded
from tdw.families.modulo_addition_1layer.model.probe_types import ProbePass
from tdw.families.modulo_addition_1layer.model.tables import Tables
from tdw.recipes.family import Form, Weights

_BLOCK = 384  # pairs: their activations and gradients, 2 x 0.8 MB, stay in a core's cache
_TILE = 12  # rows of a between which a row of b is used again


class MixObjective:
    """The training objective in the numba form, on the CPU."""

    form: Form = "numba"

    def __init__(self, config: Config) -> None:
        train, test = (_ordered(index, config.p) for index in split(config))
        self._tables = Tables(config, [len(part) for part in _parts(train)])
        self._buffers = _Buffers(config, self._tables)
        self._train = [_Block(config, part, self._buffers) for part in _parts(train)]
        self._test = [_Block(config, part, self._buffers) for part in _parts(test)]
        self._n_train, self._n_test = len(train), len(test)

    @torch.no_grad()
    def loss_and_gradients(self, weights: Weights, epoch: int = 0) -> float:
        """See Objective."""
        tables = self._tables
        tables.fill(weights)
        tables.clear_gradients()
        loss = 0.0
        for block in self._train:
            block.forward(tables)
            loss += kernels.loss_and_gradient(
                block.logits_, block.peak, block.exps_, block.answers, self._n_train
            )
            block.backward(tables)
        for name, gradient in tables.gradients(weights).items():
            weights[name].grad = gradient
        return loss / self._n_train

    @torch.no_grad()
    def metrics(self, weights: Weights) -> tuple[float, float]:
        """See Objective."""
        self._tables.fill(weights)
        loss, hits = 0.0, 0
        for block in self._test:
            block.forward(self._tables)
            more = kernels.loss_and_hits(block.logits_, block.peak, block.exps_, block.answers)
            loss, hits = loss + more[0], hits + more[1]
        return loss / self._n_test, hits / self._n_test


@torch.no_grad()
def mix_probe_pass(config: Config, weights: Weights) -> ProbePass:
    """The probe pass in the numba form: the same mix for every cell of the grid, written neuron by neuron."""
    p, d_mlp = config.p, config.d_mlp
    tables = Tables(config)
    tables.fill(weights)
    scores = torch.zeros(config.n_heads, 3, p, p)
    scores[:, 0] = tables.scores.T[:, :p, None]
    scores[:, 1] = tables.scores.T[:, None, p:]
    attention = scores.softmax(dim=1).numpy()
    by_neuron = tables.tables[:, p : 2 * p, :d_mlp].transpose(1, 2).contiguous()
    post = np.empty((d_mlp, p, p), np.float32)
    kernels.grid_activations(by_neuron.numpy(), tables.tables.numpy(), tables.base.numpy(), attention, post)

    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    return ProbePass(mlp_post=post, attention=attention, weights=arrays)


class _Buffers:
    """Memory for one block, used by all of them in turn."""

    def __init__(self, config: Config, tables: Tables) -> None:
        self.attention = torch.empty(_BLOCK, config.n_heads, 2)
        self.post = torch.empty(_BLOCK, config.d_mlp)
        self.d_post = torch.empty(_BLOCK, config.d_mlp)
        self.logits = torch.zeros(_BLOCK, tables.readout.shape[1])
        self.exps = torch.empty(_BLOCK, config.p, dtype=torch.float64)
        self.peak = np.empty(_BLOCK)


class _Block:
    """Some pairs, and their share of the buffers."""

    def __init__(self, config: Config, index: Indices, buffers: _Buffers) -> None:
        n = len(index)
        self.a, self.b = np.divmod(index, config.p)
        self.answers = labels(config, index)
        self.attention, self.post, self.d_post = buffers.attention[:n], buffers.post[:n], buffers.d_post[:n]
        width = buffers.logits.shape[1]
        self._plain = width > config.p and not block_may_be_padded(n, config.p, config.d_mlp)
        self._padded = torch.zeros(n, config.p) if self._plain else buffers.logits[:n]
        self.logits = self._padded[:, : config.p]
        self.exps, self.peak = buffers.exps[:n], buffers.peak[:n]
        # The same memory for the kernels: making these views costs as much as a small kernel.
        self.attention_, self.post_, self.d_post_ = (
            tensor.numpy() for tensor in (self.attention, self.post, self.d_post)
        )
        self.logits_, self.exps_ = self._padded.numpy(), self.exps.numpy()

    def forward(self, tables: Tables) -> None:
        """Fill attention, activations, logits and exp(logits - peak)."""
        t = tables.arrays
        kernels.attention_weights(t.scores, self.a, self.b, self.attention_)
        kernels.mix_forward(t.tables, t.base, self.attention_, self.a, self.b, self.post_, self.logits_)
        self._padded.addmm_(self.post, self._readout(tables))
        kernels.subtract_peak(self.logits_, self.peak, self.exps_)
        self.exps.exp_()

    def backward(self, tables: Tables) -> None:
        """Add to the tables' gradients; `logits` hold their gradient."""
        t = tables.arrays
        tables.d_readout.addmm_(self.post.T, self.logits)
        torch.mm(self.logits, self._readout(tables)[:, : self.logits.shape[1]].T, out=self.d_post)
        kernels.mix_backward(
            t.tables, self.attention_, self.a, self.b, self.post_, self.d_post_, self.logits_,
            t.d_tables, t.d_base, t.d_scores,
        )  # fmt: skip

    def _readout(self, tables: Tables) -> torch.Tensor:
        return tables.readout[:, : self.logits.shape[1]].contiguous() if self._plain else tables.readout


def _ordered(index: Indices, p: int) -> Indices:
    """By tile of a, then b, then a."""
    a, b = np.divmod(index, p)
    return index[np.lexsort((a, b, a // _TILE))]


def _parts(index: Indices) -> list[Indices]:
    return [index[start : start + _BLOCK] for start in range(0, len(index), _BLOCK)]
