"""Tables of the first page: which variants stand in each, in which order, and the rows it begins with."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.families import Family, all_families
from tdw.families.stored import stored_variants
from tdw.recipes.family import VariantConfig
from tdw.store.layout import COMPARISON
from tdw_workbench.web.data.now import Now, work_now
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.pages import report as reports
from tdw_workbench.web.pages.fields import VariedField, varied_fields
from tdw_workbench.web.pages.rows import PlotLink, Row, last_epoch, link_of, plots_of, row_of

if TYPE_CHECKING:
    from tdw.reports.registry import ReportAsset
    from tdw.study import Study

ON_A_PAGE = 100
"""Of more variants, a page holds so many rows: the others are asked for when they are looked at."""
MANY = 24
"""Of more variants, the plots are named on each one's page alone: they are most of a long table."""


@dataclass(frozen=True)
class Table:
    """Variants that stand in one table.

    Attributes:
        study: None for what is in the store and in no study.
        keys: of all variants, in their order.
    """

    study: Study | None
    family: Family
    keys: Sequence[str]

    @property
    def name(self) -> str:
        """Of the study; that of the family for what is in none."""
        return self.study.name if self.study else f"other-{self.family.name}"

    @property
    def brief(self) -> bool:
        """Whether its rows name no plots."""
        return len(self.keys) > MANY

    @property
    def paged(self) -> bool:
        """Whether it has more rows than a page holds."""
        return len(self.keys) > ON_A_PAGE

    def rows(self, library: StoreCache, keys: Sequence[str], now: Mapping[str, Now]) -> list[Row]:
        """Those of some of its variants."""
        return [
            row_of(library, self.family, key, self.study, now=now.get(f"{self.family.name}/{key}"))
            for key in keys
        ]


@dataclass(frozen=True)
class Section(Table):
    """A table with its first page, and what is written over all its variants.

    Attributes:
        folder: of its plots over variants and its reports.
        first: the rows of the first page.
        last_epoch: the right edge of their curves.
    """

    folder: str
    first: Sequence[Row]
    comparisons: Sequence[PlotLink]
    reports: Sequence[ReportAsset]
    last_epoch: int

    @functools.cached_property
    def varied(self) -> list[VariedField]:
        """The fields in which its variants differ, in the family's order."""
        return varied_fields(self.family, self._configs)

    @property
    def configurations(self) -> dict[str, Any]:
        """Names of those fields, and of each variant its key and its values, in the order of the table."""
        names = [field.name for field in self.varied]
        of = [[config.key, *(getattr(config, name) for name in names)] for config in self._configs]
        return {"fields": names, "of": of}

    @functools.cached_property
    def _configs(self) -> list[VariantConfig]:
        return [self.family.parse_variant(key) for key in self.keys]


def tables_of(library: StoreCache) -> Iterator[Table]:
    """The studies in their order, each with its variants in its own; then what else is in the store.

    Variants of no study stand with the only study of their family, as they do that were added in Dagster.
    """
    for family in dict.fromkeys([*(study.family_declaration for study in library.studies), *all_families()]):
        studies = [study for study in library.studies if study.family == family.name]
        listed = {study.name: library.known_variants(study) for study in studies}
        known = {key for keys in listed.values() for key in keys}
        rest = [key for key in stored_variants(library.store, family) if key not in known]
        for study in studies:
            yield Table(study, family, [*listed[study.name], *(rest if len(studies) == 1 else [])])
        if rest and len(studies) != 1:
            yield Table(None, family, rest)


def sections_of(library: StoreCache) -> list[Section]:
    """All tables, each with its first page; an empty one where there is none."""
    now = work_now(library)
    with library.one_at_a_time:  # who comes while it is read for the first time waits, and finds it read
        found = [_section(library, table, now) for table in tables_of(library)]
    return found or [_section(library, Table(None, all_families()[0], []), now)]


def _section(library: StoreCache, table: Table, now: Mapping[str, Now]) -> Section:
    study, family = table.study, table.family
    rows = table.rows(library, table.keys[:ON_A_PAGE], now)
    folder = library.store.where_compared(family.name, study.folder if study else COMPARISON)
    return Section(
        study=study,
        family=family,
        keys=table.keys,
        folder=folder,
        first=rows,
        comparisons=[link_of(library, family, folder, plot) for plot in plots_of(family, "comparison")],
        reports=reports.written(library.store, family.name, folder),
        last_epoch=last_epoch(rows, study),
    )
