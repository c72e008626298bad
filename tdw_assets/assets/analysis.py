"""The analysis stage: every analyzer of a study, by (variant, epoch), in one op that shares the passes."""

from collections.abc import Iterator, Mapping

import dagster as dg

from tdw.errors import Unreadable
from tdw.inventory.cells import VariantGaps
from tdw.inventory.versions import DataVersion
from tdw.recipes.analyzer import Analyzer
from tdw.recipes.catalog import catalog_of
from tdw.store import Store
from tdw.store.fingerprints import short
from tdw_assets.assets.adopt import adopt_cell
from tdw_assets.assets.op_body import Failed, at_work, hand_over, raise_failures, waiting
from tdw_assets.assets.requested_cells import Cells, CellsConfig, done_since_asked, read_request
from tdw_assets.assets.training import CHECKPOINT, OWNERS
from tdw_assets.cells.partitions import cell_partitions
from tdw_assets.cells.wanted import Grid, cell_key
from tdw_assets.recording.event_records import inventory_of
from tdw_assets.recording.materializations import CellReport, stream_reports
from tdw_resources import links
from tdw_resources.events import report_planned
from tdw_resources.instance import ANALYSIS_POOL
from tdw_resources.resources import ComputeResource, StoreResource

STAGE = "analyze"


def analyze_cells(
    grid: Grid, store: Store, variant: str, cells: Cells, *, device: str
) -> Iterator[CellReport | Failed]:
    """Compute cells of a variant: one report each, as it is committed, or why it failed."""
    from tdw.compute import one_thread
    from tdw.making.artifacts import analyze
    from tdw.training.environment import resolve_device

    config = grid.family.parse_variant(variant)
    with one_thread():
        for cell in analyze(
            store, grid.family, config, cells, parameters=grid.parameters, device=resolve_device(device)
        ):
            if cell.error is not None or cell.written is None or cell.provenance is None:
                error = cell.error or ValueError("nothing was written")
                yield Failed(cell.analyzer, variant, error, cell.epoch)
                continue
            yield describe_cell(
                grid,
                variant,
                cell.epoch,
                catalog_of(grid.family).analyzer(cell.analyzer),
                checkpoint_fingerprint=cell.provenance.checkpoint_fingerprint,
                sha256=cell.written.sha256,
                metadata={**cell.metadata, "path": dg.MetadataValue.path(cell.written.path)},
            )


def describe_cell(
    grid: Grid,
    variant: str,
    epoch: int,
    analyzer: Analyzer,
    *,
    checkpoint_fingerprint: str,
    sha256: str,
    metadata: Mapping[str, float | int | str | dg.MetadataValue],
) -> CellReport:
    """The report of an up-to-date artifact."""
    spec = grid.analyzer_specs[analyzer.name]
    page = dg.MetadataValue.url(links.explorer_page(grid.family.name, variant))
    shown = grid.family.explorer.analyzers if grid.family.explorer else ()
    explorer = {"explorer": page} if analyzer.name in shown else {}
    return CellReport(
        name=analyzer.name,
        variant=variant,
        epoch=epoch,
        version=DataVersion(spec, short(checkpoint_fingerprint), short(sha256)),
        code_version=spec,
        metadata={"epoch": epoch, **metadata, **explorer},
        inputs=(CHECKPOINT, *(name for name in analyzer.requires if name in grid.analyzers)),
    )


def _analyze_variant(
    context: dg.AssetExecutionContext,
    grid: Grid,
    store: Store,
    variant: str,
    cells: Cells,
    *,
    exact: bool,
    device: str,
) -> tuple[list[Failed], int]:
    """Do what is asked of one variant, alone; the failed cells and how many there were to do."""
    with (
        store.lock(grid.family.name, variant, "analyze_cells", on_wait=waiting(context, variant)),
        at_work(context, variant=variant, stage=STAGE) as progress,
    ):
        gaps = inventory_of(grid, context.instance, store).gaps_of(variant)
        todo = _still_asked(context, grid, gaps, cells, exact=exact)
        total = sum(map(len, todo.values()))
        context.log.info(f"{variant}: {total} of {sum(map(len, cells.values()))} cells to compute or record")
        if exact:
            report_planned(
                context,
                [(grid.key(name), cell_key(variant, epoch)) for name in todo for epoch in sorted(todo[name])],
            )
        failed: list[Failed] = []
        done = 0
        with stream_reports(context, grid) as stream:
            adopted = 0
            for found in list(_adopt(grid, store, gaps, todo, exact=exact)):
                todo[found.name] = todo[found.name] - {found.epoch or 0}
                if isinstance(found, Failed):
                    failed.append(found)
                    continue
                stream.add(found)
                adopted += 1
            done += adopted + len(failed)
            if adopted:
                context.log.info(f"{variant}: {adopted} cells were in the store, are checked and recorded")
            left = {name: tuple(sorted(epochs)) for name, epochs in todo.items() if epochs}
            for result in analyze_cells(grid, store, variant, left, device=device) if left else ():
                done += 1
                if isinstance(result, CellReport):
                    stream.add(result)
                    progress(done, total, f"{variant}  epoch {result.epoch}  {done}/{total} cells")
                else:
                    failed.append(result)
        return failed, total


def _still_asked(
    context: dg.AssetExecutionContext, grid: Grid, gaps: VariantGaps, cells: Cells, *, exact: bool
) -> dict[str, set[int]]:
    """The cells that are still to be done."""
    if exact:
        fine = {
            name: asset.recorded.keys() - set(asset.out_of_date) for name, asset in gaps.analyzers.items()
        }
    else:
        fine = done_since_asked(context, grid, gaps.variant, cells)
    return {name: set(epochs) - set(fine.get(name, ())) for name, epochs in cells.items()}


def _adopt(
    grid: Grid, store: Store, gaps: VariantGaps, todo: Mapping[str, set[int]], *, exact: bool
) -> Iterator[CellReport | Failed]:
    """Reports of files that need no computing: sound, up to date, and not (or otherwise) recorded.

    A file that can't be read here is a failed cell: computing it again would replace what may be sound.

    A green cell that a person chose is computed again, whatever its file is like.
    """
    for name, epochs in todo.items():
        there = set(store.epochs(grid.family.name, gaps.variant, name)) & epochs
        if not exact:
            there -= gaps.analyzers[name].recorded.keys()
        for epoch in sorted(there):
            checkpoint = gaps.checkpoint.recorded.get(epoch)
            try:
                found = adopt_cell(grid, store, gaps.variant, name, epoch, checkpoint) if checkpoint else None
            except Unreadable as error:
                yield Failed(name, gaps.variant, error, epoch)
                continue
            if found is not None:
                yield describe_cell(
                    grid,
                    gaps.variant,
                    epoch,
                    catalog_of(grid.family).analyzer(name),
                    checkpoint_fingerprint=found.checkpoint_fingerprint,
                    sha256=found.sha256,
                    metadata=found.metadata,
                )


def analysis_assets(grid: Grid) -> list[dg.AssetsDefinition]:
    """All analyzers of the study in one op."""

    def spec(name: str) -> dg.AssetSpec:
        analyzer = catalog_of(grid.family).analyzer(name)
        arrays = "\n".join(f"- `{array}`: {meaning}" for array, meaning in analyzer.arrays.items())
        return dg.AssetSpec(
            grid.key(name),
            deps=[grid.checkpoint, *(grid.key(n) for n in analyzer.requires if n in grid.analyzers)],
            partitions_def=cell_partitions(grid),
            skippable=True,
            description=f"{analyzer.description}\n\n{arrays}",
            group_name=f"{grid.family.name}/analysis",
            kinds={"python", "numpy", "safetensors"},
            owners=OWNERS,
            code_version=grid.analyzer_specs[name],
            metadata={"title": analyzer.title, "analyzer_code_version": analyzer.code_version},
        )

    @dg.multi_asset(
        name="analyze_checkpoints",
        specs=[spec(name) for name in grid.analyzers],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=ANALYSIS_POOL,
    )
    def analyze_checkpoints(
        context: dg.AssetExecutionContext, config: CellsConfig, store: StoreResource, compute: ComputeResource
    ):
        selected = [name for name in grid.analyzers if grid.key(name) in context.selected_asset_keys]
        request = read_request(context, config, grid, names=selected)
        failed = list(request.refused)
        total = len(failed)
        for variant, cells in request.cells.items():
            some, count = _analyze_variant(
                context,
                grid,
                store.open(),
                variant,
                cells,
                exact=request.exact,
                device=compute.choose(grid.study.training.device),
            )
            failed += some
            total += count
        raise_failures(failed, total=total)
        yield from hand_over(context)

    return [analyze_checkpoints]
