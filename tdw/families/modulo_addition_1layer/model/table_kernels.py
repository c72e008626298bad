"""What surrounds the products of `tables.py`: copies, sums and outer products, in one pass each.

As calls into PyTorch they would be twenty, each with its code and arrays gone from the cache by then. The
operations are PyTorch's, in its order, so the bits are the same.
"""

# numba's decorators are untyped.
# pyright: reportUntypedFunctionDecorator=false

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.model.kernels import in_order

F32 = npt.NDArray[np.float32]


@in_order
def lay_out(
    embed: F32, position: F32, w_q: F32, w_v: F32, w_in: F32, w_u: F32,
    inputs: F32, to_query: F32, to_value: F32, into: F32, unembed: F32,
) -> None:  # fmt: skip
    """Bring weights into the layouts that the products read.

    Args:
        embed: W_E (p + 1, d_model).
        position: W_pos (3, d_model).
        w_q, w_v: (H, d_model, d_head).
        w_in: (d_model, d_mlp).
        w_u: (d_model, p).
        inputs: out (2 p + 1, d_model), U.
        to_query, to_value: out (d_model, H d_head), the same as w_q and w_v.
        into: out (d_model, M), [W_in | W_U]; the columns after them stay.
        unembed: out (d_model, p or more), W_U; the columns after it stay.
    """
    p, d_mlp = w_u.shape[1], w_in.shape[1]
    heads, d_model, d_head = w_q.shape
    for m in range(d_model):
        inputs[2 * p, m] = embed[p, m] + position[2, m]
    for t in range(p):
        for m in range(d_model):
            inputs[t, m] = embed[t, m] + (position[0, m] - inputs[2 * p, m])
            inputs[p + t, m] = embed[t, m] + (position[1, m] - inputs[2 * p, m])
    for h in range(heads):
        for d in range(d_model):
            for e in range(d_head):
                to_query[d, h * d_head + e] = w_q[h, d, e]
                to_value[d, h * d_head + e] = w_v[h, d, e]
    for d in range(d_model):
        for m in range(d_mlp):
            into[d, m] = w_in[d, m]
        for m in range(p):
            into[d, d_mlp + m] = w_u[d, m]
            unembed[d, m] = w_u[d, m]


@in_order
def of_weights(
    inputs: F32, query: F32, d_inputs: F32, d_to_value: F32, d_into: F32, d_unembed: F32,
    sums: F32, d_from_base: F32, d_from_query: F32, d_query: F32, d_key: F32,
    d_embed: F32, d_position: F32, d_q: F32, d_k: F32, d_v: F32, d_in: F32, d_u: F32,
) -> None:  # fmt: skip
    """Gradients of the weights that need no product any more.

    Args:
        inputs: (2 p + 1, d_model), U.
        query: (H, d_head).
        d_inputs: (2 p + 1, d_model), but for what reaches x_end otherwise.
        sums: (2, d_model), of `d_inputs` over tokens at positions 0 and 1.
        d_from_base, d_from_query: (d_model,), what reaches x_end by the base and by the query.
        d_query, d_key: (H, d_head), (H, d_model).
        d_to_value: (d_model, H d_head).
        d_into: (d_model, M).
        d_unembed: (d_model, p), what reaches W_U by the readout.
        d_embed, d_position, d_q, d_k, d_v, d_in, d_u: out, each in its weight's shape.
    """
    p, d_mlp = d_u.shape[1], d_in.shape[1]
    heads, d_model, d_head = d_q.shape
    for t in range(p):
        for m in range(d_model):
            d_embed[t, m] = d_inputs[t, m] + d_inputs[p + t, m]
    for m in range(d_model):
        d_end = d_inputs[2 * p, m] - sums[0, m] - sums[1, m] + d_from_base[m] + d_from_query[m]
        d_embed[p, m] = d_position[2, m] = d_end
        d_position[0, m] = sums[0, m]
        d_position[1, m] = sums[1, m]
    for h in range(heads):
        for d in range(d_model):
            for e in range(d_head):
                d_q[h, d, e] = inputs[2 * p, d] * d_query[h, e]
                d_k[h, d, e] = d_key[h, d] * query[h, e]
                d_v[h, d, e] = d_to_value[d, h * d_head + e]
    for d in range(d_model):
        for m in range(d_mlp):
            d_in[d, m] = d_into[d, m]
        for m in range(p):
            d_u[d, m] = d_into[d, d_mlp + m] + d_unembed[d, m]
