"""What a family says of its variants side by side: which tables are read, and which columns come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.recipes.outcome import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.variant_tables import VariantTables


@dataclass(frozen=True)
class Comparison:
    """The comparison table of a family.

    Attributes:
        tables: summaries that it reads; a variant that lacks one has empty columns.
        alike: analyzers whose way of computing must be the same in all variants.
        columns: (tables of a variant, early epoch) -> column -> value.
        whole: columns of whole numbers that may be empty.
        description: Markdown: the columns.
        code_version: raised when the same tables would give other columns.
        outcome: which of its columns say when a variant reached what; None for a family without an outcome.
        associate: comparison table -> the table `associations`; None for a family without one.
    """

    tables: tuple[str, ...]
    alike: tuple[str, ...]
    columns: Callable[[VariantTables, int], Mapping[str, Any]]
    whole: tuple[str, ...]
    description: str
    code_version: str
    outcome: Outcome | None = None
    associate: Callable[[pd.DataFrame], pd.DataFrame] | None = None
