"""What is there and what is missing of a variant, against the study's schedule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tdw.epochs import format_epochs
from tdw.store.layout import CHECKPOINTS
from tdw.study import Study
from tdw_workbench.web.data.store_cache import Library


@dataclass(frozen=True)
class Coverage:
    """One kind of artifact of one variant.

    Attributes:
        kind: "checkpoints" or an analyzer's name.
        there: epochs of which there is a file, ascending.
        missing: scheduled epochs without one, ascending.
        scheduled: how many the study wants; 0 without a study.
    """

    kind: str
    there: tuple[int, ...]
    missing: tuple[int, ...]
    scheduled: int

    @property
    def note(self) -> str:
        """'3 of 95 epochs missing: 500, 600, 2000', or '' when none is."""
        if not self.missing:
            return ""
        return f"{self.kind}: {len(self.missing)} of {self.scheduled} epochs missing: {short(self.missing)}"


def coverage(
    library: Library, family: str, variant: str, *, kind: str = CHECKPOINTS, study: Study | None = None
) -> Coverage:
    """What is there of a kind, against the schedule of one study or of all that list the variant.

    Without any, what should be there is what was trained.
    """
    there = library.epochs(family, variant, kind)
    wanted = library.wanted_epochs(study) if study else library.scheduled(family, variant)
    wanted = wanted or tuple(library.epochs(family, variant))
    return Coverage(kind, tuple(there), tuple(sorted(set(wanted) - set(there))), len(wanted))


def short(epochs: Iterable[int], *, limit: int = 5) -> str:
    """Epochs as ranges, the first few of them."""
    parts = format_epochs(sorted(epochs)).split(", ")
    return ", ".join(parts[:limit]) + (f" and {len(parts) - limit} more" if len(parts) > limit else "")
