"""Summaries and plots: what each one is made from, and whether the recorded one still is that.

Every one of them has a mark, a hash of what its inputs are recorded as. The mark is read before any file is,
and recorded with the result: an input that changes meanwhile makes the result out of date, never lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import dagster as dg

from tdw.making.comparison import ASSOCIATIONS, COMPARISON
from tdw.parameters import as_json
from tdw.recipes.catalog import catalog_of
from tdw.recipes.variant_tables import tables_of
from tdw.reports.registry import reports_of
from tdw.store import Store, TableAddress
from tdw.store.fingerprints import fingerprint_json, short
from tdw_assets.cells.gaps import AssetGaps, VariantGaps
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.versions import DataVersion, hash_versions, read_versions
from tdw_resources.dagster_internals import DATA_VERSION_TAG

State = Literal["done", "missing", "out_of_date", "waiting"]


@dataclass(frozen=True)
class Derived:
    """A summary, a plot or a report.

    Attributes:
        name: "summaries/coarseness" or "plots/training_curves": the asset's key after the family's prefix.
        scope: of one variant, or of all of the study's.
        needs: names of the assets it can't be made without.
        uses: names of assets that are in it where they are there.
        spec: version of its code and own parameters.
        beside: further tables that are committed with it.
    """

    name: str
    scope: Literal["variant", "comparison"]
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    spec: str
    beside: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """ "summaries", "plots" or "reports"."""
        return self.name.split("/")[0]

    @property
    def short_name(self) -> str:
        """The name in its registry."""
        return self.name.split("/")[1]

    @property
    def inputs(self) -> tuple[str, ...]:
        """All that decides its content."""
        return (*self.needs, *self.uses)

    def key(self, grid: Grid) -> dg.AssetKey:
        """Its asset key."""
        return grid.key(*self.name.split("/"))

    def exists(self, grid: Grid, store: Store, variant: str | None) -> bool:
        """Whether its files are in the store."""
        if self.kind == "summaries":
            names = (self.short_name, *self.beside)
            return all(store.exists(TableAddress(grid.family.name, variant, name)) for name in names)
        return bool(
            (store.plot_folder(grid.family.name, variant, self.short_name) / "manifest.json").exists()
        )


def derived_assets(grid: Grid) -> list[Derived]:
    """Every summary and plot that the study's analyzers allow, each after what it needs."""
    found: list[Derived] = []
    there = {"checkpoint", "history", *grid.analyzers}
    catalog, family = catalog_of(grid.family), grid.family
    for summary in catalog.summaries_of(grid.analyzers):
        spec = catalog.summary_version(summary.name, grid.study.summary_options(summary.name))
        found.append(Derived(f"summaries/{summary.name}", "variant", summary.needs, (), spec))
    there |= {asset.name for asset in found}
    tables = tuple(f"summaries/{name}" for name in tables_of(family) if f"summaries/{name}" in there)
    if tables and family.comparison:
        spec = fingerprint_json([COMPARISON, family.comparison.code_version, grid.study.early_epoch])
        beside = (ASSOCIATIONS,) if family.comparison.associate else ()
        found.append(Derived(f"summaries/{COMPARISON}", "comparison", (), tables, short(spec), beside))
        there.add(f"summaries/{COMPARISON}")
    for plot in catalog.plots:
        needs = tuple(_asset_name(name) for name in plot.needs)
        if not set(needs) <= there:
            continue
        uses = tuple(name for name in map(_asset_name, plot.uses) if name in there)
        parameters = as_json(plot.parameters())
        spec = short(fingerprint_json([plot.name, plot.code_version, parameters, list(grid.schedule)]))
        found.append(Derived(f"plots/{plot.name}", plot.scope, needs, uses, spec))
    if f"summaries/{COMPARISON}" in there:
        tables = tuple(asset.name for asset in found if asset.kind == "summaries")
        needs = (f"summaries/{COMPARISON}",)
        for report in reports_of(grid.family):
            versions = {report.name: report.code_version, **report.made_by(grid.family, grid.study)}
            spec = short(fingerprint_json([versions, grid.study.record()]))
            found.append(Derived(f"reports/{report.name}", "comparison", needs, tables, spec))
    return found


def _asset_name(need: str) -> str:
    return "checkpoint" if need == "checkpoints" else need


@dataclass(frozen=True)
class DerivedGap:
    """How a derived asset of a variant (or, with variant "", of all) stands.

    Attributes:
        input: hash of its inputs as they are recorded now: what it would be made from.
        state: "waiting" when something that it needs is not there at all.
        stale_inputs: inputs that are themselves out of date, which makes it out of date too.
    """

    asset: Derived
    variant: str
    input: str
    state: State
    stale_inputs: tuple[str, ...] = ()


def recorded_marks(gaps: VariantGaps) -> dict[str, str]:
    """Name of an asset -> hash of what is recorded of it for a variant, for those of which anything is."""
    cells = {"checkpoint": gaps.checkpoint, **gaps.analyzers}
    marks = {name: cells_mark(asset) for name, asset in cells.items() if asset.recorded}
    if gaps.history is not None:
        marks["history"] = str(gaps.history)
    return marks


def cells_mark(asset: AssetGaps) -> str:
    """Hash over the epochs and versions of an asset's recorded cells."""
    return hash_versions({str(epoch): str(version) for epoch, version in asset.recorded.items()})


def input_mark(asset: Derived, marks: Mapping[str, str]) -> str:
    """Hash of what the asset would be made from now."""
    return hash_versions({name: marks[name] for name in asset.inputs if name in marks})


@dataclass(frozen=True)
class Standing:
    """How derived assets stand.

    Attributes:
        gaps: one for each asset and variant, each after its inputs.
        marks: asset name -> hash of what is recorded of it, by variant; of every asset that is recorded.
    """

    gaps: tuple[DerivedGap, ...]
    marks: Mapping[str, Mapping[str, str]]

    def of(self, asset: Derived, variant: str) -> DerivedGap:
        """How one of them stands."""
        return next(gap for gap in self.gaps if gap.asset.name == asset.name and gap.variant == variant)


def find_derived_gaps(
    grid: Grid, instance: dg.DagsterInstance, store: Store, gaps: Mapping[str, VariantGaps]
) -> Standing:
    """How every table and plot of these variants stands."""
    marks = {variant: recorded_marks(found) for variant, found in gaps.items()}
    stale = {
        variant: {name for name, asset in found.analyzers.items() if asset.out_of_date}
        | ({"checkpoint"} if found.checkpoint.out_of_date else set())
        for variant, found in gaps.items()
    }
    coming: dict[str, set[str]] = {variant: set() for variant in gaps}
    result: list[DerivedGap] = []
    for asset in derived_assets(grid):
        if asset.scope == "comparison":
            continue
        recorded = read_versions(instance, asset.key(grid), list(gaps))
        for variant in gaps:
            version = recorded.get(variant) if asset.exists(grid, store, variant) else None
            gap = _gap(asset, variant, marks[variant], version, stale[variant], coming[variant])
            result.append(gap)
            if gap.state != "waiting":
                coming[variant].add(asset.name)
            if version is not None:
                marks[variant][asset.name] = str(version)
            if gap.state == "out_of_date":
                stale[variant].add(asset.name)
    return Standing(tuple(result), marks)


def find_comparison_gaps(grid: Grid, instance: dg.DagsterInstance, store: Store) -> Standing:
    """How what covers all variants stands. It is made from their tables alone, so no cell is looked at."""
    assets = derived_assets(grid)
    by_name: dict[str, dict[str, str]] = {}
    for name in ("history", *(asset.name for asset in assets if asset.scope == "variant")):
        versions = read_versions(instance, grid.key(*name.split("/")), grid.variants)
        by_name[name] = {variant: str(version) for variant, version in versions.items()}
    marks = {name: hash_versions(of) for name, of in by_name.items() if of}
    coming: set[str] = set()
    stale: set[str] = set()
    result: list[DerivedGap] = []
    for asset in assets:
        if asset.scope == "variant":
            continue
        version = _unpartitioned_version(instance, asset.key(grid))
        version = version if asset.exists(grid, store, None) else None
        gap = _gap(asset, "", marks, version, stale, coming)
        result.append(gap)
        if gap.state != "waiting":
            coming.add(asset.name)
        if version is not None:
            marks[asset.name] = str(version)
        if gap.state == "out_of_date":
            stale.add(asset.name)
    return Standing(tuple(result), {"": marks})


def _gap(
    asset: Derived,
    variant: str,
    marks: Mapping[str, str],
    recorded: DataVersion | None,
    stale: Collection[str],
    coming: Collection[str],
) -> DerivedGap:
    """Compare what is recorded (None: nothing, or no file) with what would be made now.

    Args:
        stale: inputs that are out of date.
        coming: inputs that can be made, whether they are there or not.
    """
    mark = input_mark(asset, marks)
    behind = tuple(name for name in dict.fromkeys(asset.inputs) if name in stale)
    there = [name for name in asset.inputs if name in marks or name in coming]
    if not there or any(name not in there for name in asset.needs):
        state: State = "waiting"
    elif recorded is None:
        state = "missing"
    elif behind or (recorded.spec, recorded.input) != (asset.spec, mark):
        state = "out_of_date"
    else:
        state = "done"
    return DerivedGap(asset, variant, mark, state, behind)


def _unpartitioned_version(instance: dg.DagsterInstance, key: dg.AssetKey) -> DataVersion | None:
    event = instance.get_latest_materialization_event(key)
    told = event.asset_materialization if event else None
    return DataVersion.parse((told.tags or {}).get(DATA_VERSION_TAG, "")) if told else None


def series_epochs(gaps: VariantGaps, analyzers: Iterable[str]) -> list[int]:
    """Epochs that a table covers: scheduled ones, and others of which every cell is up to date.

    A scheduled cell that is out of date is in, so that the summary refuses to mix it with fresh ones. One
    that nobody schedules any more can't be refilled by the study, so it is left out instead.
    """
    found: set[int] | None = None
    for name in analyzers:
        asset = gaps.analyzers[name]
        usable = asset.recorded.keys() - set(asset.unscheduled_out_of_date)
        found = usable if found is None else found & usable
    return sorted(found or ())
