"""A24: measures of any transformer, against weights and patterns whose answer is known."""

import math

import numpy as np
import pytest
import torch

from tdw.families.transformer import TransformerConfig
from tdw.families.transformer.initialize import init_weights
from tdw.families.transformer.measures import attention, attribution, prediction
from tdw.families.transformer.objective import Batch, log_probs, loss
from tdw.families.transformer.probe import ProbePass, probe_fingerprint, probe_pass

N_TOKENS, LENGTH = 3, 8
SHARP = 200.0


def onehot_model() -> tuple[TransformerConfig, dict[str, torch.Tensor]]:
    """Two layers, two heads, zero but for embeddings: token in dimensions 0-2, position in 3-10."""
    config = TransformerConfig(2, 2, N_TOKENS + LENGTH + N_TOKENS, N_TOKENS, LENGTH, d_head=LENGTH)
    weights = {name: torch.zeros(shape) for name, shape in config.weight_shapes.items()}
    weights["embed.W_E"][:, :N_TOKENS] = torch.eye(N_TOKENS)
    weights["pos_embed.W_pos"][:, N_TOKENS : N_TOKENS + LENGTH] = torch.eye(LENGTH)
    return config, weights


def induction_model() -> tuple[TransformerConfig, dict[str, torch.Tensor]]:
    """L0H0 copies the previous token into free dimensions; L1H1 attends to what followed the same token."""
    config, weights = onehot_model()
    tokens, free = torch.arange(N_TOKENS), torch.arange(N_TOKENS) + N_TOKENS + LENGTH
    position = torch.arange(LENGTH)
    weights["blocks.0.attn.W_Q"][0, position[1:] + N_TOKENS, position[:-1]] = SHARP
    weights["blocks.0.attn.W_K"][0, position + N_TOKENS, position] = 1.0
    weights["blocks.0.attn.W_V"][0, tokens, tokens] = 1.0
    weights["blocks.0.attn.W_O"][0, tokens, free] = 1.0
    weights["blocks.1.attn.W_Q"][1, tokens, tokens] = SHARP
    weights["blocks.1.attn.W_K"][1, free, tokens] = 1.0
    # Position 0 has no previous token, so L0H0 can only attend to position 0: that match is taken back.
    weights["blocks.1.attn.W_K"][1, N_TOKENS, :N_TOKENS] = -1.0
    weights["blocks.1.attn.W_V"][1, tokens, tokens] = 1.0
    weights["blocks.1.attn.W_O"][1, tokens, tokens] = 1.0
    weights["unembed.W_U"][tokens, tokens] = 1.0
    return config, weights


def probe_of(config: TransformerConfig, count: int = 20) -> Batch:
    drawn = torch.randint(
        config.d_vocab, (count, config.n_ctx + 1), generator=torch.Generator().manual_seed(0)
    )
    return Batch(drawn[:, :-1], drawn[:, 1:] % config.d_vocab_out)


def test_a_hand_built_previous_token_head_scores_one_and_the_others_score_chance() -> None:
    config, weights = induction_model()
    probe = probe_of(config)
    scores = attention.head_scores(probe_pass(config, weights, probe).patterns, probe.tokens)
    assert scores.previous_token[0, 0] == pytest.approx(1.0, abs=1e-6)
    # A head without weights attends evenly: query t gives 1 / (t + 1) to the one before.
    even = np.mean([1 / (t + 1) for t in range(1, LENGTH)])
    assert scores.previous_token[0, 1] == pytest.approx(even, rel=1e-6)
    assert scores.chance["previous_token"] == pytest.approx(even, rel=1e-6)
    for name in ("duplicate_token", "prefix_matching"):
        assert getattr(scores, name)[0, 1] == pytest.approx(scores.chance[name], rel=1e-5)


def test_a_hand_built_induction_head_scores_one_in_prefix_matching() -> None:
    config, weights = induction_model()
    probe = probe_of(config)
    scores = attention.head_scores(probe_pass(config, weights, probe).patterns, probe.tokens)
    assert scores.prefix_matching[1, 1] == pytest.approx(1.0, abs=1e-6)
    assert scores.prefix_matching[1, 0] == pytest.approx(scores.chance["prefix_matching"], rel=1e-5)
    assert 0.2 < scores.chance["prefix_matching"] < 0.5


def test_scores_of_given_patterns_are_counted_by_hand() -> None:
    tokens = torch.tensor([[0, 1, 0, 0]])
    pattern = torch.zeros(1, 1, 4, 4)
    pattern[0, 0] = torch.tensor(
        [[1.0, 0, 0, 0], [0.25, 0.75, 0, 0], [0.5, 0.3, 0.2, 0], [0.1, 0.2, 0.3, 0.4]]
    )
    scores = attention.head_scores([pattern], tokens)
    assert scores.previous_token[0, 0] == pytest.approx((0.25 + 0.3 + 0.3) / 3)
    # Query 2 has the same token at 0; query 3 at 0 and 2.
    assert scores.duplicate_token[0, 0] == pytest.approx((0.5 + 0.1 + 0.3) / 2)
    # Token 0 is followed at position 1 (query 2), and at 1 and 3 itself (query 3).
    assert scores.prefix_matching[0, 0] == pytest.approx((0.3 + 0.2 + 0.4) / 2)
    late = attention.head_scores([pattern], tokens, first_query=3)
    assert late.previous_token[0, 0] == pytest.approx(0.3)
    assert late.prefix_matching[0, 0] == pytest.approx(0.6)


def test_scores_do_not_depend_on_what_the_tokens_are_called() -> None:
    config, weights = induction_model()
    probe = probe_of(config)
    patterns = probe_pass(config, weights, probe).patterns
    few = attention.head_scores(patterns, probe.tokens)
    many = attention.head_scores(patterns, 1_000 - 7 * probe.tokens)  # more tokens than positions
    for name in ("duplicate_token", "prefix_matching"):
        np.testing.assert_allclose(getattr(few, name), getattr(many, name), rtol=1e-6)
    assert few.chance == many.chance


@pytest.mark.parametrize(("length", "previous"), [(1, 0.0), (2, 0.5)])
def test_a_score_without_any_query_that_has_such_a_position_is_0(length: int, previous: float) -> None:
    pattern = torch.full((3, 2, length, length), 1 / length)
    scores = attention.head_scores([pattern], torch.arange(length).expand(3, -1))
    assert scores.previous_token.tolist() == [[previous] * 2] and scores.chance["previous_token"] == previous
    for name in ("duplicate_token", "prefix_matching"):
        assert getattr(scores, name).tolist() == [[0, 0]] and scores.chance[name] == 0


def test_mean_patterns_are_the_mean_of_the_sequences_patterns() -> None:
    config, weights = induction_model()
    patterns = probe_pass(config, weights, probe_of(config)).patterns
    each = attention.sequence_patterns(patterns, count=20)
    assert each.shape == (2, 20, 2, LENGTH, LENGTH)
    np.testing.assert_allclose(attention.mean_patterns(patterns), each.mean(axis=1), atol=1e-6)
    assert attention.sequence_patterns(patterns, count=3).shape[1] == 3


def test_the_loss_by_position_averages_to_the_loss_and_falls_where_the_context_helps() -> None:
    config, weights = induction_model()
    weights["blocks.1.attn.W_O"] *= 10  # sure of itself
    period = torch.tensor([[0, 1, 2] * 3, [2, 0, 1] * 3, [1, 0, 2] * 3])
    probe = Batch(period[:, :-1], period[:, 1:])
    losses = prediction.loss_by_position(probe_pass(config, weights, probe))
    assert losses.shape == (LENGTH,)
    assert losses.mean() == pytest.approx(loss(config, weights, probe).item(), rel=1e-6)
    assert losses[4:].max() < 0.01 < 1.0 < losses[0]
    assert prediction.in_context_score(losses) == pytest.approx(losses[-1] - losses[0])


def test_an_in_context_score_takes_a_tenth_at_either_end() -> None:
    losses = np.array([2.0, 1.0] + [0.7] * 16 + [0.5, 0.1])
    assert prediction.in_context_score(losses) == pytest.approx(0.3 - 1.5)


def test_the_logit_lens_reads_ln_k_before_a_model_knows_and_its_own_loss_at_the_end() -> None:
    config, weights = induction_model()
    weights["embed.W_E"] *= 0  # nothing of the input is in the unembedding's directions before the blocks
    probed = probe_pass(config, weights, probe_of(config))
    lens = prediction.logit_lens(probed)
    assert lens.shape == (3, LENGTH)
    np.testing.assert_allclose(lens[0], math.log(N_TOKENS), rtol=1e-6)
    np.testing.assert_allclose(lens[-1], prediction.loss_by_position(probed), rtol=1e-12)


def centered_target_logits(probed: ProbePass) -> np.ndarray:
    centered = probed.logits - probed.logits.mean(dim=-1, keepdim=True)
    return centered.gather(-1, probed.probe.targets[..., None])[..., 0].mean(dim=0).numpy()


@pytest.mark.parametrize("normalization", [None, "LN", "LNPre"])
@pytest.mark.parametrize("fields", [{}, {"d_mlp": 12, "biases": True}, {"tied": True, "positions": "none"}])
def test_contributions_of_all_components_sum_to_the_logit(normalization: str | None, fields: dict) -> None:
    config = TransformerConfig(2, 2, 8, 5, 6, normalization=normalization, init_std=0.7, **fields)
    generator = torch.Generator().manual_seed(1)
    weights = {
        name: weight + 0.2 * torch.randn(weight.shape, generator=generator)
        for name, weight in init_weights(config, seed=0).items()
    }
    probed = probe_pass(config, weights, probe_of(config))
    result = attribution.direct_logit_attribution(probed)
    assert {"L0H0", "L1H1"} <= set(result.components)
    np.testing.assert_allclose(
        result.by_position.sum(axis=0), centered_target_logits(probed), rtol=1e-4, atol=1e-5
    )


def test_the_logit_of_a_hand_built_induction_model_comes_from_its_induction_head() -> None:
    config, weights = induction_model()
    period = torch.tensor([[0, 1, 2] * 3])
    probed = probe_pass(config, weights, Batch(period[:, :-1], period[:, 1:]))
    result = attribution.direct_logit_attribution(probed)
    last = dict(zip(result.components, result.by_position[:, -1], strict=True))
    # One unit on the right token, a third of it on the mean.
    assert last["L1H1"] == pytest.approx(2 / 3, abs=1e-5)
    assert last["embed"] == pytest.approx(-1 / 3, abs=1e-5)  # the embedding speaks for the present token
    assert last["L0H0"] == last["L0H1"] == last["L1H0"] == last["pos_embed"] == 0


def test_a_probe_has_a_fingerprint_of_everything_that_it_holds() -> None:
    probe = probe_of(TransformerConfig(1, 1, 4, 3, 5))
    other = Batch(probe.tokens, (probe.targets + 1) % 3)
    masked = Batch(probe.tokens, probe.targets, torch.ones_like(probe.tokens, dtype=torch.bool))
    assert len({probe_fingerprint(batch) for batch in (probe, other, masked)}) == 3


@pytest.mark.parametrize("outputs", [2, 3, 8, 9])
def test_log_probabilities_are_the_same_however_many_outputs_there_are(outputs: int) -> None:
    logits = torch.randn(5, 7, outputs, generator=torch.Generator().manual_seed(outputs)) * 20
    found = log_probs(logits)
    torch.testing.assert_close(found, logits.double().log_softmax(dim=-1), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(found, log_probs(logits.requires_grad_()).detach(), rtol=1e-14, atol=1e-14)
