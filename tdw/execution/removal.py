"""Remove files from the store for good: of a variant, of some of its epochs, or of what covers several.

What goes is listed first. A folder as a whole is renamed out of sight in one step and then deleted; epochs
go one by one, each checkpoint before what was made from it. So a kill leaves at most one epoch that is half
there, and the same removal again does what is left.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tdw.store import Address, Store
from tdw.store.commit import removing, walk
from tdw.store.layout import CHECKPOINTS, LIVE, REMOVED, STATES
from tdw.store.layout import folder as folder_of


@dataclass(frozen=True)
class Removal:
    """Files that go together.

    Attributes:
        family, where: the folder that they are in: a variant's, or one in place of a variant's.
        whole: the folder goes as it is.
        files: that go, in this order.
        nbytes: their size.
        cells: kind ("checkpoints" or an analyzer's name) -> epochs that go, ascending.
        documents: how many tables, plots and reports go.
    """

    family: str
    where: str
    whole: bool
    files: tuple[Path, ...]
    nbytes: int
    cells: Mapping[str, tuple[int, ...]]
    documents: int = 0


def plan_removal(
    store: Store,
    family: str,
    where: str,
    *,
    kinds: Collection[str],
    epochs: Collection[int] | None = None,
    kept: Mapping[str, Collection[int]],
) -> Removal:
    """What would go. Looks at file names only.

    Args:
        store: whose files.
        family, where: a variant's folder, or one in place of a variant's.
        kinds: of files that are one per epoch, beside the saved states.
        epochs: of which checkpoints and analyses go; None for all that there is, tables and plots included.
        kept: kind -> epochs that somebody else needs. Where there are any, states, tables and plots stay.
    """
    listed = {
        kind: [e for e in store.epochs(family, where, kind) if epochs is None or e in epochs]
        for kind in kinds
    }
    cells = {
        kind: tuple(epoch for epoch in there if epoch not in kept.get(kind, ()))
        for kind, there in listed.items()
    }
    whole = epochs is None and not any(kept.values())
    if whole:
        folder = store.root / family / where
        files = tuple(path for path in walk(folder) if not path.is_dir())
        documents = sum(path.suffix == ".parquet" or path.name == "manifest.json" for path in files)
    else:
        order = [CHECKPOINTS, *(kind for kind in cells if kind != CHECKPOINTS)]
        pairs = sorted((epoch, at) for at, kind in enumerate(order) for epoch in cells.get(kind, ()))
        files = tuple(store.path(Address(family, where, order[at], epoch)) for epoch, at in pairs)
        documents = 0
    return Removal(family, where, whole, files, sum(map(_size, files)), cells, documents)


def remove_files(store: Store, removal: Removal) -> None:
    """Carry it out. Hold the variant's locks.

    Raises:
        StoreError: the disk refused; names the file. What is left goes with the same removal again.
    """
    with removing(removal.where):
        if not removal.whole:
            for path in removal.files:
                path.unlink(missing_ok=True)
            return
        folder = (store.root / folder_of(removal.family, removal.where, STATES)).parent
        if folder.exists():
            # A name of its own: a folder for several would be deleted by one while another uses it.
            folder.rename(store.root / f"{REMOVED}.{secrets.token_hex(8)}")
        (store.root / LIVE / removal.family / f"{removal.where}.npz").unlink(missing_ok=True)
        for aside in store.root.glob(f"{REMOVED}*"):  # a killed removal has left some, perhaps
            shutil.rmtree(aside, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
