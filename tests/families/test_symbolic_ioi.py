"""F3: indirect object identification in symbols: all sequences, training, composition and copying."""

import math

import numpy as np
import pytest
import torch

from tdw.compute import one_thread
from tdw.errors import BadConfig
from tdw.families.symbolic_ioi import Config, ablations, data, model
from tdw.families.symbolic_ioi.config import token_labels
from tdw.families.transformer import TransformerConfig, bridge, network
from tdw.families.transformer.measures.circuits import copying_score, ov_circuits


def train(config: Config, steps: int) -> dict[str, torch.Tensor]:
    weights = model.init_weights(config)
    optimizer = model.make_optimizer(config, weights)
    with one_thread():
        for step in range(steps):
            model.loss_and_gradients(config, weights, step)
            optimizer.step()
    return weights


def test_the_sequences_are_all_there_are_and_ask_for_the_name_that_is_not_repeated() -> None:
    batch = data.sequences(Config(0))
    assert batch.tokens.shape == (60, 5)
    assert len({tuple(row) for row in batch.tokens.tolist()}) == 60
    for (bos, a, b, s, mid), answer in zip(batch.tokens.tolist(), batch.targets[:, -1].tolist(), strict=True):
        assert (bos, mid) == (6, 7)
        assert a != b
        assert {s, answer} == {a, b}
    assert token_labels(Config(0)) == ("A", "B", "C", "D", "E", "F", "<BOS>", "<MID>")


def test_the_loss_of_a_model_without_weights_is_that_of_a_guess() -> None:
    config = Config(0)
    weights = {name: torch.zeros_like(weight) for name, weight in model.init_weights(config).items()}
    assert model.loss_and_gradients(config, weights) == pytest.approx(math.log(6))


def test_two_layers_learn_the_task_and_need_what_the_first_layer_wrote() -> None:
    config = Config(0)
    weights = train(config, 150)
    assert model.evaluate(config, weights) == {"accuracy": 1.0}
    whole = ablations.without_composition(config, weights, through=None)
    assert whole.accuracy == 1.0
    assert whole.loss == pytest.approx(model.loss_and_gradients(config, weights), rel=1e-5)
    outcomes = [ablations.without_composition(config, weights, through=letter) for letter in ("q", "k", "v")]
    assert max(outcome.loss for outcome in outcomes) > 10 * whole.loss
    assert min(outcome.accuracy for outcome in outcomes) < 1.0


def test_ablating_nothing_is_the_model_itself_with_neurons_and_layer_norms_too() -> None:
    config = Config(0, d_mlp=9, activation="gelu", normalization="LN", d_head=5, positions="none")
    weights = {name: weight + 0.1 for name, weight in model.init_weights(config).items()}
    whole = ablations.without_composition(config, weights, through=None)
    assert whole.loss == pytest.approx(model.loss_and_gradients(config, weights), rel=1e-5)


def test_ablating_composition_changes_nothing_in_one_layer() -> None:
    config = Config(1, n_layers=1, n_heads=2, init_std=0.5)
    weights = model.init_weights(config)
    whole = ablations.without_composition(config, weights, through=None)
    for replacement in ("zero", "mean"):
        for letter in ("q", "k", "v"):
            assert (
                ablations.without_composition(config, weights, through=letter, replacement=replacement)
                == whole
            )


def test_an_input_without_composition_sees_the_embedding_or_the_mean() -> None:
    config = Config(1, init_std=0.5)
    weights = model.init_weights(config)
    shape, batch = config.transformer, data.sequences(config)
    embedded = network.embed(shape, weights, batch.tokens)
    stream = network.block(shape, weights, 0, embedded)
    written = stream - embedded
    for replacement, seen in (("zero", embedded), ("mean", embedded + written.mean(dim=0))):
        after = stream + network.attention(shape, weights, 1, (stream, seen, stream))
        logits = after[:, -1].double() @ weights["unembed.W_U"].double()
        expected = torch.nn.functional.cross_entropy(logits, batch.targets[:, -1]).item()
        outcome = ablations.without_composition(config, weights, through="k", replacement=replacement)
        assert outcome.loss == pytest.approx(expected, rel=1e-5)


def test_the_copying_score_is_one_for_a_head_that_copies_and_zero_for_one_that_suppresses() -> None:
    rotation = np.array([[0.0, -1.0], [1.0, 0.0]])  # eigenvalues i and -i
    circuits = np.stack([np.eye(2), -np.eye(2), np.diag([3.0, -1.0]), rotation, np.zeros((2, 2))])
    np.testing.assert_allclose(copying_score(circuits), [1, 0, 0.75, 0, np.nan], atol=1e-12)


def test_ov_circuits_are_what_attending_to_a_token_adds_to_the_logits() -> None:
    config = TransformerConfig(2, 3, 12, 5, 4, d_vocab_out=6)
    weights = {name: torch.randn(shape) for name, shape in config.weight_shapes.items()}
    circuits = ov_circuits(config, weights)
    assert circuits.shape == (2, 3, 5, 6)
    head = weights["blocks.1.attn.W_V"][2] @ weights["blocks.1.attn.W_O"][2]
    expected = weights["embed.W_E"][4] @ head @ weights["unembed.W_U"]
    np.testing.assert_allclose(circuits[1, 2, 4], expected, rtol=1e-4, atol=1e-4)


def test_the_model_opens_in_transformer_lens() -> None:
    config = Config(0, init_std=0.3)
    weights, tokens = model.init_weights(config), data.sequences(config).tokens
    theirs = bridge.to_transformer_lens(config.transformer, weights)(tokens)
    ours = network.logits(config.transformer, weights, tokens)
    assert (ours - theirs).norm() < 1e-5 * theirs.norm()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"n_names": 1}, "n_names from 2"),
        ({"n_heads": 5}, "not divisible"),
        ({"init_std": 0}, "init_std is 0"),
    ],
)
def test_a_variant_that_cannot_be_used_is_refused(fields: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        Config(**{"seed": 0, **fields})
