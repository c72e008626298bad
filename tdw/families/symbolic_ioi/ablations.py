"""Composition between layers, measured: take away from queries, keys or values what earlier blocks wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from tdw.families.symbolic_ioi.config import Config
from tdw.families.symbolic_ioi.model import batch_on
from tdw.families.transformer import network
from tdw.families.transformer.network import Weights
from tdw.families.transformer.objective import cross_entropy

Letter = Literal["q", "k", "v"]
Replacement = Literal["zero", "mean"]


@dataclass(frozen=True)
class Outcome:
    """Loss in nats and accuracy (0-1) at the last position, over all sequences."""

    loss: float
    accuracy: float


@torch.no_grad()
def without_composition(
    config: Config, weights: Weights, *, through: Letter | None, replacement: Replacement = "mean"
) -> Outcome:
    """The model's outcome when one input of the later layers no longer sees what earlier blocks wrote.

    The residual stream itself is left as it is, so the other two inputs and the unembedding still see it.
    A model of one layer has no composition, and nothing changes.

    Args:
        config: the variant.
        weights: by HookedTransformer name.
        through: the input that is ablated, of queries, keys or values; None ablates nothing.
        replacement: "zero" leaves embedding and position; "mean" puts the mean over all sequences, position
            by position, in the place of what earlier blocks wrote.
    """
    shape, batch = config.transformer, batch_on(config, weights["embed.W_E"].device)
    embedded = network.embed(shape, weights, batch.tokens)
    stream = embedded
    for layer in range(shape.n_layers):
        ablated = embedded
        if replacement == "mean":
            ablated = embedded + (stream - embedded).mean(dim=0)
        seen = (ablated if letter == through else stream for letter in ("q", "k", "v"))
        q, k, v = (network.normalize(shape, weights, f"blocks.{layer}.ln1", each) for each in seen)
        stream = stream + network.attention(shape, weights, layer, (q, k, v))
        if shape.d_mlp:
            normed = network.normalize(shape, weights, f"blocks.{layer}.ln2", stream)
            stream = stream + network.mlp(shape, weights, layer, normed)
    logits, answers = network.unembed(shape, weights, stream[:, -1]), batch.targets[:, -1]
    return Outcome(
        loss=cross_entropy(logits, answers).mean().item(),
        accuracy=(logits.argmax(dim=-1) == answers).double().mean().item(),
    )
