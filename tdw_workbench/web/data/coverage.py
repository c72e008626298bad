"""What is there and what is missing of a variant, as the inventory tells it from names of files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from tdw.epochs import format_epochs
from tdw.families import get_family
from tdw.inventory.cells import find_gaps
from tdw.inventory.products import stored_kind
from tdw.inventory.versions import DataVersion
from tdw.inventory.wanted import Wanted
from tdw.recipes.catalog import catalog_of
from tdw.store.layout import CHECKPOINTS
from tdw.study import Study
from tdw_workbench.web.data.store_cache import StoreCache


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


@dataclass(frozen=True)
class _NoRecords:
    """No records: the inventory then goes by the names of files alone."""

    def cells(
        self, name: str, epochs: Mapping[str, Collection[int]]
    ) -> Mapping[str, Mapping[int, DataVersion]]:
        return {}

    def by_variant(self, name: str, variants: Collection[str]) -> Mapping[str, DataVersion]:
        return {}

    def elsewhere(self, name: str, variant: str) -> Collection[DataVersion]:
        return ()

    def of_study(self, name: str) -> None:
        return None


def coverages(
    library: StoreCache,
    family: str,
    variant: str,
    *,
    kinds: Collection[str] | None = None,
    study: Study | None = None,
) -> Mapping[str, Coverage]:
    """Kind -> what is there, against the schedule of one study or of all that list the variant.

    Args:
        kinds: analyzers to look at beside the checkpoints; None for those of the study, or of the family.
        study: None for all that list the variant. Without any, what should be there is what was trained.
    """
    wanted = wanted_of(library, family, variant, study)
    if kinds is not None:
        wanted = replace(wanted, analyzers=tuple(kinds))

    def count() -> dict[str, Coverage]:
        gaps = find_gaps(wanted, _NoRecords(), library, [variant])[variant]
        found: dict[str, Coverage] = {}
        for name, cells in gaps.cells.items():
            there = tuple(sorted({*cells.unrecorded, *cells.orphaned}))
            kind = stored_kind(name)
            found[kind] = Coverage(kind, there, cells.missing, len(wanted.epochs))
        return found

    stored = (CHECKPOINTS, *map(stored_kind, wanted.analyzers))
    return library.by_folders(family, variant, stored, count, wanted.epochs)


def wanted_of(library: StoreCache, family: str, variant: str, study: Study | None = None) -> Wanted:
    """What a study, or all that list the variant, want of it; without any, what was trained."""
    if study is not None and variant in library.known_variants(study):
        return library.wanted(study)
    epochs = library.scheduled(family, variant) or tuple(library.epochs(family, variant))
    study = study or library.study_of(family, variant)
    if study is not None:
        return replace(library.wanted(study), epochs=epochs)
    declared = get_family(family)
    names = catalog_of(declared).default_names
    return Wanted.of_variant(declared, declared.parse_variant(variant), epochs=epochs, analyzers=names)


def short(epochs: Iterable[int], *, limit: int = 5) -> str:
    """Epochs as ranges, the first few of them."""
    parts = format_epochs(sorted(epochs)).split(", ")
    return ", ".join(parts[:limit]) + (f" and {len(parts) - limit} more" if len(parts) > limit else "")
