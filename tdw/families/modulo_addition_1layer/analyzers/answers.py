"""A18: which pairs are answered right, with what confidence, and the accuracy on each answer."""

from __future__ import annotations

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.learning.graduation import accuracy_by_class, answers_of_pairs
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.summary import NoParameters


def compute(context: CheckpointContext, parameters: NoParameters) -> Arrays:
    """`right`, `probability`, `accuracy_by_class`; see `ANALYZER`."""
    right, probability = answers_of_pairs(context.probe.logits, context.labels.answers)
    train = context.labels.train.reshape(right.shape)
    return {
        "right": right,
        "train": train,
        "probability": probability,
        "accuracy_by_class": np.nan_to_num(accuracy_by_class(right, train, context.labels.answers), nan=-1.0),
    }


def describe(arrays: Arrays) -> Metadata:
    """Shares of the pairs that are right."""
    right, train = arrays["right"], arrays["train"]
    return {
        "train_accuracy": float(right[train].mean()),
        "test_accuracy": float(right[~train].mean()) if (~train).any() else float("nan"),
    }


ANALYZER = Analyzer(
    name="answers",
    title="Answers to every pair",
    description="""\
Whether the model's answer to each pair (a, b) is right (of equal logits the first counts), the probability
that it gives to the right answer (stored as float16), and the accuracy on the pairs of each answer, such
as one sum (a + b) mod p, for the pairs that train, those that don't, and all.
""",
    code_version="2",
    parameters=NoParameters,
    function=compute,
    arrays={
        "right": "bool (p, p), [a, b]",
        "train": "bool (p, p), whether the pair trains",
        "probability": "float32 (p, p), of the right answer, 0-1",
        "accuracy_by_class": "float64 (3, p), [train | test | all, residue], 0-1; -1 where there is none",
    },
    half=("probability",),
    describe=describe,
)
