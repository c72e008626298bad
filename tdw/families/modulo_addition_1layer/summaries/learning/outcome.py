"""S6: windows of the run, and what became of it, by rules relative to the run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.recipes.analyzer import Metadata
from tdw.recipes.common.outcome_classes import Rules, classify
from tdw.recipes.summary import HISTORY, Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

EPOCHS = (
    "memorized_epoch",
    "peak_epoch",
    "fall_start_epoch",
    "fall_end_epoch",
    "rebound_epoch",
    "last_epoch",
)


def compute(inputs: Inputs, parameters: Rules) -> pd.DataFrame:
    """One row; see `SUMMARY`."""
    import pandas as pd

    history = inputs.history
    assert history is not None  # the summary needs it
    found = classify(
        history["epoch"].to_numpy(np.int64),
        history["train_loss"].to_numpy(np.float64),
        history["test_loss"].to_numpy(np.float64),
        rules=parameters,
    )
    row: dict[str, Any] = {
        "outcome": found.outcome,
        **{name: getattr(found, name) for name in EPOCHS},
        "peak_test_loss": found.peak_test_loss,
        "rules": parameters.text,
    }
    return pd.DataFrame([row]).astype(dict.fromkeys(EPOCHS, "Int64"))


def describe(table: pd.DataFrame) -> Metadata:
    """The outcome."""
    return {"outcome": str(table["outcome"].iloc[0])}


SUMMARY = Summary(
    name="outcome",
    title="Outcome of the run",
    description="""\
One row: what became of the run, the epochs at which its windows begin and end (empty where that did not
happen), the highest test loss in nats, and the rules. Every level is a share of the run's own first train
loss or highest test loss, so no loss in nats and no epoch decides. Memorization ends when train loss has
fallen to 1 % of its first value; the fall of test loss goes from 80 % to 1 % of its highest value; a
*delayed* fall that stays down is grokking. What is *late* depends on how long the run was: compare it
between runs of one length only.
""",
    code_version="1",
    needs=(HISTORY,),
    function=compute,
    parameters=Rules,
    describe=describe,
)
