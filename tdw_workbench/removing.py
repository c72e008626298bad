"""What a removal takes away, in words for people: `tdw remove` and the pages say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.filesize import decimal

from tdw.epochs import format_epochs
from tdw_workbench.terminal import count

if TYPE_CHECKING:
    from tdw_assets.recording.removing import StudyRemoval

_STAYS = "it stays so until somebody asks for it: Continue on its page, or `tdw fill`"


def describe(removal: StudyRemoval) -> list[str]:
    """A line of what is lost, one of which epochs, and what follows."""
    files, study = removal.files, removal.wanted.name
    checkpoints = len(files.cells.get("checkpoints", ()))
    analyses = sum(map(len, files.cells.values())) - checkpoints
    parts = [
        count(checkpoints, "checkpoint") if removal.variant else "",
        count(analyses, "analysis", "analyses") if removal.variant else "",
        count(files.documents, "table, plot or report", "tables, plots and reports")
        if files.documents
        else "",
        "its training history and saved states" if removal.variant and files.whole and checkpoints else "",
    ]
    lost = ", ".join(part for part in parts if part) or "nothing"
    who = removal.variant or f"what covers the variants of study {study}"
    lines = [f"{who}: {lost}; {count(len(files.files), 'file')}, {decimal(files.nbytes)}."]
    lines += _epochs(removal)
    if removal.records:
        named = sum(len(some or ("",)) for some in removal.records.values())
        lines.append(f"Dagster forgets {named:,} materializations of {count(len(removal.records), 'asset')}.")
    for slug, number in removal.kept.items():
        lines.append(
            f"Kept, since study {slug} has them, too: {count(number, 'cell')}, with their tables and plots."
        )
    if removal.leaves:
        lines.append(f"{removal.variant} is no part of study {study} any more.")
    elif removal.is_listed and files.whole:
        lines.append(
            f"The file of study {study} lists {removal.variant}: it comes back as missing, and {_STAYS}."
        )
    elif "train" in removal.stops:
        lines.append(f"Study {study} wants some of these epochs: they are missing then, and {_STAYS}.")
    elif not removal.variant:
        lines.append("Automation does not make it again before `tdw fill` or *Materialize* does.")
    return lines


def _epochs(removal: StudyRemoval) -> Iterator[str]:
    """Kinds with the same epochs are named together."""
    by_epochs: dict[tuple[int, ...], list[str]] = {}
    for kind, epochs in removal.files.cells.items():
        if epochs:
            by_epochs.setdefault(epochs, []).append(kind)
    for epochs, kinds in by_epochs.items():
        named = ", ".join(kinds[:3]) + (f" and {len(kinds) - 3} more" if len(kinds) > 3 else "")
        yield f"Epochs {format_epochs(epochs)}: {named}."
