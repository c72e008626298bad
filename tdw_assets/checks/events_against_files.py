"""The store against the event log, both ways: what one of them knows and the other does not.

A cell exists when its file is in the store and the event log tells of it, with the content that the file has.
`tdw.integrity.verify` looks at the files alone; here its results are held against the latest events.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from tdw.families import Family, get_family
from tdw.families.stored import is_variant
from tdw.integrity.findings import Checked, Finding
from tdw.inventory.products import CHECKPOINT, EXTRA_EPOCHS, stored_kind
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import REPORTS
from tdw.store import Address, Store, TableAddress
from tdw.store.fingerprints import short
from tdw.store.layout import STATES, comparison_folder
from tdw.training.records import HISTORY
from tdw_assets.cells.wanted import read_cell
from tdw_assets.recording.versions import read_version, read_versions

_NAMED_APART = (CHECKPOINT, HISTORY, *(f"reports/{report.name}" for report in REPORTS))
_PRODUCTS = {stored_kind(name): name for name in _NAMED_APART}
BEFORE_STUDIES = ""
"""In place of a study: events of versions whose asset keys began with none."""


@dataclass(frozen=True)
class Cell:
    """What an event and a file are both about.

    Attributes:
        asset: the asset's name after the study's: "checkpoint", "history", "coarseness",
            "summaries/grokking", "plots/training_curves".
        variant: "" for what covers several.
        epoch: None for what covers all epochs.
        study: slug of the study that what covers several variants is of; "" for no study's.
    """

    asset: str
    variant: str
    epoch: int | None
    study: str = ""


def compare_with_events(
    checked: Collection[Checked],
    store: Store,
    *,
    instance: dg.DagsterInstance,
    families: Iterable[Family],
    busy: Iterable[str] = (),
) -> Iterator[Finding]:
    """What files and events disagree about; files that are wrong in themselves are left out.

    Studies share the files of a variant. A cell has to be what each of them has recorded; a table or plot,
    what one of them has: it is made anew when any of them has more to show. What covers several variants lies
    in a folder of each study; where it is not there, it may lie where earlier versions wrote it.

    Args:
        checked: every file of the store, from `tdw.integrity.verify`, read before this is called, so that
            what is committed meanwhile is not taken for lost.
        store: whose files they are.
        instance: whose events.
        families: whose files.
        busy: variants that are being worked on: what is theirs may change at any moment, and is left out.
    """
    skip, families = frozenset(busy), list(families)
    told = read_events(instance)
    names = {cell.asset for cell in told}.union(*map(_declared, families))
    files = {family.name: _files(checked, f"{store.root / family.name}/") for family in families}
    fits = functools.cache(lambda name, variant: not variant or is_variant(get_family(name), variant))
    for cell, by_study in told.items():
        here = [family for family in families if fits(family.name, cell.variant)]
        found = [files[family.name][cell] for family in here if cell in files[family.name]]
        recorded = {study: content for study, content in by_study.items() if study != BEFORE_STUDIES}
        if not here or not recorded or cell.variant in skip or any(file.finding for file in found):
            continue
        about = {"variant": cell.variant, "kind": stored_kind(cell.asset), "epoch": cell.epoch}
        about["study"] = cell.study
        if not found and _lies_where_it_was(cell, recorded, [files[family.name] for family in here]):
            continue
        if not found:
            detail = "the event log tells of it, the store has no such file"
            yield Finding(_path(store, here[0], cell), "no file", detail, **about)
            continue
        held = {short(file.content) for file in found}
        wrong = {study: content for study, content in recorded.items() if content not in held}
        if wrong if cell.epoch is not None else len(wrong) == len(recorded):
            study, content = next(iter(wrong.items()))
            detail = f"it holds {min(held)}, the event log of study {study} tells of {content}"
            yield Finding(found[0].path, "not as recorded", detail, **about)
    studies = {cell.study for cell in told} - {""}
    for of in files.values():
        for cell, file in of.items():
            # What covers several variants and is of no study, or of one not known here, nobody records.
            recordable = bool(cell.variant) or cell.study in studies
            known = cell in told or cell.asset not in names or cell.variant in skip
            if recordable and not known and not file.finding:
                detail = "the event log does not tell of it"
                about = {"variant": file.variant, "kind": file.kind, "epoch": file.epoch, "study": file.study}
                yield Finding(file.path, "no event", detail, **about)


def _lies_where_it_was(
    cell: Cell, recorded: Mapping[str, str], files: Iterable[Mapping[Cell, Checked]]
) -> bool:
    """Whether what a study has recorded is where earlier versions wrote it: in one folder for all studies."""
    at = dataclasses.replace(cell, study="")
    old = [of[at] for of in files if cell.study and at in of]
    return any(short(file.content) in recorded.values() for file in old if not file.finding)


def _files(checked: Iterable[Checked], folder: str) -> dict[Cell, Checked]:
    """The files of a family, by what they are about; a wrong one before sound ones of the same plot."""
    found: dict[Cell, Checked] = {}
    for file in checked:
        if file.kind and file.kind != STATES and file.path.startswith(folder):
            if file.finding:
                found[_cell(file)] = file
            elif file.content:
                found.setdefault(_cell(file), file)
    return found


def _declared(family: Family) -> set[str]:
    """The assets that this version knows of a family."""
    catalog = catalog_of(family)
    names = {CHECKPOINT, HISTORY, *catalog.analyzer_names}
    names |= {f"summaries/{summary.name}" for summary in catalog.summaries}
    return names | {f"plots/{plot.name}" for plot in catalog.plots}


def read_events(instance: dg.DagsterInstance) -> dict[Cell, dict[str, str]]:
    """Every cell, table and plot that the event log tells of -> study -> the content it tells of.

    Asset keys of earlier versions began with no study: their events stand under `BEFORE_STUDIES`.
    """
    found: dict[Cell, dict[str, str]] = {}
    for key in instance.get_asset_keys():
        contents = _contents(instance, key)
        for study, parts in ((key.path[0], key.path[1:]), (BEFORE_STUDIES, key.path)):
            name = "/".join(parts)
            if name == EXTRA_EPOCHS:  # of one study; its file is checked, not compared
                continue
            by_epoch = len(parts) == 1 and name != HISTORY
            for partition, content in contents.items() if parts else ():
                variant, epoch = read_cell(partition) or (partition, None)
                if (epoch is not None) == by_epoch:  # anyone can have an event recorded for any partition
                    of = study if not variant else ""
                    found.setdefault(Cell(name, variant, epoch, of), {})[study] = content
    return found


def _contents(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, str]:
    """Partition ("" for an asset without) -> the content that its latest event tells of."""
    versions = read_versions(instance, key)
    if not versions:
        version = read_version(instance, key)
        versions = {"": version} if version else {}
    return {partition: version.content for partition, version in versions.items()}


def _cell(file: Checked) -> Cell:
    return Cell(_PRODUCTS.get(file.kind, file.kind), file.variant, file.epoch, file.study)


def _path(store: Store, family: Family, cell: Cell) -> str:
    """Where the file of a cell would be."""
    kind, variant = stored_kind(cell.asset), cell.variant or comparison_folder(cell.study)
    if cell.epoch is not None:
        return str(store.path(Address(family.name, cell.variant, kind, cell.epoch)))
    if kind.startswith("summaries/"):
        return str(store.path(TableAddress(family.name, variant, kind.partition("/")[2])))
    return str(store.plot_folder(family.name, variant, kind.partition("/")[2]))
