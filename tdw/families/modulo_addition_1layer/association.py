"""How an early quantity goes together with the grokking epoch over variants (S5).

Censoring: a variant that did not grok by its last epoch is *no grok*. Where it was watched at least as long
as the slowest of the others took, it is later than all of them, whenever it would grok, so rank statistics
take it as tied for last. Where it was watched less long nothing is known of its place, and it is left out
and named. A line is fitted to the grokked variants alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.statistics.censoring import placed_last
from tdw.statistics.exact import Association, Line, associate, fit_line

if TYPE_CHECKING:
    import pandas as pd

PREDICTORS = {
    "early_mean_coarseness": "mean coarseness",
    "early_num_blobs": "number of blobs",
    "early_num_blobs_0.5": "number of neurons with coarseness ≥ 0.5",
}


@dataclass(frozen=True)
class Times:
    """Grokking epochs as ranks can use them.

    Attributes:
        variants: keys, of those whose place is known.
        epochs: grokking epoch of each, infinity for *no grok* that is later than all.
        unplaced: keys of the variants that were not watched long enough, or of which nothing is known.
    """

    variants: tuple[str, ...]
    epochs: tuple[float, ...]
    unplaced: tuple[str, ...]


def grokking_times(table: pd.DataFrame) -> Times:
    """Grokking epochs of a comparison table, censored ones placed last or named as unplaced."""
    rows = [
        (str(key), _number(epoch), _number(censored))
        for key, epoch, censored in zip(
            table["variant"], table["grokking_epoch"], table["censored_at"], strict=True
        )
    ]
    placed = placed_last({key: (epoch, censored) for key, epoch, censored in rows})
    unplaced = tuple(key for key, _, _ in rows if key not in placed)
    return Times(tuple(placed), tuple(placed.values()), unplaced)


@dataclass(frozen=True)
class EarlyAssociation:
    """An early quantity against the grokking epoch, over variants.

    Attributes:
        association: rank correlation, variants without the outcome tied for last.
        reached_only: the same without them.
        line: least squares over the grokked variants; None for fewer than three.
        variants: those in it.
        left_out: variants without the quantity, or of unknown place.
    """

    association: Association
    reached_only: Association
    line: Line | None
    variants: tuple[str, ...]
    left_out: tuple[str, ...]


def associate_values(times: Mapping[str, float], values: Mapping[str, float]) -> EarlyAssociation:
    """How a quantity goes together with the epoch of the outcome.

    Args:
        times: key -> epoch of the outcome, infinity for none that is later than all; without the unplaced.
        values: key -> quantity of every variant, NaN where it is not known.
    """
    points = [(key, values[key], epoch) for key, epoch in times.items() if not math.isnan(values[key])]
    keys = tuple(key for key, _, _ in points)
    finite = [(x, y) for _, x, y in points if math.isfinite(y)]
    xs, ys = [x for x, _ in finite], [y for _, y in finite]
    return EarlyAssociation(
        association=associate([x for _, x, _ in points], [y for _, _, y in points]),
        reached_only=associate(xs, ys),
        line=fit_line(*_finite(xs, ys)),
        variants=keys,
        left_out=tuple(key for key in values if key not in keys),
    )


def _finite(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """The points that a line can be fitted to: a quantity may be infinite for what never came."""
    points = [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x)]
    return [x for x, _ in points], [y for _, y in points]


def associate_early(table: pd.DataFrame, predictor: str = "early_mean_coarseness") -> EarlyAssociation:
    """How an early quantity goes together with the grokking epoch.

    Args:
        table: of `compare`.
        predictor: a numeric column.
    """
    times = grokking_times(table)
    values = dict(zip(table["variant"].astype(str), map(_number, table[predictor]), strict=True))
    return associate_values(dict(zip(times.variants, times.epochs, strict=True)), values)


def association_table(table: pd.DataFrame) -> pd.DataFrame:
    """A row a predictor: both correlations with p-values and intervals, the line, who is in and who not."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for predictor in PREDICTORS:
        found = associate_early(table, predictor)
        row: dict[str, Any] = {"predictor": predictor}
        for prefix, of in (("", found.association), ("grokked_", found.reached_only)):
            row |= {f"{prefix}{name}": value for name, value in dataclasses.asdict(of).items()}
        line = found.line
        row |= {
            "slope": line.slope if line else math.nan,
            "intercept": line.intercept if line else math.nan,
            "variants": " ".join(found.variants),
            "left_out": " ".join(found.left_out),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _number(value: Any) -> float:
    """A number, NaN for an empty cell."""
    import pandas as pd

    return math.nan if value is None or pd.isna(value) else float(value)
