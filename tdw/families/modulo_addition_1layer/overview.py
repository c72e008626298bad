"""What the first page shows of a variant of modular addition, and what one costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.recipes.overview import Curve, OverviewColumn

if TYPE_CHECKING:
    import pandas as pd


def grokking_text(table: pd.DataFrame) -> str:
    """'10,400', or 'no grok by 25,000'."""
    row: Any = table.iloc[0]
    if bool(row["grokked"]):
        return f"{int(row['grokking_epoch']):,}"
    return f"no grok by {int(row['censored_at']):,}"


def loss_curve(table: pd.DataFrame) -> Curve:
    """Test loss at the evaluated epochs; between them it is not known, which is no gap."""
    values = table["test_loss"].to_numpy(np.float64)
    known = ~np.isnan(values)
    return table["epoch"].to_numpy(np.int64)[known], values[known]


def coarseness_curve(table: pd.DataFrame) -> Curve:
    """Mean coarseness of the neurons."""
    return table["epoch"].to_numpy(np.int64), table["mean_coarseness"].to_numpy(np.float64)


OVERVIEW = (
    OverviewColumn("grokking epoch", "grokking", text=grokking_text),
    OverviewColumn(
        "test loss",
        "history",
        curve=loss_curve,
        note="10⁻⁸ to 10 nats, log",
        unit="nats",
        low=1e-8,
        high=1e1,
        log=True,
    ),
    OverviewColumn("mean coarseness", "coarseness", curve=coarseness_curve, note="0 to 1"),
)
