"""Which cells have their arrays on disk, of analyzers whose arrays a study does not keep at every epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tdw.store import Store
from tdw.store.on_demand import find_arrays
from tdw.study import Study


@dataclass(frozen=True)
class KeptArrays:
    """The cells of an analyzer.

    Attributes:
        on_disk: those that have their arrays.
        on_demand: those whose arrays are computed when they are asked for.
        to_drop: those of the first that the study does not keep, of variants that its file lists: what
            `tdw thin` drops.
    """

    analyzer: str
    on_disk: int
    on_demand: int
    to_drop: int


def find_kept_arrays(study: Study, store: Store, variants: Iterable[str]) -> list[KeptArrays]:
    """Of each analyzer that the study's `keep` names; the header of every file of it is read."""
    keys, listed, found = tuple(variants), frozenset(study.variant_keys), list[KeptArrays]()
    for analyzer in study.keep:
        by_key = {key: find_arrays(store, study.family, key, analyzer) for key in keys}
        of = by_key.values()
        found.append(
            KeptArrays(
                analyzer,
                on_disk=sum(len(each.kept) for each in of),
                on_demand=sum(len(each.on_demand) for each in of),
                to_drop=sum(
                    len(study.on_demand(analyzer, each.kept)) for key, each in by_key.items() if key in listed
                ),
            )
        )
    return found
