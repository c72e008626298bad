"""A18 over training: when each pair is learned for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import answers
from tdw.families.modulo_addition_1layer.maths.learning.graduation import NEVER, graduation_epochs
from tdw.parameters import require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

    from tdw.families.modulo_addition_1layer.config import Config

ANSWERS = answers.ANALYZER.name


@dataclass(frozen=True)
class Parameters:
    """When a pair has graduated.

    Attributes:
        run: consecutive checkpoints at which it is answered right.
    """

    run: int = 3

    def __post_init__(self) -> None:
        is_run = type(self.run) is int and self.run >= 1
        require(is_run, "run", self.run, wanted="a whole number of at least 1")


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row per pair; see `SUMMARY`."""
    import pandas as pd

    config = cast("Config", inputs.config)
    right = inputs.stack(ANSWERS, "right")
    found = graduation_epochs(np.array(inputs.epochs), right, run=parameters.run).ravel()
    p = right.shape[1]
    a, b = np.divmod(np.arange(p * p, dtype=np.int64), p)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "answer": config.task.compute(a, b) % p,
            "train": inputs.artifacts[ANSWERS][0]["train"].ravel(),
            "graduation_epoch": pd.arrays.IntegerArray(found, found == NEVER),
            "right_at_end": right[-1].ravel(),
        }
    )


def describe(table: pd.DataFrame) -> Metadata:
    """How many pairs graduate, and the median epoch of those that don't train."""
    test = table.loc[~table["train"], "graduation_epoch"].dropna()
    return {
        "graduated_pairs": int(table["graduation_epoch"].notna().sum()),
        "median_test_graduation_epoch": int(test.median()) if len(test) else "none",
    }


SUMMARY = Summary(
    name="graduation",
    title="When each pair is learned",
    description="""\
One row per pair (a, b). `graduation_epoch` is the first checkpoint that opens three consecutive checkpoints
at which the pair is answered right; empty where there is none. A pair may fail again later: see
`right_at_end`.
""",
    code_version="1",
    needs=(ANSWERS,),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
