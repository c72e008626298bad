"""The last stages: summaries and plots by variant, and what is drawn over all variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from tdw.errors import NotFound
from tdw.families.stored import why_no_variant
from tdw.inventory.cells import VariantGaps, series_epochs
from tdw.inventory.products import Product
from tdw.inventory.versions import DataVersion
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import get_report
from tdw.store import Store, Written
from tdw.store.fingerprints import short
from tdw.store.layout import COMPARISON
from tdw_assets.assets.links import plot_metadata
from tdw_assets.assets.op_body import Failed, at_work, hand_over, raise_failures, waiting
from tdw_assets.assets.training import OWNERS
from tdw_assets.automation.planned_runs import REQUEST_TAG
from tdw_assets.cells.partitions import TO_VARIANT, variant_partitions, with_registered
from tdw_assets.cells.wanted import Grid, cell_key
from tdw_assets.recording.event_records import inventory_of
from tdw_assets.recording.materializations import Metadata
from tdw_assets.recording.versions import Input, read_pointers, tags
from tdw_resources import links
from tdw_resources.events import report_materializations
from tdw_resources.instance import ANALYSIS_POOL
from tdw_resources.resources import StoreResource

SUMMARIZE, COMPARE = "summarize", "compare"


@dataclass(frozen=True)
class Made:
    """A committed table or plot, and what people are told of it."""

    written: Written
    metadata: Metadata


def make_summary(
    grid: Grid, store: Store, variant: str, asset: Product, gaps: Mapping[str, VariantGaps]
) -> Made:
    """Compute and commit one table of a variant, or the one that compares all of them."""
    from tdw.making.comparison import write_comparison
    from tdw.making.tables import summarize

    if not variant:
        configs = [grid.family.parse_variant(key) for key in grid.variants]
        early = grid.study.early_epoch
        written = write_comparison(store, grid.family, configs, early_epoch=early)
        return Made(written, {"variants": len(configs), "path": dg.MetadataValue.path(written.path)})
    summary = catalog_of(grid.family).summary(asset.short_name)
    done = summarize(
        store,
        grid.family,
        grid.family.parse_variant(variant),
        summary.name,
        parameters=grid.parameters,
        options=grid.study.summary_options(summary.name),
        epochs=series_epochs(gaps[variant], summary.analyzers) if summary.analyzers else None,
    )
    return Made(done.written, {**done.metadata, "path": dg.MetadataValue.path(done.written.path)})


def make_plot(grid: Grid, store: Store, variant: str, asset: Product) -> Made:
    """Draw and commit one plot, of a variant or of all that have anything to show."""
    from tdw.making.figures import render

    plot = catalog_of(grid.family).plot(asset.short_name)
    drawn = render(
        plot,
        store,
        family=grid.family,
        variants=[variant] if variant else list(grid.variants),
        order=grid.study.variant_keys,
        scheduled=grid.schedule,
    )
    written = drawn.write(store)
    return Made(
        written, plot_metadata(grid, variant, plot, version=short(written.sha256), nbytes=written.nbytes)
    )


def make_report(grid: Grid, store: Store, asset: Product) -> Made:
    """Write a report over all variants from the tables that are there."""
    family, report = grid.family, get_report(asset.short_name)
    written = report.write(
        store,
        family,
        [family.parse_variant(key) for key in grid.variants],
        title=f"{report.title}: {grid.name}",
        early_epoch=grid.study.early_epoch,
        last_epoch=grid.study.epochs,
        study=grid.study,
    )
    page = links.report_page(family.name, asset.short_name, version=short(written.sha256))
    return Made(written, {"report": dg.MetadataValue.url(page)})


def _make_all(
    context: dg.AssetExecutionContext,
    grid: Grid,
    store: Store,
    variant: str,
    *,
    assets: Sequence[Product],
    stage: str,
) -> None:
    """Make the selected assets of a variant, or with "" over all; one that fails stops no other."""
    where = variant or "all variants"
    failed: list[Failed] = []
    with (
        at_work(context, variant=variant, stage=stage) as progress,
        store.lock(grid.family.name, variant or COMPARISON, stage, on_wait=waiting(context, where)),
    ):
        # The marks come first: what changes while this works makes the result out of date again.
        inventory = inventory_of(grid, context.instance, store)
        gaps = inventory.gaps([variant]) if variant else {}
        for at, asset in enumerate(assets):
            standing = inventory.standing(gaps) if variant else inventory.study_standing()
            gap = standing.of(asset, variant)
            if gap.state == "done" and REQUEST_TAG in context.run.tags:
                continue
            inputs = read_inputs(context.instance, grid, asset, gaps, standing.marks[variant])
            progress(at, len(assets), f"{where}  {asset.name}")
            try:
                if asset.kind == "summaries":
                    made = make_summary(grid, store, variant, asset, gaps)
                elif asset.kind == "reports":
                    made = make_report(grid, store, asset)
                else:
                    made = make_plot(grid, store, variant, asset)
            except NotFound as error:
                if REQUEST_TAG not in context.run.tags:
                    failed.append(Failed(asset.name, variant, error))
                else:  # not an error of a study that is on its way: there is nothing to show yet
                    context.log.warning(f"{asset.name} of {where} is left out: {error}")
                continue
            except Exception as error:
                failed.append(Failed(asset.name, variant, error))
                continue
            version = DataVersion(asset.spec, gap.input, short(made.written.sha256))
            materialization = dg.AssetMaterialization(
                grid.key(*asset.name.split("/")),
                partition=variant or None,
                metadata={"nbytes": made.written.nbytes, **made.metadata},
                tags=tags(version, code_version=asset.spec, inputs=inputs),
            )
            report_materializations(context, [materialization])
        raise_failures(failed, total=len(assets))


def read_inputs(
    instance: dg.DagsterInstance,
    grid: Grid,
    asset: Product,
    gaps: Mapping[str, VariantGaps],
    marks: Mapping[str, str],
) -> list[Input]:
    """The inputs of a derived asset as they are recorded now, one for each asset that it is made from."""
    found: list[Input] = []
    for name in asset.inputs:
        key = grid.key(*name.split("/"))
        partitions = [key for variant, of in gaps.items() for key in _partitions_of(name, variant, of)]
        pointers = read_pointers(instance, key, partitions or grid.variants)
        found.append(Input(key, marks.get(name, "INITIAL"), max(pointers.values(), default=None)))
    return found


def _partitions_of(name: str, variant: str, gaps: VariantGaps) -> list[str]:
    cells = gaps.cells.get(name)
    return [variant] if cells is None else [cell_key(variant, epoch) for epoch in cells.recorded]


def _deps(grid: Grid, asset: Product) -> list[dg.AssetDep]:
    """A variant's table depends on all epochs of its cells, what is over all variants on everything."""
    found: list[dg.AssetDep] = []
    for name in asset.inputs:
        by_cell = name == "checkpoint" or name in grid.analyzers
        mapping = TO_VARIANT if by_cell and asset.scope == "variant" else None
        found.append(dg.AssetDep(grid.key(*name.split("/")), partition_mapping=mapping))
    return found


def _spec(grid: Grid, asset: Product) -> dg.AssetSpec:
    kinds = {"summaries": "parquet", "plots": "plotly", "reports": "markdown"}
    return dg.AssetSpec(
        grid.key(*asset.name.split("/")),
        deps=_deps(grid, asset),
        partitions_def=variant_partitions(grid) if asset.scope == "variant" else None,
        skippable=True,
        description=f"**{asset.title}**\n\n{asset.description}",
        group_name=f"{grid.family.name}/{asset.kind}",
        kinds={"python", kinds[asset.kind]},
        owners=OWNERS,
        code_version=asset.spec,
        metadata={"title": asset.title},
    )


def derived_definitions(grid: Grid) -> list[dg.AssetsDefinition]:
    """One op for the summaries and plots of a variant, one for what is drawn over all variants.

    Plots are in the op of the summaries: an op that yields no outputs has those that need it skipped.
    """
    of_variant = [product for product in grid.products if product.stage == SUMMARIZE]
    comparisons = [product for product in grid.products if product.stage == COMPARE]

    def selected(context: dg.AssetExecutionContext, some: Sequence[Product]) -> list[Product]:
        return [asset for asset in some if grid.key(*asset.name.split("/")) in context.selected_asset_keys]

    @dg.multi_asset(
        name="summarize_variant",
        specs=[_spec(grid, asset) for asset in of_variant],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=ANALYSIS_POOL,
    )
    def summarize_variant(context: dg.AssetExecutionContext, store: StoreResource):
        some = selected(context, of_variant)
        refused: list[Failed] = []
        for variant in context.partition_keys:
            error = why_no_variant(grid.family, variant)
            if error is not None:
                refused += [Failed(asset.name, variant, error) for asset in some]
                continue
            _make_all(context, grid, store.open(), variant, assets=some, stage=SUMMARIZE)
        raise_failures(refused, total=len(some) * len(context.partition_keys))
        yield from hand_over(context)

    found = [summarize_variant] if of_variant else []
    if not comparisons:
        return found

    @dg.multi_asset(
        name="compare_variants",
        specs=[_spec(grid, asset) for asset in comparisons],
        can_subset=True,
        pool=ANALYSIS_POOL,
    )
    def compare_variants(context: dg.AssetExecutionContext, store: StoreResource):
        every = with_registered(grid, context.instance)
        some = selected(context, comparisons)
        _make_all(context, every, store.open(), "", assets=some, stage=COMPARE)
        yield from hand_over(context)

    return [*found, compare_variants]
