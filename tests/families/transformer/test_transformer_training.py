"""F2, T5: training of the kit is exact from any saved state."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tdw.compute import one_thread
from tdw.errors import BadConfig, CorruptFile
from tdw.families.transformer import TransformerConfig, network
from tdw.families.transformer.initialize import init_weights
from tdw.families.transformer.objective import Batch, loss, loss_and_gradients
from tdw.families.transformer.streams import step_generator
from tdw.optimizers import OptimizerConfig
from tdw.optimizers.optimizer import Optimizer


def batch_of(config: TransformerConfig, seed: int, step: int) -> Batch:
    generator = step_generator("test", seed, step)
    sequences = torch.randint(config.d_vocab_out, (4, config.n_ctx + 1), generator=generator)
    mask = torch.rand((4, config.n_ctx), generator=generator) < 0.5 if config.loss == "mask" else None
    if mask is not None:
        mask[0, 0] = True
    return Batch(sequences[:, :-1] % config.d_vocab, sequences[:, 1:], mask)


def make_optimizer(
    config: TransformerConfig, settings_: OptimizerConfig, weights: dict[str, torch.Tensor]
) -> Optimizer:
    return Optimizer(
        settings_,
        weights,
        trained=config.trained,
        matrices=config.hidden_matrices,
        hidden=config.hidden_matrices,
    )


def advance(
    config: TransformerConfig, weights: dict[str, torch.Tensor], optimizer: Optimizer, steps: int
) -> list[tuple[float, Batch]]:
    """Train for some steps; the loss and the batch of each."""
    seen = []
    for _ in range(steps):
        batch = batch_of(config, 3, optimizer.steps)
        seen.append((loss_and_gradients(config, weights, batch), batch))
        optimizer.step()
    return seen


@st.composite
def configs(draw: st.DrawFn) -> TransformerConfig:
    vocab = draw(st.integers(2, 5))
    tied = draw(st.booleans())
    scheme = draw(st.sampled_from(["normal", "gpt2", "torch"]))
    return TransformerConfig(
        n_layers=draw(st.integers(0, 3)),
        n_heads=draw(st.integers(1, 3)),
        d_model=draw(st.sampled_from([4, 7])),
        d_vocab=vocab,
        n_ctx=draw(st.integers(1, 5)),
        d_head=draw(st.integers(1, 4)),
        d_mlp=draw(st.sampled_from([0, 6])),
        d_vocab_out=vocab if tied else draw(st.integers(2, 5)),
        activation=draw(st.sampled_from(["relu", "gelu", "gelu_new", "silu", "square"])),
        normalization=draw(st.sampled_from([None, "LN", "LNPre"])),
        positions=draw(st.sampled_from(["learned", "none"])),
        tied=tied,
        biases=draw(st.booleans()),
        init_scheme=scheme,
        init_std=None if scheme == "torch" else draw(st.sampled_from([None, 0.1, 0.5])),
        loss=draw(st.sampled_from(["all", "last", "mask"])),
    )


optimizer_configs = st.builds(
    OptimizerConfig,
    name=st.sampled_from(["AdamW", "Adam", "SGD", "Muon"]),
    lr=st.sampled_from([1e-3, 1e-2]),
    weight_decay=st.sampled_from([0.0, 0.1]),
    momentum=st.sampled_from([0.0, 0.9]),
    decay=st.sampled_from(["all", "matrices"]),
    clip=st.sampled_from([None, 0.5]),
    warmup=st.integers(0, 3),
    schedule=st.sampled_from(["constant", "cosine"]),
    total=st.just(7),
)


@settings(max_examples=60, deadline=None)
@given(config=configs(), settings_=optimizer_configs, stop=st.integers(0, 5), seed=st.integers(0, 2**40))
def test_training_that_goes_on_from_any_saved_state_gives_the_same_bits(
    config: TransformerConfig, settings_: OptimizerConfig, stop: int, seed: int
) -> None:
    with one_thread():
        straight = init_weights(config, seed=seed)
        optimizer = make_optimizer(config, settings_, straight)
        seen = advance(config, straight, optimizer, 6)

        stopped = init_weights(config, seed=seed)
        first = make_optimizer(config, settings_, stopped)
        advance(config, stopped, first, stop)
        saved = {name: weight.numpy().copy() for name, weight in stopped.items()}
        state = {name: array.copy() for name, array in first.state_arrays().items()}
        del stopped, first

        resumed = {name: torch.tensor(array) for name, array in saved.items()}
        second = make_optimizer(config, settings_, resumed)
        second.load_state_arrays(state, steps=stop)
        again = advance(config, resumed, second, 6 - stop)
    assert resumed.keys() == straight.keys()
    for name, weight in straight.items():
        assert weight.numpy().tobytes() == resumed[name].numpy().tobytes(), name
    ended, expected = second.state_arrays(), optimizer.state_arrays()
    assert ended.keys() == expected.keys()
    assert all(ended[name].tobytes() == expected[name].tobytes() for name in expected)
    for (one, batch), (other, same) in zip(seen[stop:], again, strict=True):
        assert one == other
        assert torch.equal(batch.tokens, same.tokens)
        assert torch.equal(batch.targets, same.targets)


def test_a_state_without_its_moments_would_not_give_the_same_bits() -> None:
    config, settings_ = TransformerConfig(1, 1, 4, 3, 4), OptimizerConfig(lr=1e-2)
    outcomes = []
    for kept in (True, False):
        weights = init_weights(config, seed=0)
        first = make_optimizer(config, settings_, weights)
        advance(config, weights, first, 3)
        second = make_optimizer(config, settings_, weights)
        second.steps = first.steps
        if kept:
            second.load_state_arrays(first.state_arrays(), steps=3)
        advance(config, weights, second, 1)
        outcomes.append(weights["embed.W_E"].clone())
    assert not torch.equal(*outcomes)


def test_a_state_of_other_shapes_is_refused() -> None:
    config, settings_ = TransformerConfig(1, 1, 4, 3, 4), OptimizerConfig()
    weights = init_weights(config, seed=0)
    optimizer = make_optimizer(config, settings_, weights)
    advance(config, weights, optimizer, 1)
    state = optimizer.state_arrays()
    with pytest.raises(CorruptFile, match="fits no trained weight"):
        optimizer.load_state_arrays({**state, "exp_avg/embed.W_E": np.zeros((9, 4), np.float32)}, steps=1)
    with pytest.raises(CorruptFile, match=r"lacks exp_avg/embed\.W_E"):
        optimizer.load_state_arrays({n: state[n] for n in state if not n.endswith("W_E")}, steps=1)


@pytest.mark.parametrize("positions", ["all", "last", "mask"])
def test_the_loss_is_the_mean_over_the_positions_that_count(positions: str) -> None:
    config = TransformerConfig(2, 2, 8, 5, 6, d_mlp=8, normalization="LN", loss=positions)
    weights = init_weights(config, seed=1)
    batch = batch_of(config, 0, 0)
    log_p = network.logits(config, weights, batch.tokens).double().log_softmax(-1)
    every = -log_p.gather(-1, batch.targets[..., None])[..., 0]
    counted = {
        "all": every,
        "last": every[:, -1],
        "mask": every[batch.mask] if batch.mask is not None else None,
    }
    assert loss(config, weights, batch).item() == pytest.approx(counted[positions].mean().item(), rel=1e-6)


def test_gradients_are_the_slopes_of_the_loss() -> None:
    config = TransformerConfig(
        2, 2, 6, 4, 5, d_mlp=7, normalization="LN", biases=True, tied=True, init_std=0.5
    )
    weights = {name: weight.double() for name, weight in init_weights(config, seed=2).items()}
    batch = batch_of(config, 0, 0)
    loss_and_gradients(config, weights, batch)
    generator = torch.Generator().manual_seed(0)
    for name, weight in weights.items():
        direction = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        ahead, behind = (
            loss(config, {**weights, name: weight + sign * 1e-5 * direction}, batch).item()
            for sign in (1, -1)
        )
        slope = (weight.grad * direction).sum().item()
        assert slope == pytest.approx((ahead - behind) / 2e-5, rel=1e-5, abs=1e-8), name


def test_only_the_loss_mask_takes_a_mask_and_needs_one() -> None:
    masked = TransformerConfig(1, 1, 4, 3, 4, loss="mask")
    batch = batch_of(masked, 0, 0)
    weights = init_weights(masked, seed=0)
    with pytest.raises(BadConfig, match="but the batch has none"):
        loss(masked, weights, Batch(batch.tokens, batch.targets))
    with pytest.raises(BadConfig, match="the loss is 'all'"):
        loss(TransformerConfig(1, 1, 4, 3, 4), weights, batch)


def test_a_step_has_the_same_batch_whenever_it_is_asked_for_and_another_one_than_its_neighbors() -> None:
    config = TransformerConfig(1, 1, 4, 5, 8)
    later = batch_of(config, 0, 7).tokens
    assert torch.equal(later, batch_of(config, 0, 7).tokens)
    for seed, step in ((0, 6), (0, 8), (1, 6), (1, 7)):
        assert not torch.equal(later, batch_of(config, seed, step).tokens)


def test_the_initialization_is_that_of_hooked_transformer_for_a_seed() -> None:
    from tdw.families.modulo_addition_1layer.config import Config
    from tdw.families.modulo_addition_1layer.model.network import init_weights as published

    config = TransformerConfig(1, 4, 128, 12, 3, d_mlp=512, d_vocab_out=11)
    ours, theirs = init_weights(config, seed=999), published(Config(11, 999))
    assert all(torch.equal(ours[name], theirs[name]) for name in Config.trained)


def test_initialization_schemes_have_the_spread_they_promise() -> None:
    shape = {"n_layers": 2, "n_heads": 4, "d_model": 64, "d_vocab": 500, "n_ctx": 8, "d_mlp": 256}
    torch_like = init_weights(TransformerConfig(**shape, init_scheme="torch"), seed=0)
    assert torch_like["embed.W_E"].std().item() == pytest.approx(1.0, rel=0.02)
    for name, inputs in (("attn.W_O", 64), ("mlp.W_out", 256), ("attn.W_Q", 64)):
        weight = torch_like[f"blocks.1.{name}"]
        assert weight.abs().max().item() <= inputs**-0.5
        assert weight.std().item() == pytest.approx((3 * inputs) ** -0.5, rel=0.02)
    gpt2 = init_weights(TransformerConfig(**shape, init_scheme="gpt2", init_std=0.02), seed=0)
    assert gpt2["blocks.0.attn.W_Q"].std().item() == pytest.approx(0.02, rel=0.02)
    assert gpt2["blocks.0.mlp.W_out"].std().item() == pytest.approx(0.01, rel=0.02)


def test_only_matrices_decay_where_that_is_asked_for() -> None:
    config = TransformerConfig(1, 1, 4, 3, 4, normalization="LN", biases=True)
    weights = init_weights(config, seed=0)
    before = {name: weight.clone() for name, weight in weights.items()}
    optimizer = make_optimizer(config, OptimizerConfig(lr=0.1, weight_decay=0.5, decay="matrices"), weights)
    for weight in weights.values():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for name in weights:
        factor = 0.95 if name in config.hidden_matrices else 1.0
        assert torch.allclose(weights[name], before[name] * factor, rtol=1e-6), name


def test_gradients_are_clipped_by_their_global_norm() -> None:
    weights = {"a": torch.zeros(2), "b": torch.zeros(1)}
    weights["a"].grad, weights["b"].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    Optimizer(OptimizerConfig(name="SGD", lr=1.0, clip=1.0), weights, trained=["a", "b"]).step()
    assert torch.allclose(weights["a"], torch.tensor([-0.6, 0.0]), atol=1e-6)
    assert torch.allclose(weights["b"], torch.tensor([-0.8]), atol=1e-6)


def test_the_learning_rate_warms_up_and_falls_to_zero_along_a_cosine() -> None:
    settings_ = OptimizerConfig(lr=2.0, warmup=4, schedule="cosine", total=14)
    assert [settings_.lr_at(step) for step in (0, 1, 3, 4)] == [0.5, 1.0, 2.0, 2.0]
    assert settings_.lr_at(9) == pytest.approx(1.0)
    assert settings_.lr_at(14) == pytest.approx(0.0, abs=1e-15)
    assert OptimizerConfig(lr=2.0, warmup=2).lr_at(100) == 2.0


def test_adamw_is_torchs_own() -> None:
    config = TransformerConfig(2, 2, 8, 5, 6, d_mlp=8)
    ours, theirs = init_weights(config, seed=1), init_weights(config, seed=1)
    reference = torch.optim.AdamW(theirs.values(), lr=1e-2, weight_decay=0.3, betas=(0.9, 0.95))
    optimizer = make_optimizer(config, OptimizerConfig(lr=1e-2, weight_decay=0.3, betas=(0.9, 0.95)), ours)
    for step in range(3):
        for weights in (ours, theirs):
            loss_and_gradients(config, weights, batch_of(config, 0, step))
        optimizer.step()
        reference.step()
    assert all(torch.allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-7) for name in ours)


def test_muon_orthogonalizes_the_joined_heads_and_embeddings_move_as_under_adamw() -> None:
    config = TransformerConfig(1, 2, 8, 5, 6)
    weights = init_weights(config, seed=1)
    before = {name: weight.clone() for name, weight in weights.items()}
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.linalg.qr(torch.randn(8, 8, generator=generator))[0] for _ in range(2))
    joined = left @ torch.diag(torch.linspace(0.3, 1.0, 8)) @ right  # (d_model, heads x d_head)
    for weight in weights.values():
        weight.grad = torch.full_like(weight, 0.5)
    weights["blocks.0.attn.W_Q"].grad = joined.unflatten(1, (2, 4)).transpose(0, 1).contiguous()
    weights["blocks.0.attn.W_O"].grad = joined.unflatten(0, (2, 4)).contiguous()
    make_optimizer(config, OptimizerConfig(name="Muon", lr=1e-2, momentum=0.9), weights).step()
    moved = {name: (before[name] - weights[name]) / 1e-2 for name in weights}
    scale = 0.2 * math.sqrt(8)
    for update in (
        moved["blocks.0.attn.W_Q"].transpose(0, 1).flatten(1) / scale,
        moved["blocks.0.attn.W_O"].flatten(0, 1) / scale,
    ):
        # Newton-Schulz keeps the directions and brings every singular value near 1, where the gradient's
        # were 0.3 to 1.
        rotated = left.T @ update @ right.T
        assert torch.allclose(rotated.diagonal(), torch.ones(8), atol=0.4)
        assert (rotated - rotated.diagonal().diag()).abs().max() < 0.05
    assert torch.allclose(moved["embed.W_E"], torch.ones(5, 8), rtol=1e-4)
