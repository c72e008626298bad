"""A4: attention from "=" to a, b and "=", of every head over (a, b)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.families.modulo_addition_1layer.context import TO_A, TO_B, Arrays, CheckpointContext
from tdw.recipes.analyzer import Analyzer, Metadata

NAME = "attention_patterns"


@dataclass(frozen=True)
class Parameters:
    """None: every head, as it is."""


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """`attention_patterns`: float32 (n_heads, 3, p, p); the three sum to 1."""
    return {NAME: context.attention}


def describe(arrays: Arrays) -> Metadata:
    """Mean attention to a and to b."""
    mean = arrays[NAME].mean(axis=(0, 2, 3), dtype=np.float64)
    return {"mean_attention_to_a": float(mean[TO_A]), "mean_attention_to_b": float(mean[TO_B])}


ANALYZER = Analyzer(
    name=NAME,
    title="Attention patterns",
    description="""\
Attention from "=" to a, b and "=", of every head over (a, b). The three sum to 1. Stored as float16
(relative error at most 2⁻¹¹).
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    arrays={NAME: 'float32 (n_heads, 3, p, p), [head, to a | b | "=", a, b]'},
    half=(NAME,),
    describe=describe,
)
