"""What is missing, unrecorded or out of date: the one engine behind the UI, `tdw fill`, sensor and schedule.

A cell exists when its file is in the store *and* the event log tells of it. A file alone is adopted: checked
and recorded, not computed again. An event alone is a gap. A cell is out of date when its recorded version is
not the one it should have by now: other code, other parameters, or another checkpoint under it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from tdw.store import Store, TableAddress
from tdw.store.layout import CHECKPOINTS
from tdw.training.records import HISTORY
from tdw_assets.cells.wanted import Grid, cell_key, split_key
from tdw_assets.recording.versions import DataVersion, read_versions

_FILTER_UP_TO = 20_000  # more keys than this: reading all of an asset is faster than asking for them


@dataclass(frozen=True)
class AssetGaps:
    """One asset of one variant.

    Attributes:
        recorded: epoch -> data version, of cells that exist; out-of-date ones included.
        missing: scheduled epochs without a file.
        unrecorded: scheduled epochs with a file of which no event tells.
        out_of_date: scheduled epochs whose recorded version is not the expected one.
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
        analyzers: analyzer name -> its gaps. Cells whose checkpoint is missing are among the missing.
        history: the recorded version of the history table; None when it is missing or unrecorded.
    """

    variant: str
    checkpoint: AssetGaps
    analyzers: Mapping[str, AssetGaps]
    history: DataVersion | None

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
    grid: Grid, instance: dg.DagsterInstance, store: Store, variants: Collection[str] | None = None
) -> dict[str, VariantGaps]:
    """Variant -> gaps, of some variants or all of the grid. Reads file names and event tags only."""
    wanted = list(grid.variants if variants is None else variants)
    files = _files(grid, store, CHECKPOINTS, wanted)
    checkpoints = _recorded(grid, instance, grid.checkpoint, files)
    found: dict[str, AssetGaps] = {}
    for variant in wanted:
        spec = grid.checkpoint_spec(variant)
        recorded = checkpoints.get(variant, {})
        expected = {epoch: (spec, version.input) for epoch, version in recorded.items()}
        found[variant] = _compare(grid, files[variant], recorded, expected)
    by_analyzer: dict[str, dict[str, AssetGaps]] = {variant: {} for variant in wanted}
    for name, spec in grid.analyzer_specs.items():
        files = _files(grid, store, name, wanted)
        cells = _recorded(grid, instance, grid.key(name), files)
        for variant in wanted:
            below = checkpoints.get(variant, {})
            expected = {epoch: (spec, version.content) for epoch, version in below.items()}
            by_analyzer[variant][name] = _compare(grid, files[variant], cells.get(variant, {}), expected)
    histories = _histories(grid, instance, store, wanted)
    return {
        variant: VariantGaps(variant, found[variant], by_analyzer[variant], histories.get(variant))
        for variant in wanted
    }


def _compare(
    grid: Grid,
    files: Iterable[int],
    recorded: Mapping[int, DataVersion],
    expected: Mapping[int, tuple[str, str]],
) -> AssetGaps:
    """Files against events against expected (spec, input); without expectation nothing is out of date."""
    there = set(files)
    wanted = grid.epoch_set
    both = {epoch: version for epoch, version in recorded.items() if epoch in there}
    stale = {
        epoch
        for epoch, version in both.items()
        if expected.get(epoch, (version.spec, version.input)) != (version.spec, version.input)
    }
    return AssetGaps(
        recorded=both,
        missing=tuple(sorted(wanted - there)),
        unrecorded=tuple(sorted((wanted & there) - recorded.keys())),
        out_of_date=tuple(sorted(stale & wanted)),
        orphaned=tuple(sorted(there - wanted)),
        unscheduled_out_of_date=tuple(sorted(stale - wanted)),
        lost=tuple(sorted(recorded.keys() - there)),
    )


def _histories(
    grid: Grid, instance: dg.DagsterInstance, store: Store, variants: Collection[str]
) -> dict[str, DataVersion]:
    recorded = read_versions(instance, grid.history, variants)
    family = grid.family.name
    return {
        variant: version
        for variant, version in recorded.items()
        if store.exists(TableAddress(family, variant, HISTORY))
    }


def _files(grid: Grid, store: Store, kind: str, variants: Collection[str]) -> dict[str, list[int]]:
    return {variant: store.epochs(grid.family.name, variant, kind) for variant in variants}


def _recorded(
    grid: Grid, instance: dg.DagsterInstance, key: dg.AssetKey, files: Mapping[str, Iterable[int]]
) -> dict[str, dict[int, DataVersion]]:
    """Variant -> epoch -> recorded version of an asset, for at least the epochs of `files`."""
    some = len(files) < len(grid.variants) and len(files) * len(grid.epochs) <= _FILTER_UP_TO
    keys = [cell_key(v, epoch) for v in files for epoch in grid.epoch_set.union(files[v])] if some else None
    found: dict[str, dict[int, DataVersion]] = {}
    for partition, version in read_versions(instance, key, keys).items():
        variant, epoch = split_key(partition)
        found.setdefault(variant, {})[epoch] = version
    return found
