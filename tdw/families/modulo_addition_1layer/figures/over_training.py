"""A summary of one variant over its epochs, as several figures load it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.families.modulo_addition_1layer.figures import subject

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources


@dataclass(frozen=True)
class OverTraining:
    """One variant.

    Attributes:
        rows: of the summary, an `epoch` among the columns.
        scheduled: epochs that should be there.
    """

    subject: subject.Subject
    rows: pd.DataFrame
    scheduled: tuple[int, ...]


def load(sources: Sources, summary: str, columns: tuple[str, ...] | None = None) -> OverTraining:
    """The summary of the only variant: these columns, or all."""
    reader = sources.only
    found = reader.summary(summary)
    rows = found if columns is None else found[list(columns)]
    return OverTraining(subject.load(reader, found["epoch"].unique()), rows, reader.scheduled)


def table(data: OverTraining) -> pd.DataFrame:
    """The rows, with the variant's key before their columns."""
    return data.rows.assign(variant=data.subject.variant)[["variant", *data.rows.columns]]
