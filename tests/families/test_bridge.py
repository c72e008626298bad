"""T7: our forward pass agrees with TransformerLens on every named activation, for every modulus."""

import numpy as np
import pytest
import torch

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.model import bridge, network
from tdw.families.modulo_addition_1layer.model.data import probe_tokens

FAMILY = get_family("modulo_addition_1layer")
AT_ALL_POSITIONS = ("hook_k", "hook_v")


def briefly_trained(config: Config, steps: int) -> dict[str, torch.Tensor]:
    """Weights after a few large steps: no longer random, attention no longer uniform."""
    weights = FAMILY.init_weights(config)
    objective = FAMILY.objective(config, form="plain")
    optimizer = torch.optim.AdamW([weights[name] for name in Config.trained], lr=5e-3, weight_decay=1.0)
    for _ in range(steps):
        objective.loss_and_gradients(weights)
        optimizer.step()
    return weights


def relative_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).norm() / theirs.norm().clamp_min(1e-30)).item()


@pytest.mark.parametrize(("p", "steps"), [(5, 0), (5, 30), (11, 0), (11, 30), (59, 0), (59, 10)])
def test_logits_and_every_activation_agree_with_transformer_lens(p: int, steps: int) -> None:
    config = Config(p, 7)
    weights = briefly_trained(config, steps)
    tokens = torch.as_tensor(probe_tokens(config))
    model = FAMILY.to_transformer_lens(config, weights)
    with torch.no_grad():
        their_logits, cache = model.run_with_cache(tokens)
        ours = network.activations(weights, tokens[:, 0], tokens[:, 1])
        gathered = network.logits(weights, tokens[:, 0], tokens[:, 1])
    assert relative_difference(ours.pop("logits"), their_logits[:, -1]) < 1e-5
    assert relative_difference(gathered, their_logits[:, -1]) < 1e-5
    # TransformerLens 4.3's native models fire this hook after the softmax; their q and k say what it means.
    their_q, their_k = cache["blocks.0.attn.hook_q"][:, -1], cache["blocks.0.attn.hook_k"]
    their_scores = torch.einsum("nhe,nshe->nhs", their_q, their_k) / 32**0.5
    assert relative_difference(ours.pop("blocks.0.attn.hook_attn_scores"), their_scores) < 1e-5
    for name, activation in ours.items():
        theirs = cache[name]
        if name.endswith("hook_pattern"):
            theirs = theirs[:, :, -1]
        elif not name.endswith(AT_ALL_POSITIONS):
            theirs = theirs[:, -1] if theirs.shape[0] == len(tokens) else theirs[-1, -1].expand_as(activation)
        assert activation.shape == theirs.shape, name
        assert relative_difference(activation, theirs) < 1e-5, name


def test_the_probe_pass_is_the_cache_of_transformer_lens_by_neuron_and_head() -> None:
    config = Config(13, 3)
    weights = briefly_trained(config, 20)
    _, cache = FAMILY.to_transformer_lens(config, weights).run_with_cache(
        torch.as_tensor(probe_tokens(config))
    )
    probe = FAMILY.probe_pass(config, weights)
    post = cache["blocks.0.mlp.hook_post"][:, -1].detach().numpy()
    pattern = cache["blocks.0.attn.hook_pattern"][:, :, -1].detach().numpy()
    np.testing.assert_allclose(
        probe.mlp_post, post.T.reshape(512, 13, 13), rtol=0, atol=1e-5 * np.abs(post).max()
    )
    np.testing.assert_allclose(
        probe.attention, pattern.transpose(1, 2, 0).reshape(4, 3, 13, 13), rtol=0, atol=1e-5
    )


def test_the_usual_weight_names_of_the_bridge_hold_our_weights() -> None:
    config = Config(5, 0)
    weights = FAMILY.init_weights(config)
    model = FAMILY.to_transformer_lens(config, weights)
    for name in ("Q", "K", "V", "O"):
        assert torch.equal(getattr(model, f"W_{name}")[0], weights[f"blocks.0.attn.W_{name}"])


def test_a_hooked_transformers_state_dict_becomes_our_weights() -> None:
    config = Config(5, 0)
    weights = FAMILY.init_weights(config)
    state = {**weights, "blocks.0.attn.mask": torch.ones(3, 3), "blocks.0.attn.IGNORE": torch.tensor(-1e5)}
    del state["unembed.b_U"]
    loaded = bridge.weights_from_state_dict(config, state)
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


def test_a_foreign_state_dict_is_refused_with_every_reason() -> None:
    config = Config(5, 0)
    state = FAMILY.init_weights(Config(7, 0))
    state["blocks.0.mlp.b_in"] += 1
    state["blocks.1.mlp.W_in"] = state.pop("blocks.0.mlp.W_in")
    with pytest.raises(BadConfig) as caught:
        bridge.weights_from_state_dict(config, state)
    for reason in (
        "embed.W_E: shape (8, 128), expected (6, 128)",
        "b_in: not zero",
        "blocks.1.mlp.W_in: unknown",
        "blocks.0.mlp.W_in: missing",
    ):
        assert reason in str(caught.value)
