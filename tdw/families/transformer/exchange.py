"""What a family of the kit offers of TransformerLens and of other people's checkpoints, as its declaration
names it. Importing this loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tdw.families.transformer.context import HasTransformer
from tdw.known_settings import under_known_settings
from tdw.recipes.family import Weights

if TYPE_CHECKING:
    import torch


@under_known_settings
def to_transformer_lens(config: HasTransformer, weights: Weights) -> Any:
    """A TransformerBridge with these weights; BadConfig where TransformerLens has no such model."""
    from tdw.families.transformer import bridge

    return bridge.to_transformer_lens(config.transformer, weights)


@under_known_settings
def weights_from_state_dict(config: HasTransformer, state: Weights) -> dict[str, torch.Tensor]:
    """Weights from a HookedTransformer's state dict; BadConfig lists what does not fit."""
    from tdw.families.transformer import bridge

    return bridge.weights_from_state_dict(config.transformer, state)


def state_dict_layout(config: HasTransformer, state: Weights) -> str:
    """The layout that is read."""
    return "HookedTransformer"
