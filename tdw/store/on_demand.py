"""Artifacts that are kept on demand: a small file says where the arrays come from and what their checksum is.

It has the name, the provenance and a seal like the file with the arrays, so it is listed, copied and checked
as any other. Who asks for the arrays gets them computed from the checkpoint, with the bits that the checksum
stands for, or an error.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from cachetools import LRUCache

from tdw.errors import CorruptFile, NotFound, Unreadable
from tdw.store.layout import Address

if TYPE_CHECKING:
    from tdw.store.store import Artifact, Store

LARGEST = 1 << 16
"""Bytes of the largest such file: a larger one has its arrays."""
_MAKER = "tdw.making.on_demand"  # by name: it stands above the store, and brings torch along
_lock = threading.Lock()  # two who ask for one checkpoint at once compute it once
_computed: LRUCache[str, bytes] = LRUCache(4)


def restore(store: Store, address: Address, kept: Artifact) -> bytes:
    """The bytes of the file with the arrays, whose checksum is `kept.sha256`.

    Raises:
        NotFound, CorruptFile, Unreadable: each names a file.
    """
    with _lock:
        found = _computed.get(kept.sha256)
        if found is None:
            found = _computed[kept.sha256] = import_module(_MAKER).file_with_arrays(store, address, kept)
        return found


@dataclass(frozen=True)
class FoundArrays:
    """Where the arrays of an analyzer's artifacts are, of one variant; damaged files are in neither.

    Attributes:
        kept: epoch -> bytes, of files that have them.
        on_demand: epochs of those that stand for them, ascending.
    """

    kept: dict[int, int]
    on_demand: list[int]


def find_arrays(store: Store, family: str, variant: str, analyzer: str) -> FoundArrays:
    """Looks at the header of each file."""
    found = FoundArrays({}, [])
    for epoch in store.epochs(family, variant, analyzer):
        address = Address(family, variant, analyzer, epoch)
        with contextlib.suppress(NotFound, CorruptFile, Unreadable):
            if store.header(address).on_demand:
                found.on_demand.append(epoch)
            else:
                found.kept[epoch] = store.path(address).stat().st_size
    return found
