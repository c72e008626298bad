"""What the page of a dashboard knows when it opens, and what a person can choose for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tdw.errors import NotFound, TdwError
from tdw.families import Family
from tdw.families.stored import stored_variants
from tdw.reports.registry import REPORTS
from tdw.store.layout import CHECKPOINTS, COMPARISON, natural_order
from tdw_workbench.web.dashboards.contents import note_html, sections
from tdw_workbench.web.dashboards.files import Saved
from tdw_workbench.web.dashboards.known import known
from tdw_workbench.web.data.store_cache import StoreCache


def variants_of(library: StoreCache, family: Family) -> list[str]:
    """What is stored of a family: first the studies' variants in their order, then the others."""
    stored = stored_variants(library.store, family)
    studies = [study for study in library.studies if study.family == family.name]
    ordered = [key for study in studies for key in study.variant_keys if key in stored]
    return list(dict.fromkeys([*ordered, *sorted(stored, key=natural_order)]))


def offered(library: StoreCache, family: Family, saved: Saved) -> list[str]:
    """The variants of the selector, as far as they are stored."""
    there = variants_of(library, family)
    return [key for key in saved.dashboard.variants if key in there] or there


def timeline(library: StoreCache, family: Family, variants: Sequence[str]) -> list[int]:
    """The stops of the slider: every epoch that one of the variants has, ascending."""
    kinds = (CHECKPOINTS, *(family.explorer.analyzers if family.explorer else ()))
    return sorted(
        {epoch for key in variants for kind in kinds for epoch in library.epochs(family.name, key, kind)}
    )


def folder_of(library: StoreCache, family: Family) -> str:
    """Where a panel over several variants looks that names no folder: the family's first study's."""
    study = library.study_of(family.name)
    return library.store.where_compared(family.name, study.folder if study else COMPARISON)


def page_data(library: StoreCache, family: Family, saved: Saved) -> dict[str, Any]:
    """All that the page's scripts are told at first, JSON-able."""
    pinned = [panel.variant for panel in saved.dashboard.panels if panel.variant is not None]
    variants = offered(library, family, saved)
    return {
        "name": saved.name,
        "version": saved.version,
        "dashboard": saved.dashboard.model_dump(mode="json"),
        "folder": folder_of(library, family),
        "variants": variants,
        "epochs": timeline(library, family, list(dict.fromkeys([*variants, *pinned]))),
        "known": known(family),
        "notes": [str(note_html(panel.text)) for panel in saved.dashboard.panels],
    }


def choices(library: StoreCache, family: Family) -> dict[str, Any]:
    """What a person can choose beside what `known` says: variants, folders, sections of reports."""
    folders = list(dict.fromkeys(library.comparison_folders(family.name)))
    return {
        "variants": variants_of(library, family),
        "folders": folders,
        "sections": [
            {"where": folder, "name": report.name, "title": report.title, **section}
            for folder in folders
            for report in REPORTS
            for section in _sections(library, family, folder, report.name)
        ],
    }


def _sections(library: StoreCache, family: Family, folder: str, report: str) -> list[Mapping[str, str]]:
    try:
        return sections(library.store, family.name, folder, report)
    except NotFound:
        return []
    except TdwError as error:
        return [{"part": "", "title": error.what}]
