"""The store against what is recorded of it, both ways: what one of them has and the other does not.

A cell is done when its file is in the store and it is recorded with the content that the file has.
`tdw.integrity.verify` looks at the files alone; here its results are compared with the latest records.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tdw.families import Family, get_family
from tdw.families.stored import is_variant
from tdw.integrity.file_problems import Checked, FileProblem
from tdw.inventory.products import CHECKPOINT, EXTRA_EPOCHS, stored_kind
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import REPORTS
from tdw.store import Address, Store, TableAddress
from tdw.store.fingerprints import short
from tdw.store.layout import STATES, comparison_folder
from tdw.training.records import HISTORY

_NAMED_APART = (CHECKPOINT, HISTORY, *(f"reports/{report.name}" for report in REPORTS))
_PRODUCTS = {stored_kind(name): name for name in _NAMED_APART}
BEFORE_STUDIES = ""
"""In place of a study: records of versions that named no study."""


@dataclass(frozen=True)
class Cell:
    """What a record and a file are both of.

    Attributes:
        product: "checkpoint", "history", "coarseness", "summaries/grokking", "plots/training_curves".
        variant: "" for what covers several.
        epoch: None for what covers all epochs.
        study: slug of the study that what covers several variants is of; "" for no study's.
    """

    product: str
    variant: str
    epoch: int | None
    study: str = ""

    @property
    def is_compared(self) -> bool:
        """Whether a record can be of it: one can be made under any name, of any variant or epoch.

        The extra epochs are of one study; their file is checked, not compared.
        """
        by_epoch = "/" not in self.product and self.product != HISTORY
        return bool(self.product) and self.product != EXTRA_EPOCHS and (self.epoch is not None) == by_epoch


def compare_with_records(
    checked: Collection[Checked],
    store: Store,
    recorded: Mapping[Cell, Mapping[str, str]],
    *,
    families: Iterable[Family],
    busy: Iterable[str] = (),
) -> Iterator[FileProblem]:
    """What files and records disagree about; files that are wrong in themselves are left out.

    Studies share the files of a variant. A cell has to be what each of them has recorded; a table or plot,
    what one of them has: it is made again when any of them has more to show. What covers several variants is
    in a folder of each study; where it is not there, it may be where earlier versions wrote it.

    Args:
        checked: every file of the store, from `tdw.integrity.verify`, read before the records were, so that
            what is committed meanwhile does not count as lost.
        store: whose files they are.
        recorded: cell -> study -> content in 12 hex digits.
        families: whose files.
        busy: variants that are being worked on: what is theirs may change at any moment, and is left out.
    """
    skip, families = frozenset(busy), list(families)
    names = {cell.product for cell in recorded}.union(*map(_declared, families))
    files = {family.name: _files(checked, f"{store.root / family.name}/") for family in families}
    for cell, by_study in recorded.items():
        here = [family for family in families if _fits(family.name, cell.variant)]
        found = [files[family.name][cell] for family in here if cell in files[family.name]]
        stated = {study: content for study, content in by_study.items() if study != BEFORE_STUDIES}
        if not here or not stated or cell.variant in skip or any(file.finding for file in found):
            continue
        about: dict[str, Any] = {
            "variant": cell.variant,
            "kind": stored_kind(cell.product),
            "epoch": cell.epoch,
            "study": cell.study,
        }
        if not found and _lies_where_it_was(cell, stated, [files[family.name] for family in here]):
            continue
        if not found:
            detail = "it is recorded, but the store has no such file"
            yield FileProblem(_path(store, here[0], cell), "no file", detail, **about)
            continue
        held = {short(file.content) for file in found}
        wrong = {study: content for study, content in stated.items() if content not in held}
        if wrong if cell.epoch is not None else len(wrong) == len(stated):
            study, content = next(iter(wrong.items()))
            detail = f"it holds {min(held)}, but study {study} has recorded {content}"
            yield FileProblem(found[0].path, "not as recorded", detail, **about)
    studies = {cell.study for cell in recorded} - {""}
    for of in files.values():
        for cell, file in of.items():
            # What covers several variants and is of no study, or of one not known here, nobody records.
            recordable = bool(cell.variant) or cell.study in studies
            known = cell in recorded or cell.product not in names or cell.variant in skip
            if recordable and not known and not file.finding:
                about = {"variant": file.variant, "kind": file.kind, "epoch": file.epoch, "study": file.study}
                yield FileProblem(file.path, "no event", "it is not recorded", **about)


def _lies_where_it_was(
    cell: Cell, stated: Mapping[str, str], files: Iterable[Mapping[Cell, Checked]]
) -> bool:
    """Whether what a study has recorded is where earlier versions wrote it: in one folder for all studies."""
    at = dataclasses.replace(cell, study="")
    old = [of[at] for of in files if cell.study and at in of]
    return any(short(file.content) in stated.values() for file in old if not file.finding)


@functools.cache
def _fits(family: str, variant: str) -> bool:
    return not variant or is_variant(get_family(family), variant)


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
    """The products that this version knows of a family."""
    catalog = catalog_of(family)
    names = {CHECKPOINT, HISTORY, *catalog.analyzer_names}
    names |= {f"summaries/{summary.name}" for summary in catalog.summaries}
    return names | {f"plots/{plot.name}" for plot in catalog.plots}


def _cell(file: Checked) -> Cell:
    return Cell(_PRODUCTS.get(file.kind, file.kind), file.variant, file.epoch, file.study)


def _path(store: Store, family: Family, cell: Cell) -> str:
    """Where the file of a cell would be."""
    kind, variant = stored_kind(cell.product), cell.variant or comparison_folder(cell.study)
    if cell.epoch is not None:
        return str(store.path(Address(family.name, cell.variant, kind, cell.epoch)))
    if kind.startswith("summaries/"):
        return str(store.path(TableAddress(family.name, variant, kind.partition("/")[2])))
    return str(store.document_folder(family.name, variant, kind.partition("/")[2]))
