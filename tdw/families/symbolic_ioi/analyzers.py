"""Composition between layers by ablation, and what heads copy. Importing this loads no torch."""

from __future__ import annotations

from typing import cast

import numpy as np

from tdw.compute import one_thread
from tdw.families.symbolic_ioi.config import Config
from tdw.families.transformer.context import TransformerContext
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.context import Arrays
from tdw.recipes.figure import NoParameters

INPUTS = ("none", "q", "k", "v")
REPLACEMENTS = ("zero", "mean")
TEMPLATES = ("ABA", "ABB")


def _composition(context: TransformerContext, parameters: NoParameters) -> Arrays:
    import torch

    from tdw.families.symbolic_ioi.ablations import Letter, without_composition

    weights = {name: torch.as_tensor(array) for name, array in context.weights.items()}
    loss, accuracy = np.empty((2, len(REPLACEMENTS), len(INPUTS)))
    with one_thread():
        for i, replacement in enumerate(REPLACEMENTS):
            for j, name in enumerate(INPUTS):
                through: Letter | None = None if name == "none" else name
                config = cast("Config", context.config)
                found = without_composition(config, weights, through=through, replacement=replacement)
                loss[i, j], accuracy[i, j] = found.loss, found.accuracy
    return {"loss": loss, "accuracy": accuracy}


def _copying(context: TransformerContext, parameters: NoParameters) -> Arrays:
    import torch

    from tdw.families.transformer.measures.circuits import copying_score, ov_circuits

    shape = context.config.transformer
    weights = {name: torch.as_tensor(array) for name, array in context.weights.items()}
    with one_thread():
        # The names are the first tokens, and the outputs.
        circuits = ov_circuits(shape, weights)[:, :, : shape.d_vocab_out]
        return {"score": copying_score(circuits), "circuit": circuits}


def _templates(context: TransformerContext, parameters: NoParameters) -> Arrays:
    from tdw.families.transformer.objective import cross_entropy

    probed = context.probe
    tokens, answers, last = probed.probe.tokens, probed.probe.targets[:, -1], probed.logits[:, -1]
    with one_thread():
        right = (last.argmax(dim=-1) == answers).double()
        losses = cross_entropy(last, answers)
        first = tokens[:, 1] == tokens[:, 3]
        return {
            "loss": np.array([losses[each].mean().item() for each in (first, ~first)]),
            "accuracy": np.array([right[each].mean().item() for each in (first, ~first)]),
        }


def _describe(arrays: Arrays) -> Metadata:
    accuracy = dict(zip(INPUTS, arrays["accuracy"][REPLACEMENTS.index("mean")], strict=True))
    return {f"accuracy without {name}": round(float(value), 4) for name, value in accuracy.items()}


COMPOSITION = Analyzer(
    name="composition",
    title="Composition by ablation",
    description="""\
Loss and accuracy when the queries, keys or values of the later layers no longer see what earlier heads wrote.
The residual stream itself stays, so the other inputs and the unembedding still see it. What was written is
left out (`zero`) or replaced by its mean over all sequences, position by position (`mean`). A model of one
layer has no composition, and nothing changes.
""",
    code_version="1",
    parameters=NoParameters,
    function=_composition,
    arrays={"{loss,accuracy}": "float64 (2, 4), [zero mean, none q k v]; loss in nats"},
    describe=_describe,
)
COPYING = Analyzer(
    name="copying",
    title="What heads copy",
    description="""\
The OV circuit of each head from name to name, W_E W_V W_O W_U, and its copying score: the positive share of
its eigenvalues, 1 for a head that raises the logit of the name it attends to, 0 for one that lowers it
([Elhage et al. 2021](https://transformer-circuits.pub/2021/framework)).
""",
    code_version="1",
    parameters=NoParameters,
    function=_copying,
    arrays={
        "score": "float64 (n_layers, n_heads), [layer, head]",
        "circuit": "float64 (n_layers, n_heads, n_names, n_names), [layer, head, from, to]",
    },
)
TEMPLATES_ANALYZER = Analyzer(
    name="templates",
    title="Accuracy by template",
    description="""\
Accuracy and loss of the two templates apart: in *ABA* the first name is repeated, so the answer is the
second; in *ABB* it is the other way round.
""",
    code_version="1",
    parameters=NoParameters,
    function=_templates,
    arrays={"{loss,accuracy}": "float64 (2,), [ABA ABB]; loss in nats"},
)
ANALYZERS = (COMPOSITION, COPYING, TEMPLATES_ANALYZER)
