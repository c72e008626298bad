"""What the first page shows of every variant, beside how far it is: a word, a number, a small curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Curve = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""Epochs, ascending, and values, NaN where there is none: a gap in the curve."""


@dataclass(frozen=True)
class OverviewColumn:
    """A column of the first page, read from one small table of a variant.

    Attributes:
        title: of the column.
        table: "history" or the name of a summary.
        text: table -> a few words; None for a curve.
        curve: table -> a curve; None for words.
        note: range and unit of the curve, such as "0 to 1".
        unit: behind its last value.
        low, high: values at the bottom and at the top, the same for all variants.
        log: logarithmic height.
    """

    title: str
    table: str
    text: Callable[[pd.DataFrame], str] | None = None
    curve: Callable[[pd.DataFrame], Curve] | None = None
    note: str = ""
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    log: bool = False
