"""The coarseness of every neuron over training, as P3 reads and sorts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tdw.drawing import series
from tdw.drawing.crowd import FEW
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.figures import crowds, subject
from tdw.recipes.reading.reader import Sources

if TYPE_CHECKING:
    from tdw.recipes.reading.reader import VariantReader

MOST = 8
"""Facets that can be read."""


@dataclass(frozen=True)
class Facet:
    """One variant.

    Attributes:
        epochs: int (n,), ascending; missing ones are in.
        values: float32 (neurons, n), coarseness; NaN where the epoch is missing.
        frequency: int (neurons,), best frequency at the last epoch, 0 for none; None where it is not known.
    """

    subject: subject.Subject
    epochs: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    frequency: npt.NDArray[np.int64] | None


@dataclass(frozen=True)
class Data:
    """Facets in the order to show them, the labels of those without the summary, the number of all."""

    facets: tuple[Facet, ...]
    left_out: tuple[str, ...]
    blob_from: float
    of: int = 1


def load(sources: Sources, parameters: BlobRule) -> Data:
    """Every variant that has the matrix of coarseness; of many some, by their grokking epoch."""
    chosen = sources
    if len(sources.variants) > FEW:
        subjects = [subject.load(reader, ()) for reader in sources.variants]
        places = crowds.spread(crowds.by_grokking(subjects), MOST)
        chosen = Sources(tuple(sources.variants[place] for place in places))
    found = chosen.collect(_load_facet)
    return Data(*found, blob_from=parameters.blob_from, of=len(sources.variants))


def _load_facet(reader: VariantReader) -> Facet:
    table = reader.summary("neuron_coarseness")
    neurons = reader.optional_summary("neurons")
    filled = series.on_schedule(table, reader.scheduled)
    names = [str(i) for i in range(table.shape[1] - 1)]
    return Facet(
        subject=subject.load(reader, table["epoch"]),
        epochs=filled["epoch"].to_numpy(np.int64),
        values=filled[names].to_numpy(np.float32).T.copy(),
        frequency=None
        if neurons is None
        else neurons.sort_values("neuron")["final_frequency"].to_numpy(np.int64),
    )


def orders(facet: Facet, *, blob_from: float) -> dict[str, npt.NDArray[np.intp]]:
    """Neurons from bottom to top, by what; by final frequency only where it is known."""
    n = len(facet.values)
    columns = np.flatnonzero(~np.isnan(facet.values).all(axis=0))
    final = facet.values[:, columns[-1]]
    blob = facet.values[:, columns] >= blob_from
    # Neurons that never are a blob come last.
    first = np.where(blob.any(axis=1), blob.argmax(axis=1), len(columns))
    found = {
        "index": np.arange(n),
        "final frequency": None if facet.frequency is None else np.lexsort((-final, facet.frequency)),
        "first blob epoch": np.lexsort((-final, first)),
        "final coarseness": np.argsort(-final, kind="stable"),
    }
    return {name: order for name, order in found.items() if order is not None}
