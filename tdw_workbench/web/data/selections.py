"""Variants that a person chose to see side by side, read once for the page, its figures and its tables."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from cachetools import LRUCache

import tdw
from tdw.families import Family
from tdw.recipes.catalog import catalog_of
from tdw.reports.chosen import Chosen, choose
from tdw.store.layout import CHECKPOINTS, folder
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.store_cache import StoreCache

MOST = 200
"""Variants of one selection."""
_KEPT = 8
_KINDS = ("summaries", CHECKPOINTS)
_Key = tuple[str, tuple[tuple[str, ...], ...], tuple[str, ...], tuple[object, ...]]
"""Family, sides, fields, and the state of what is stored."""


class Selections:
    """Selections by what was asked for and by the state of the variants' folders."""

    def __init__(self) -> None:
        self._kept: LRUCache[_Key, Chosen] = LRUCache(_KEPT)
        self._lock = threading.Lock()

    def get(
        self, library: StoreCache, family: Family, sides: Sequence[Sequence[str]], by: Sequence[str]
    ) -> Chosen:
        """The selection, as it is stored now. Raises what `choose` raises."""
        state = state_of(library, family, sides)
        key = (family.name, tuple(map(tuple, sides)), tuple(by), state)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = _choose(library, family, sides, by)
            with self._lock:
                # Grouped in another way: the tables need not be read again.
                before = [each for (_, _, _, at), each in self._kept.items() if at == state]
                known = next((each.evidence for each in before if _is_read(each, found)), None)
                found = replace(found, known=known)
                self._kept[key] = found
        return found


def _is_read(one: Chosen, other: Chosen) -> bool:
    """Whether the tables of one selection were read, and are those that another one needs."""
    alike = (one.early_epoch, one.last_epoch) == (other.early_epoch, other.last_epoch)
    return "evidence" in vars(one) and alike and {*one.keys} == {*other.keys}


def _choose(library: StoreCache, family: Family, sides: Sequence[Sequence[str]], by: Sequence[str]) -> Chosen:
    study = next((library.study_of(family.name, key) for side in sides for key in side), None)
    early, last = (study.early_epoch, study.epochs) if study else (1000, None)
    groups = [[family.parse_variant(key) for key in side] for side in sides]
    return choose(library.store, family, groups, by=by, early_epoch=early, last_epoch=last)


def state_of(library: StoreCache, family: Family, sides: Sequence[Sequence[str]]) -> tuple[object, ...]:
    """Changes whenever a table or a checkpoint of the variants does, or the code that reads them."""
    # A commit renames a file into the folder, which changes the folder's own time.
    keys = sorted(key for side in sides for key in side)
    folders = [folder(family.name, key, kind) for key in keys for kind in _KINDS]
    versions = [plot.code_version for plot in catalog_of(family).plots]
    return (tdw.__version__, *versions, *(stamp(library.store.root / where) for where in folders))
