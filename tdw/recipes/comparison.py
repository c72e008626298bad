"""What a family says of its variants side by side: which tables are read, and which columns come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.variant_tables import VariantTables


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
        has_outcome: its columns say when a variant reached the outcome, which the group report is about.
        associate: comparison table -> the table `associations`; None for a family without one.
    """

    tables: tuple[str, ...]
    alike: tuple[str, ...]
    columns: Callable[[VariantTables, int], Mapping[str, Any]]
    whole: tuple[str, ...]
    description: str
    code_version: str
    has_outcome: bool = False
    associate: Callable[[pd.DataFrame], pd.DataFrame] | None = None
