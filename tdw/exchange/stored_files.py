"""Which files of a store an export takes along, and what a path in a bundle stands for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tdw.errors import BadConfig, CorruptFile, NotFound
from tdw.families import get_family
from tdw.families.stored import stored_variants
from tdw.integrity.names import artifact_kinds, table_names
from tdw.store import Store, document_files, reading
from tdw.store.layout import EPOCH_FILE, STATES

_TABLES_AND_PLOTS = ("summaries", "plots")
_STORED = re.compile(
    r"(?P<family>\w[\w.\-]*)/(?P<variant>\w[\w.\-]*)/"
    r"(?:(?P<kind>\w[\w.\-]*)/(?P<epoch>\d{5,})\.safetensors|summaries/\w[\w.\-]*\.parquet"
    r"|plots/\w[\w.\-]*/(?:[0-9a-f]{16}/)?\w[\w.\-]*)"
)


def stored_cell(path: str) -> tuple[str, str, str, int | None]:
    """Family, variant, kind and epoch of a file below a store's root; kind is "" for tables and plots.

    Raises:
        BadConfig: a path that is not of the store's layout.
    """
    match = _STORED.fullmatch(path)
    if match is None:
        raise BadConfig(f"{path[:120]!r} is no file of a store", "a bundle holds files of a store only")
    epoch = match["epoch"]
    return match["family"], match["variant"], match["kind"] or "", None if epoch is None else int(epoch)


@dataclass(frozen=True)
class Found:
    """What to export, in order, as relative path and path; and the relative paths of symbolic links: they may
    lead out of the store, and are left out.
    """

    files: list[tuple[str, Any]]
    links: list[str]


def find_files(store: Store, family: str, variants: Sequence[str], include: Collection[str] | None) -> Found:
    """What to export.

    Raises:
        NotFound: a variant or a kind of which there is nothing.
        Unreadable: a folder that can't be listed.
    """
    found: list[tuple[str, Any]] = []
    links: list[str] = []
    seen = set[str]()
    wanted_comparison = include is None or "comparison" in include
    compared = store.comparison_folders(family) if wanted_comparison else []
    for variant in [*variants, *compared]:
        folder = store.root / family / variant
        with reading.access(folder):
            kinds = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        kinds = [kind for kind in kinds if kind in _TABLES_AND_PLOTS or kind in artifact_kinds()]
        if variant not in compared and not kinds:
            raise NotFound(
                f"{folder}: nothing of this variant is stored",
                f"there is: {', '.join(stored_variants(store, get_family(family)))}",
            )
        for kind in kinds:
            taken = (
                variant in compared
                or (include is None and kind != STATES)
                or (include is not None and kind in include)
            )
            if not taken:
                continue
            for relative, path in _walk(folder / kind, f"{family}/{variant}/{kind}"):
                if path.is_symlink():
                    links.append(relative)
                elif _STORED.fullmatch(relative) and _is_ours(path, kind):
                    found.append((relative, path))
                    seen.add("comparison" if variant in compared else kind)
    lacking = sorted(set(include or ()) - seen)
    if lacking:
        raise NotFound(
            f"nothing of {', '.join(lacking)} is stored for {', '.join(variants)}",
            f"there is: {', '.join(sorted(seen)) or 'nothing'}; or compute it first",
        )
    return Found(sorted(found, key=lambda item: item[0]), sorted(links))


def _is_ours(path: Any, kind: str) -> bool:
    """Whether a file has a name that tdw gives: other files may be beside it."""
    if kind == "summaries":
        return path.stem in table_names()
    if kind != "plots":
        return EPOCH_FILE.fullmatch(path.name) is not None
    if path.name == document_files.MANIFEST:
        return True
    if not document_files.CONTENT.fullmatch(path.parent.name):
        return False
    try:
        return path.name in document_files.read(path.parent.parent).files
    except (NotFound, CorruptFile):
        return True  # what is damaged is found when it is read


def _walk(folder: Any, relative: str) -> Iterator[tuple[str, Any]]:
    with reading.access(folder):
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        inner = {name for name in names if (folder / name).is_dir() and not (folder / name).is_symlink()}
    for name in names:
        if name in inner:
            yield from _walk(folder / name, f"{relative}/{name}")
        else:
            yield f"{relative}/{name}", folder / name
