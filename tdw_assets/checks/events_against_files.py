"""The store against the event log, both ways: what one of them knows and the other does not.

A cell exists when its file is in the store and the event log tells of it, with the content that the file has.
`tdw.integrity.verify` looks at the files alone; here its results are held against the latest events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import dagster as dg

from tdw.families import Family, all_families
from tdw.families.stored import is_variant
from tdw.integrity.findings import Checked, Finding
from tdw.inventory.products import CHECKPOINT, EXTRA_EPOCHS, stored_kind
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import REPORTS
from tdw.store import Address, Store, TableAddress
from tdw.store.fingerprints import short
from tdw.store.layout import STATES
from tdw.training.records import HISTORY
from tdw_assets.cells.wanted import read_cell
from tdw_assets.recording.versions import read_version, read_versions

_NAMED_APART = (CHECKPOINT, HISTORY, *(f"reports/{report.name}" for report in REPORTS))
_PRODUCTS = {stored_kind(name): name for name in _NAMED_APART}


@dataclass(frozen=True)
class Cell:
    """What an event and a file are both about.

    Attributes:
        asset: the asset's name after the family's prefix: "checkpoint", "history", "coarseness",
            "summaries/grokking", "plots/training_curves".
        variant: "" for what covers several.
        epoch: None for what covers all epochs.
    """

    asset: str
    variant: str
    epoch: int | None


def compare_with_events(
    checked: Collection[Checked],
    store: Store,
    *,
    instance: dg.DagsterInstance,
    families: Iterable[Family],
    busy: Iterable[str] = (),
) -> Iterator[Finding]:
    """What files and events disagree about; files that are wrong in themselves are left out.

    Args:
        checked: every file of the store, from `tdw.integrity.verify`, read before this is called, so that
            what is committed meanwhile is not taken for lost.
        store: whose files they are.
        instance: whose events.
        families: whose assets.
        busy: variants that are being worked on: what is theirs may change at any moment, and is left out.
    """
    skip = frozenset(busy)
    for family in families:
        prefix = f"{store.root / family.name}/"
        files: dict[Cell, Checked] = {}
        for file in checked:
            if file.kind and file.kind != STATES and file.path.startswith(prefix):
                if file.finding:
                    files[_cell(file)] = file
                elif file.content:
                    files.setdefault(_cell(file), file)
        names = _asset_names(instance, family)
        events = read_events(instance, family, names)
        for cell, content in events.items():
            file = files.get(cell)
            if cell.variant in skip or (file and file.finding):
                continue
            where = file.path if file else _path(store, family, cell)
            about = {"variant": cell.variant, "kind": stored_kind(cell.asset), "epoch": cell.epoch}
            if file is None:
                yield Finding(
                    where, "no file", "the event log tells of it, the store has no such file", **about
                )
            elif short(file.content) != content:
                detail = f"it holds {short(file.content)}, the event log tells of {content}"
                yield Finding(where, "not as recorded", detail, **about)
        for cell, file in files.items():
            if cell.asset in names and cell not in events and cell.variant not in skip and not file.finding:
                yield Finding(
                    file.path,
                    "no event",
                    "the event log does not tell of it",
                    variant=file.variant,
                    kind=file.kind,
                    epoch=file.epoch,
                )


def _asset_names(instance: dg.DagsterInstance, family: Family) -> set[str]:
    """Assets of a family: those that this version declares, and others that the event log tells of."""
    prefix = family.asset_prefix
    catalog = catalog_of(family)
    names = {CHECKPOINT, HISTORY, *catalog.analyzer_names}
    names |= {f"summaries/{summary.name}" for summary in catalog.summaries}
    names |= {f"plots/{plot.name}" for plot in catalog.plots}
    recorded = [tuple(key.path) for key in instance.get_asset_keys()]
    if not prefix:
        others = {other.asset_prefix[0] for other in all_families() if other.asset_prefix}
        return names | {"/".join(path) for path in recorded if path[0] not in others}
    return names | {"/".join(path[len(prefix) :]) for path in recorded if path[: len(prefix)] == prefix}


def read_events(instance: dg.DagsterInstance, family: Family, names: set[str]) -> dict[Cell, str]:
    """Every cell, table and plot of these assets that the event log tells of -> the content it tells of."""
    recorded = set(instance.get_asset_keys())
    found: dict[Cell, str] = {}
    for name in names - {EXTRA_EPOCHS}:  # of one study; its file is checked, not compared
        key = dg.AssetKey([*family.asset_prefix, *name.split("/")])
        if key not in recorded:
            continue
        by_partition = read_versions(instance, key)
        cells: dict[Cell, str] = {}
        by_epoch = "/" not in name and name != HISTORY
        for partition, version in by_partition.items():
            variant, epoch = read_cell(partition) or (partition, None)
            # Anyone can have an event recorded for any partition.
            if is_variant(family, variant) and (epoch is not None) == by_epoch:
                cells[Cell(name, variant, epoch)] = version.content
        found |= cells
        if not cells:
            version = read_version(instance, key)
            if version is not None:
                found[Cell(name, "", None)] = version.content
    return found


def _cell(file: Checked) -> Cell:
    return Cell(_PRODUCTS.get(file.kind, file.kind), file.variant, file.epoch)


def _path(store: Store, family: Family, cell: Cell) -> str:
    """Where the file of a cell would be."""
    kind, variant = stored_kind(cell.asset), cell.variant or None
    if cell.epoch is not None:
        return str(store.path(Address(family.name, cell.variant, kind, cell.epoch)))
    if kind.startswith("summaries/"):
        return str(store.path(TableAddress(family.name, variant, kind.partition("/")[2])))
    return str(store.plot_folder(family.name, variant, kind.partition("/")[2]))
