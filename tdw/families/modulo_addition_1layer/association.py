"""How an early quantity goes together with the grokking epoch over variants (S5).

Censoring: a variant that did not grok by its last epoch is *no grok*. Where it was watched at least as long
as the slowest of the others took, it is later than all of them, whenever it would grok, so rank statistics
take it as tied for last. Where it was watched less long nothing is known of its place, and it is left out
and named. A line is fitted to the grokked variants alone.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.statistics.censoring import EarlyAssociation, associate_values, placed_last

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
