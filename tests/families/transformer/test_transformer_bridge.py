"""F2: the kit's forward pass agrees with TransformerLens on every named activation."""

import pytest
import torch

from tdw.errors import BadConfig
from tdw.families.transformer import TransformerConfig, bridge, network
from tdw.families.transformer.initialize import init_weights

PER_LAYER = (
    "hook_resid_pre",
    "attn.hook_q",
    "attn.hook_k",
    "attn.hook_v",
    "attn.hook_pattern",
    "attn.hook_z",
    "hook_attn_out",
    "hook_resid_post",
)
OF_MLP = ("hook_resid_mid", "mlp.hook_pre", "mlp.hook_post", "hook_mlp_out")
OF_NORM = ("hook_scale", "hook_normalized")


def random_weights(config: TransformerConfig, seed: int = 0) -> dict[str, torch.Tensor]:
    """Every weight away from 0 and 1, biases and layer norms included."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: weight + 0.3 * torch.randn(weight.shape, generator=generator)
        for name, weight in init_weights(config, seed=seed).items()
    }


def relative_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).norm() / theirs.norm().clamp_min(1e-30)).item()


def tokens_of(config: TransformerConfig) -> torch.Tensor:
    return torch.randint(config.d_vocab, (5, config.n_ctx), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("n_layers", [0, 1, 2, 3])
@pytest.mark.parametrize("d_mlp", [0, 24])
@pytest.mark.parametrize("normalization", [None, "LN", "LNPre"])
@pytest.mark.parametrize(
    "rest", [{}, {"biases": True, "tied": True}, {"positions": "none", "d_vocab_out": 4}]
)
def test_logits_and_every_activation_agree_with_transformer_lens(
    n_layers: int, d_mlp: int, normalization: str | None, rest: dict
) -> None:
    config = TransformerConfig(
        n_layers,
        3,
        16,
        7,
        6,
        d_head=5,
        d_mlp=d_mlp,
        normalization=normalization,
        activation="gelu_new",
        **rest,
    )
    weights, tokens = random_weights(config), tokens_of(config)
    cache: network.Cache = {}
    with torch.no_grad():
        ours = network.logits(config, weights, tokens, cache=cache)
        logits, theirs = bridge.to_transformer_lens(config, weights).run_with_cache(tokens)
    assert relative_difference(ours, logits) < 1e-5
    required = {
        f"blocks.{i}.{name}" for i in range(n_layers) for name in PER_LAYER + (OF_MLP if d_mlp else ())
    }
    if normalization:
        norms = [f"blocks.{i}.ln{j}" for i in range(n_layers) for j in ((1, 2) if d_mlp else (1,))]
        required |= {f"{norm}.{name}" for norm in [*norms, "ln_final"] for name in OF_NORM}
    required |= {"hook_embed"} | ({"hook_pos_embed"} if config.positions == "learned" else set())
    assert required <= cache.keys() & theirs.keys()
    # TransformerLens 4.3's native models fire this hook after the softmax; their q and k say what it means.
    for layer in range(n_layers):
        scores = cache.pop(f"blocks.{layer}.attn.hook_attn_scores")
        q, k = (theirs[f"blocks.{layer}.attn.hook_{x}"] for x in "qk")
        past = torch.ones(6, 6, dtype=torch.bool).tril()
        expected = torch.einsum("bthe,bshe->bhts", q, k) / 5**0.5
        assert relative_difference(scores[..., past], expected[..., past]) < 1e-5
        assert torch.equal(scores[..., ~past], torch.full_like(scores[..., ~past], -torch.inf))
    assert cache.keys() == required
    for name, activation in cache.items():
        assert activation.shape == theirs[name].shape, name
        assert relative_difference(activation, theirs[name]) < 1e-5, name


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
def test_the_other_activations_agree_with_transformer_lens(activation: str) -> None:
    config = TransformerConfig(1, 2, 8, 5, 4, d_mlp=16, activation=activation)
    weights, tokens = random_weights(config), tokens_of(config)
    theirs = bridge.to_transformer_lens(config, weights)(tokens)
    assert relative_difference(network.logits(config, weights, tokens), theirs) < 1e-5


def test_a_bridge_that_transformer_lens_cannot_build_is_refused_with_the_reason() -> None:
    config = TransformerConfig(1, 2, 8, 5, 4, d_mlp=16, activation="square")
    with pytest.raises(BadConfig, match="no activation 'square'"):
        bridge.to_transformer_lens(config, init_weights(config, seed=0))


def test_a_hooked_transformers_state_dict_becomes_our_weights() -> None:
    config = TransformerConfig(2, 2, 8, 5, 4, d_mlp=16, normalization="LN", tied=True)
    weights = random_weights(config)
    state = {
        **weights,
        "blocks.0.attn.mask": torch.ones(4, 4),
        "blocks.1.attn.b_Q": torch.zeros(2, 4),
        "unembed.W_U": weights["embed.W_E"].T,
    }
    loaded = bridge.weights_from_state_dict(config, state)
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


def test_a_foreign_state_dict_is_refused_with_every_reason() -> None:
    config = TransformerConfig(1, 2, 8, 5, 4, tied=True)
    state = init_weights(TransformerConfig(1, 2, 8, 6, 4), seed=0)
    state["blocks.0.attn.b_Q"] = torch.ones(2, 4)
    state["blocks.1.attn.W_Q"] = state.pop("blocks.0.attn.W_Q")
    with pytest.raises(BadConfig) as caught:
        bridge.weights_from_state_dict(config, state)
    for reason in (
        "embed.W_E: shape (6, 8), expected (5, 8)",
        "unembed.W_U: not the transposed embedding",
        "b_Q: not zero",
        "blocks.1.attn.W_Q: unknown",
        "blocks.0.attn.W_Q: missing",
    ):
        assert reason in str(caught.value)
