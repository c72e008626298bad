"""From a probe pass to named arrays (A24). Importing this loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.compute import one_thread
from tdw.families.transformer.context import TransformerContext
from tdw.parameters import is_count, require
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.context import Arrays
from tdw.recipes.figure import NoParameters

SCORES = ("previous_token", "duplicate_token", "prefix_matching")


@dataclass(frozen=True)
class PatternParameters:
    """How many of the probe's sequences are kept one by one."""

    sequences: int = 4

    def __post_init__(self) -> None:
        require(is_count(self.sequences), "sequences", self.sequences, wanted="a whole number from 1 on")


@dataclass(frozen=True)
class ScoreParameters:
    """Queries before this position do not count."""

    first_query: int = 0

    def __post_init__(self) -> None:
        require(is_count(self.first_query, least=0), "first_query", self.first_query, wanted="0 or more")


def _patterns(context: TransformerContext, parameters: PatternParameters) -> Arrays:
    from tdw.families.transformer.measures import attention

    with one_thread():
        probe = context.probe
        return {
            "mean": attention.mean_patterns(probe.patterns),
            # The sequence first: an explorer reads one of them alone.
            "sequences": np.ascontiguousarray(
                attention.sequence_patterns(probe.patterns, count=parameters.sequences).swapaxes(0, 1)
            ),
            "tokens": probe.probe.tokens[: parameters.sequences].cpu().numpy(),
        }


def _scores(context: TransformerContext, parameters: ScoreParameters) -> Arrays:
    from tdw.families.transformer.measures import attention

    with one_thread():
        probe = context.probe
        scores = attention.head_scores(probe.patterns, probe.probe.tokens, first_query=parameters.first_query)
    chance = np.array([scores.chance[name] for name in SCORES])
    return {**{name: getattr(scores, name) for name in SCORES}, "chance": chance}


def _lens(context: TransformerContext, parameters: NoParameters) -> Arrays:
    from tdw.families.transformer.measures import prediction

    with one_thread():
        losses = prediction.logit_lens(context.probe)
    return {"loss": np.ascontiguousarray(losses[:, context.counted])}


def _attribution(context: TransformerContext, parameters: NoParameters) -> Arrays:
    from tdw.families.transformer.measures import attribution

    with one_thread():
        found = attribution.direct_logit_attribution(context.probe)
    return {"logit": np.ascontiguousarray(found.by_position[:, context.counted])}


def _describe_scores(arrays: Arrays) -> Metadata:
    return {f"highest {name.replace('_', ' ')}": round(float(arrays[name].max()), 4) for name in SCORES}


def _describe_lens(arrays: Arrays) -> Metadata:
    return {"probe loss": round(float(arrays["loss"][-1].mean()), 6)}


PATTERNS = Analyzer(
    name="attention_patterns",
    title="Attention patterns",
    description="""\
How much each head attends from every position (query) to every earlier one (key), 0 to 1: averaged over the
probe's sequences, and in some of them one by one. Stored as 16-bit floats.
""",
    code_version="2",
    parameters=PatternParameters,
    function=_patterns,
    arrays={
        "mean": "float32 (n_layers, n_heads, n_ctx, n_ctx), [layer, head, query, key], mean over sequences",
        "sequences": "float32 (n, n_layers, n_heads, n_ctx, n_ctx), the first n sequences of the probe",
        "tokens": "int64 (n, n_ctx), their tokens",
    },
    half=("mean", "sequences"),
)
HEAD_SCORES = Analyzer(
    name="head_scores",
    title="Head scores",
    description="""\
What each head looks at, 0 to 1, averaged over queries: *previous token* is the attention to the position
before the query; *duplicate token* that to earlier positions with the query's token; *prefix matching*
that to positions just after an earlier occurrence of the query's token, where an induction head looks
([Olsson et al. 2022](https://arxiv.org/abs/2209.11895)). `chance` is the score of a head that attends evenly.
""",
    code_version="2",
    parameters=ScoreParameters,
    function=_scores,
    arrays={
        "{previous_token,duplicate_token,prefix_matching}": "float64 (n_layers, n_heads), [layer, head]",
        "chance": "float64 (3,), of an even head, in the order of the scores above",
    },
    describe=_describe_scores,
)
LENS = Analyzer(
    name="logit_lens",
    title="Loss by position and depth",
    description="""\
Cross-entropy in nats at each position that counts, averaged over the probe, if the residual stream before
block *i* is read out directly (the *logit lens*, nostalgebraist 2020); the last row is the model's own loss.
""",
    code_version="1",
    parameters=NoParameters,
    function=_lens,
    arrays={"loss": "float64 (n_layers + 1, counted), [depth, position], nats"},
    describe=_describe_lens,
)
ATTRIBUTION = Analyzer(
    name="logit_attribution",
    title="Direct logit attribution",
    description="""\
What each component writes straight into the logit of the right token, above the mean logit, averaged over the
probe. The final residual stream is a sum of components and the logits are linear in it, with layer norm's
scale as it was in the pass ([Elhage et al. 2021](https://transformer-circuits.pub/2021/framework)).
""",
    code_version="2",
    parameters=NoParameters,
    function=_attribution,
    arrays={"logit": "float64 (components, counted), [component, position]; L0H1 is head 1 of layer 0"},
)
ANALYZERS = (PATTERNS, HEAD_SCORES, LENS, ATTRIBUTION)
