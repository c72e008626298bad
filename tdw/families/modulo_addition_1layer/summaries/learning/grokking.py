"""S2: the grokking epoch, or *no grok*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.errors import NotFound
from tdw.parameters import is_number, require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import HISTORY, Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

LOSS, ACCURACY = "test_loss", "test_accuracy"
DEFAULT_THRESHOLDS = {LOSS: 0.01, ACCURACY: 0.99}


@dataclass(frozen=True)
class Parameters:
    """The rule.

    Attributes:
        metric: "test_loss", which has to stay below the threshold, or "test_accuracy", which has to stay at
            or above.
        threshold: None for the metric's own, 0.01 nats and 0.99.
    """

    metric: str = LOSS
    threshold: float | None = None

    def __post_init__(self) -> None:
        require(self.metric in (LOSS, ACCURACY), "metric", self.metric, wanted=f"{LOSS} or {ACCURACY}")
        require(
            self.threshold is None or (is_number(self.threshold) and self.threshold > 0),
            "threshold",
            self.threshold,
            wanted="a number above 0, or null for the metric's own",
        )

    @property
    def limit(self) -> float:
        """The threshold in force."""
        return DEFAULT_THRESHOLDS[self.metric] if self.threshold is None else self.threshold

    @property
    def rule(self) -> str:
        """The rule in words."""
        holds = f"{LOSS} < {self.limit:g}" if self.metric == LOSS else f"{ACCURACY} >= {self.limit:g}"
        return f"first evaluated epoch from which on {holds} at every evaluated epoch"


def grokking_epoch(
    epochs: npt.NDArray[np.integer], values: npt.NDArray[np.floating], *, parameters: Parameters | None = None
) -> int | None:
    """The first evaluated epoch from which on the metric holds at every evaluated epoch; None for *no grok*.

    Args:
        epochs: (n,), ascending.
        values: (n,), of the rule's metric; NaN where it was not evaluated.
        parameters: the rule; test loss below 0.01 by default.
    """
    rule = parameters or Parameters()
    evaluated = ~np.isnan(values)
    at, held = epochs[evaluated], _holds(values[evaluated], rule)
    failures = np.flatnonzero(~held)
    first = int(failures[-1]) + 1 if failures.size else 0
    return int(at[first]) if first < len(at) else None


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row; see `SUMMARY`.

    Raises:
        NotFound: the metric was not evaluated at any epoch.
    """
    import pandas as pd

    history = inputs.history
    assert history is not None
    epochs = history["epoch"].to_numpy(np.int64)
    values = history[parameters.metric].to_numpy(np.float64)
    evaluated = ~np.isnan(values)
    if not evaluated.any():
        raise NotFound(f"the history has no {parameters.metric} at any epoch", "train to a checkpoint first")
    last = int(epochs[evaluated][-1])
    epoch = grokking_epoch(epochs, values, parameters=parameters)
    crossing = epochs[evaluated][_holds(values[evaluated], parameters)]
    by_metric = {
        metric: grokking_epoch(
            epochs, history[metric].to_numpy(np.float64), parameters=Parameters(metric=metric)
        )
        for metric in (LOSS, ACCURACY)
    }
    row: dict[str, Any] = {
        "grokked": epoch is not None,
        "grokking_epoch": epoch,
        "censored_at": None if epoch is not None else last,
        "rule": parameters.rule,
        "metric": parameters.metric,
        "threshold": parameters.limit,
        "first_crossing_epoch": int(crossing[0]) if crossing.size else None,
        "last_evaluated_epoch": last,
        "num_evaluated": int(evaluated.sum()),
        "final_test_loss": _last(history[LOSS].to_numpy(np.float64)),
        "final_test_accuracy": _last(history[ACCURACY].to_numpy(np.float64)),
        "grokking_epoch_by_loss": by_metric[LOSS],
        "grokking_epoch_by_accuracy": by_metric[ACCURACY],
    }
    table = pd.DataFrame([row])
    whole = ("grokking_epoch", "censored_at", "first_crossing_epoch", "last_evaluated_epoch", "num_evaluated")
    return table.astype(
        dict.fromkeys((*whole, *(f"grokking_epoch_by_{m}" for m in ("loss", "accuracy"))), "Int64")
    )


def describe(table: pd.DataFrame) -> Metadata:
    """The verdict."""
    row: Any = table.iloc[0]
    if row["grokked"]:
        return {"grokking_epoch": int(row["grokking_epoch"])}
    return {"grokking_epoch": f"no grok by epoch {row['censored_at']}"}


def _holds(values: npt.NDArray[np.floating], rule: Parameters) -> npt.NDArray[np.bool_]:
    return values < rule.limit if rule.metric == LOSS else values >= rule.limit


def _last(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if known.size else float("nan")


SUMMARY = Summary(
    name="grokking",
    title="Grokking epoch",
    description="""\
One row. `grokking_epoch` is the first evaluated epoch from which on test loss stays below 0.01 (or, by
configuration, accuracy at or above 99 %); empty for a variant that never gets there: *no grok*, censored at
`censored_at`, its last evaluated epoch, and never a number. `first_crossing_epoch` is where the metric
first holds; it differs where the loss rises again later. `grokking_epoch_by_loss` and `_by_accuracy` give
both rules at their own thresholds.
""",
    code_version="1",
    needs=(HISTORY,),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
