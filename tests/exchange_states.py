"""State dicts as other programs save them, for the tests of import."""

from __future__ import annotations

import torch

from tdw.families import get_family

FAMILY = get_family("modulo_addition_1layer")
State = dict[str, torch.Tensor]


def hooked(seed: int = 0, p: int = 7) -> State:
    """As a HookedTransformer of TransformerLens 2 saves it: with the attention's buffers."""
    weights = FAMILY.init_weights(FAMILY.make_config(p=p, seed=seed))
    buffers = {
        "blocks.0.attn.mask": torch.ones(3, 3, dtype=torch.bool),
        "blocks.0.attn.IGNORE": torch.tensor(-1e5),
    }
    return {**weights, **buffers}


def nanda(seed: int = 0, *, last_output: float = -100.0) -> State:
    """As the repository of Nanda et al. saves it: p + 1 outputs, the last with this weight on every input.

    The residual stream of no pair is orthogonal to it: a direction that every position vector has is added.
    """
    ours = hooked(seed)
    d = ours["embed.W_E"].shape[1]
    state = {
        "embed.W_E": ours["embed.W_E"].T,
        "pos_embed.W_pos": ours["pos_embed.W_pos"],
        "blocks.0.attn.W_O": ours["blocks.0.attn.W_O"].reshape(-1, d).T,
        "blocks.0.attn.mask": torch.tril(torch.ones(3, 3)),
        "blocks.0.mlp.W_in": ours["blocks.0.mlp.W_in"].T,
        "blocks.0.mlp.b_in": ours["blocks.0.mlp.b_in"],
        "blocks.0.mlp.W_out": ours["blocks.0.mlp.W_out"].T,
        "blocks.0.mlp.b_out": ours["blocks.0.mlp.b_out"],
    }
    for letter in "QKV":
        state[f"blocks.0.attn.W_{letter}"] = ours[f"blocks.0.attn.W_{letter}"].permute(0, 2, 1)
    at_end = ours["embed.W_E"][-1] + ours["pos_embed.W_pos"][2]
    column = last_output * at_end / at_end.square().sum()
    state["unembed.W_U"] = torch.cat([ours["unembed.W_U"], column[:, None]], dim=1)
    return {name: tensor.contiguous() for name, tensor in state.items()}


def bridge(seed: int = 0) -> State:
    """As a TransformerBridge of TransformerLens 4 saves it."""
    config = FAMILY.make_config(p=7, seed=seed)
    model = FAMILY.to_transformer_lens(config, FAMILY.init_weights(config))
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
