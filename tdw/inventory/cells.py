"""The states of the cells (variant, epoch): which are missing, unrecorded or out of date.

A cell is done when its file is in the store *and* it is recorded. A file alone is adopted: checked and
recorded, not computed again. A record alone is a gap. A cell is out of date when its recorded version is not
the one it should have by now: other code, other parameters, or another checkpoint under it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tdw.inventory.products import CHECKPOINT, stored_kind
from tdw.inventory.records import Records
from tdw.inventory.versions import DataVersion
from tdw.inventory.wanted import Wanted
from tdw.store import TableAddress
from tdw.training.records import HISTORY


class Files(Protocol):
    """Which epochs have a file: the store, or what has listed it."""

    def epochs(self, family: str, variant: str, kind: str) -> list[int]:
        """Ascending."""
        ...

    def exists(self, address: TableAddress) -> bool:
        """Whether a table is there."""
        ...


@dataclass(frozen=True)
class AssetGaps:
    """The cells of one product and variant.

    Attributes:
        recorded: epoch -> data version, of cells that exist; out-of-date ones included.
        missing: wanted epochs without a file.
        unrecorded: wanted epochs with a file and without a record.
        out_of_date: wanted epochs whose recorded version is not the expected one.
        orphaned: epochs with a file that the study does not list; kept, and used by summaries.
        unscheduled_out_of_date: those of the orphaned that are recorded and out of date.
        lost: epochs that are recorded and have no file any more.
    """

    recorded: Mapping[int, DataVersion]
    missing: tuple[int, ...] = ()
    unrecorded: tuple[int, ...] = ()
    out_of_date: tuple[int, ...] = ()
    orphaned: tuple[int, ...] = ()
    unscheduled_out_of_date: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()

    def to_fill(self, *, out_of_date: bool) -> set[int]:
        """Epochs that a fill has to do something about."""
        return {*self.missing, *self.unrecorded, *(self.out_of_date if out_of_date else ())}


@dataclass(frozen=True)
class VariantGaps:
    """The cells of one variant.

    Attributes:
        cells: product name -> its cells; the checkpoints first. Cells whose checkpoint is missing are among
            the missing.
        history: the recorded version of the history table; None when it is missing or unrecorded.
    """

    variant: str
    cells: Mapping[str, AssetGaps]
    history: DataVersion | None

    @property
    def checkpoint(self) -> AssetGaps:
        """The checkpoints."""
        return self.cells[CHECKPOINT]

    @property
    def analyzers(self) -> dict[str, AssetGaps]:
        """The others: analyzer name -> its cells."""
        return {name: gaps for name, gaps in self.cells.items() if name != CHECKPOINT}

    def to_train(self, *, out_of_date: bool = True) -> tuple[int, ...]:
        """Epochs whose checkpoint is to be made or recorded, ascending."""
        return tuple(sorted(self.checkpoint.to_fill(out_of_date=out_of_date)))

    def to_analyze(self, *, out_of_date: bool = True) -> dict[str, tuple[int, ...]]:
        """Analyzer -> epochs to be computed or recorded now, ascending: those that have a checkpoint."""
        ready = self.checkpoint.recorded.keys()
        found = {
            name: tuple(sorted(gaps.to_fill(out_of_date=out_of_date) & ready))
            for name, gaps in self.analyzers.items()
        }
        return {name: epochs for name, epochs in found.items() if epochs}


def find_gaps(
    wanted: Wanted, records: Records, files: Files, variants: Collection[str] | None = None
) -> dict[str, VariantGaps]:
    """Variant -> gaps, of some variants or all. Looks at file names and records only."""
    family = wanted.family.name
    chosen = list(wanted.variants if variants is None else variants)
    checkpoints: Mapping[str, Mapping[int, DataVersion]] = {}
    found: dict[str, dict[str, AssetGaps]] = {variant: {} for variant in chosen}
    for name in (CHECKPOINT, *wanted.analyzers):
        there = {variant: files.epochs(family, variant, stored_kind(name)) for variant in chosen}
        recorded = records.cells(name, there)
        if name == CHECKPOINT:
            checkpoints = recorded
        for variant in chosen:
            expected: dict[int, tuple[str, str]] = {}
            if below := checkpoints.get(variant):
                if name == CHECKPOINT:
                    spec = wanted.checkpoint_spec(variant)
                    expected = {epoch: (spec, version.input) for epoch, version in below.items()}
                else:
                    spec = wanted.analyzer_specs[name]
                    expected = {epoch: (spec, version.content) for epoch, version in below.items()}
            found[variant][name] = _compare(wanted, there[variant], recorded.get(variant, {}), expected)
    histories = records.by_variant(HISTORY, chosen)
    return {
        variant: VariantGaps(variant, found[variant], _history(variant, histories, family, files))
        for variant in chosen
    }


def _history(
    variant: str, recorded: Mapping[str, DataVersion], family: str, files: Files
) -> DataVersion | None:
    there = variant in recorded and files.exists(TableAddress(family, variant, HISTORY))
    return recorded[variant] if there else None


def _compare(
    wanted: Wanted,
    files: Iterable[int],
    recorded: Mapping[int, DataVersion],
    expected: Mapping[int, tuple[str, str]],
) -> AssetGaps:
    """Files against records against expected (spec, input); without expectation nothing is out of date."""
    there = set(files)
    both = {epoch: version for epoch, version in recorded.items() if epoch in there}
    stale = {
        epoch
        for epoch, version in both.items()
        if expected.get(epoch, (version.spec, version.input)) != (version.spec, version.input)
    }
    epochs = wanted.epoch_set
    return AssetGaps(
        recorded=both,
        missing=tuple(sorted(epochs - there)),
        unrecorded=tuple(sorted((epochs & there) - recorded.keys())),
        out_of_date=tuple(sorted(stale & epochs)),
        orphaned=tuple(sorted(there - epochs)),
        unscheduled_out_of_date=tuple(sorted(stale - epochs)),
        lost=tuple(sorted(recorded.keys() - there)),
    )


def series_epochs(gaps: VariantGaps, analyzers: Iterable[str]) -> list[int]:
    """Epochs that a table covers: wanted ones, and others of which every cell is up to date.

    A wanted cell that is out of date is in, so that the summary refuses to mix it with fresh ones. One that
    nobody wants any more can't be refilled by the study, so it is left out instead.
    """
    usable: list[set[int]] = []
    for name in analyzers:
        cells = gaps.cells[name]
        usable.append(cells.recorded.keys() - set(cells.unscheduled_out_of_date))
    return sorted(usable[0].intersection(*usable[1:])) if usable else []
