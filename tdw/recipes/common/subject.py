"""What a figure of any family says of a variant: how it is called, and which epochs are missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.drawing.style import Look

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import VariantReader


@dataclass(frozen=True)
class Subject:
    """One variant in a figure; `missing` says in words which scheduled epochs are missing, or is ""."""

    variant: str
    label: str
    look: Look
    scheduled: tuple[int, ...]
    missing: str

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table, with the variant's key before its columns."""
        return table.assign(variant=self.variant)[["variant", *table.columns]]


def of(reader: VariantReader, epochs: Iterable[int]) -> Subject:
    """A variant, of which these epochs are there."""
    missing = series.missing_note(epochs, reader.scheduled)
    return Subject(reader.variant, reader.label, reader.look, reader.scheduled, missing)
