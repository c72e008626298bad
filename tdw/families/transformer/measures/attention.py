"""Attention patterns, and what heads do by where they look.

A score is the attention that falls on a kind of position, averaged over the queries that have such a position
(after Olsson et al. 2022, "In-context Learning and Induction Heads", arXiv:2209.11895). A head that attends
evenly has a score above 0, which `HeadScores.chance` gives.

Patterns are given layer by layer, each (sequences, n_heads, query, key).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeadScores:
    """Scores of every head, float64 (n_layers, n_heads), 0-1; 0 where no query has such a position.

    So it is in contexts of one token, or without a repeated one: attention has nothing to fall on.

    Attributes:
        previous_token: attention to the position before the query.
        duplicate_token: attention to earlier positions with the query's token.
        prefix_matching: attention to positions just after an earlier occurrence of the query's token, which
            is what an induction head looks at. Where a token is repeated, its second position is one.
        chance: of a head that attends evenly to all positions up to the query, by the same names.
    """

    previous_token: Float64
    duplicate_token: Float64
    prefix_matching: Float64
    chance: dict[str, float]


def mean_patterns(patterns: Sequence[Tensor]) -> Float32:
    """Attention averaged over sequences, (n_layers, n_heads, query, key)."""
    means: list[Float32] = []
    for layer in patterns:
        share = torch.full((len(layer),), 1 / len(layer), device=layer.device)
        means.append((share @ layer.flatten(1)).view(layer.shape[1:]).cpu().numpy())
    return np.stack(means)


def sequence_patterns(patterns: Sequence[Tensor], *, count: int) -> Float32:
    """Attention in each of the first `count` sequences, (n_layers, count, n_heads, query, key)."""
    return np.stack([layer[:count].cpu().numpy() for layer in patterns])


def head_scores(patterns: Sequence[Tensor], tokens: Tensor, *, first_query: int = 0) -> HeadScores:
    """Where every head looks.

    Args:
        patterns: of each layer.
        tokens: int64 (sequences, positions).
        first_query: queries before this position do not count, for scores late in the context.
    """
    labels, onehot = _onehot(tokens)
    # How often the query's token came before it: such a query has duplicates, and positions after them.
    earlier = onehot.cumsum(dim=1).gather(-1, labels)[..., 0] - 1
    positions = torch.arange(tokens.shape[1], device=tokens.device)
    counted = ((earlier > 0) & (positions >= first_query)).flatten().nonzero()[:, 0]
    first = max(first_query, 1)  # that has a previous token
    # Attention by the key's token and by the token before the key, in one product; then those of the query's
    # token are picked. No mask as large as the patterns is needed.
    both = torch.cat([onehot, functional.pad(onehot[:, :-1], (0, 0, 1, 0))], dim=-1)[:, None]
    scores: dict[str, list[Float64]] = {"previous_token": [], "duplicate_token": [], "prefix_matching": []}
    for pattern in patterns:
        before = pattern.diagonal(offset=-1, dim1=-2, dim2=-1)[..., first - 1 :]
        scores["previous_token"].append(_mean(before, (0, -1)))
        same, after = _product(pattern, both).chunk(2, dim=-1)
        duplicates = _of_query(same, labels) - pattern.diagonal(dim1=-2, dim2=-1)
        scores["duplicate_token"].append(_mean_over_queries(duplicates, counted))
        scores["prefix_matching"].append(_mean_over_queries(_of_query(after, labels), counted))
    even = earlier / (positions + 1)
    evenly = float(_mean(even.flatten()[counted]))
    return HeadScores(
        **{name: np.stack(layers) for name, layers in scores.items()},
        chance={
            "previous_token": float(_mean((1 / (positions + 1.0))[first:])),
            "duplicate_token": evenly,
            "prefix_matching": evenly,
        },
    )


def _onehot(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Labels int64 (sequences, positions, 1), equal where tokens are, and their one-hot form, float32."""
    labels, size = tokens, int(tokens.max()) + 1
    if size > tokens.shape[1]:
        # The first position of a token is a label too, and there are fewer of them.
        labels = (tokens[:, :, None] == tokens[:, None, :]).to(torch.uint8).argmax(dim=-1)
        size = tokens.shape[1]
    return labels[..., None], functional.one_hot(labels, size).to(torch.float32)


def _product(pattern: Tensor, both: Tensor) -> Tensor:
    """Attention by label, (sequences, n_heads, query, labels)."""
    if pattern.device.type != "cpu":
        return pattern @ both
    # For many small products with few columns numpy's library is the faster one.
    return torch.as_tensor(np.matmul(pattern.numpy(), both.numpy()))


def _of_query(by_label: Tensor, labels: Tensor) -> Tensor:
    """Of attention by label (..., query, labels), that to the query's own label: (..., query)."""
    return by_label.gather(-1, labels[:, None].expand(*by_label.shape[:-1], 1))[..., 0]


def _mean_over_queries(attention: Tensor, counted: Tensor) -> Float64:
    """Mean over some queries, by their places in all sequences joined; by head, float64 (n_heads,)."""
    return _mean(attention.transpose(0, 1).flatten(1).index_select(1, counted))


def _mean(values: Tensor, over: tuple[int, ...] = (-1,)) -> Float64:
    """Mean over some axes, float64; 0 where there is nothing to take it of."""
    if not values.numel():
        return values.double().sum(dim=over).cpu().numpy()
    return values.double().mean(dim=over).cpu().numpy()
