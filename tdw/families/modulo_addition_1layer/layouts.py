"""State dicts of other programs under HookedTransformer's names and shapes, which we store.

Three layouts are known by their names and shapes: TransformerLens 1-3 (HookedTransformer), TransformerLens 4
(TransformerBridge, torch.nn.Linear's weights joined over the heads), and the repository of Nanda et al. 2023
(github.com/neelnanda-io/Grokking: embedding and MLP transposed, heads as (head, d_head, d_model), W_O with
the heads joined). The conversions only transpose and reshape, so no number changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import network
from tdw.families.modulo_addition_1layer.model.data import probe_tokens

HOOKED, BRIDGE, NANDA = "HookedTransformer", "TransformerBridge", "Nanda et al. 2023"
SHARE = 1e-6
"""Of the probability, at most, that an output may have to be dropped: the rounding of float32 logits."""


def layout_of(config: Config, state: Mapping[str, Tensor]) -> str:
    """The layout's name, with a note when there is an output for "=" too."""
    name = HOOKED
    if "embed.weight" in state:
        name = BRIDGE
    elif _is_transposed(config, state):
        name = NANDA
    unembed = to_hooked(config, state, name).get("unembed.W_U")
    extra = unembed is not None and unembed.dim() == 2 and unembed.shape[1] == config.p + 1
    return f"{name}, without the output of =" if extra else name


def _is_transposed(config: Config, state: Mapping[str, Tensor]) -> bool:
    """Whether matrices are as Nanda et al. 2023 have them; with square ones, any that is not square tells."""
    for name in ("blocks.0.attn.W_Q", "embed.W_E", "blocks.0.mlp.W_in"):
        own = config.weight_shapes[name]
        if own[-1] != own[-2] and name in state:
            return tuple(state[name].shape) == (*own[:-2], own[-1], own[-2])
    return False


def convert(config: Config, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under our names; those that no layout knows keep theirs, for the checks to refuse.

    Raises:
        BadConfig: there is an output for "=" whose probability is not negligible.
    """
    name = layout_of(config, state).split(",")[0]
    return _drop_last_output(config, to_hooked(config, state, name))


def to_hooked(config: Config, state: Mapping[str, Tensor], layout: str) -> dict[str, Tensor]:
    """Names and shapes of HookedTransformer. A tensor that can't be converted stays as it is."""
    if layout == BRIDGE:
        return _from_bridge(config, state)
    if layout == NANDA:
        return _from_nanda(config, state)
    return dict(state)


def _from_bridge(config: Config, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    h, d, e = config.n_heads, config.d_model, config.d_head
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        *path, kind = name.split(".")
        part = path[-1] if path else ""
        weight = kind == "weight"
        if name in ("embed.weight", "pos_embed.weight"):
            found["embed.W_E" if part == "embed" else "pos_embed.W_pos"] = tensor
        elif part in ("q", "k", "v") and tensor.numel() == h * e * (d if weight else 1):
            shaped = tensor.reshape(h, e, d).permute(0, 2, 1) if weight else tensor.reshape(h, e)
            found[f"blocks.0.attn.{'W' if weight else 'b'}_{part.upper()}"] = shaped
        elif part == "o" and (not weight or tuple(tensor.shape) == (d, h * e)):
            found[f"blocks.0.attn.{'W' if weight else 'b'}_O"] = (
                _transposed(tensor).reshape(h, e, d) if weight else tensor
            )
        elif part in ("in", "out"):
            found[f"blocks.0.mlp.{'W' if weight else 'b'}_{part}"] = _transposed(tensor) if weight else tensor
        elif part == "unembed":
            found[f"unembed.{'W' if weight else 'b'}_U"] = _transposed(tensor) if weight else tensor
        else:
            found[name] = tensor
    return found


def _transposed(tensor: Tensor) -> Tensor:
    """A matrix transposed; what is no matrix stays, for the checks to refuse."""
    return tensor.T if tensor.dim() == 2 else tensor


def _from_nanda(config: Config, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    h, d, e = config.n_heads, config.d_model, config.d_head
    found = dict(state)
    for name in ("embed.W_E", "blocks.0.mlp.W_in", "blocks.0.mlp.W_out"):
        if name in state and state[name].dim() == 2:
            found[name] = state[name].T
    for letter in "QKV":
        name = f"blocks.0.attn.W_{letter}"
        if name in state and state[name].dim() == 3:
            found[name] = state[name].permute(0, 2, 1)
    name = "blocks.0.attn.W_O"
    if name in state and tuple(state[name].shape) == (d, h * e):
        found[name] = state[name].T.reshape(h, e, d)
    return found


def _drop_last_output(config: Config, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the output for "=", where that changes no probability of the others beyond rounding."""
    p, unembed, bias = config.p, state.get("unembed.W_U"), state.get("unembed.b_U")
    if unembed is None or tuple(unembed.shape) != (config.d_model, p + 1):
        return state
    here = {name: tensor.detach().to("cpu", torch.float32) for name, tensor in state.items()}
    shapes = {**config.weight_shapes, "unembed.W_U": (config.d_model, p + 1)}
    if any(name not in here or tuple(here[name].shape) != shapes[name] for name in config.trained):
        return state  # refused by name, with all that does not fit
    pairs = torch.as_tensor(probe_tokens(config))
    with torch.no_grad():
        logits = network.logits(here, pairs[:, 0], pairs[:, 1], activation=config.activation).double()
        share = float(logits.softmax(dim=-1)[:, p].max())
    if not share <= SHARE:
        raise BadConfig(
            f'unembed.W_U has {p + 1} outputs; the last, for "=", has up to {share:.3g} of the probability',
            f"a model of {config.key} has {p} outputs: dropping that one would change its losses",
        )
    dropped = {**state, "unembed.W_U": unembed[:, :p]}
    if bias is not None and tuple(bias.shape) == (p + 1,):
        dropped["unembed.b_U"] = bias[:p]
    return dropped
