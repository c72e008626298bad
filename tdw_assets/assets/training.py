"""The training stage: checkpoints by (variant, epoch) and the history by variant."""

from collections.abc import Collection, Iterator

import dagster as dg

from tdw.errors import CorruptFile, NotFound
from tdw.inventory.cells import VariantGaps
from tdw.inventory.versions import NO_INPUT, DataVersion, hash_versions
from tdw.store import Store, TableAddress
from tdw.store.fingerprints import short
from tdw.store.seal import check
from tdw.training.environment import code_version
from tdw.training.progress import log_progress
from tdw.training.records import HISTORY
from tdw_assets.assets.op_body import at_work, hand_over, raise_failures, waiting
from tdw_assets.assets.requested_cells import CellsConfig, done_since_asked, read_request
from tdw_assets.cells.partitions import TO_VARIANT, cell_partitions, variant_partitions
from tdw_assets.cells.wanted import Grid, cell_key
from tdw_assets.recording.event_records import inventory_of
from tdw_assets.recording.materializations import CellReport, stream_reports
from tdw_assets.recording.versions import (
    Input,
    read_pointers,
    read_versions,
    tags,
)
from tdw_resources.events import report_materializations, report_planned
from tdw_resources.instance import TRAIN_POOL
from tdw_resources.resources import ComputeResource, StoreResource

STAGE = "train"
CHECKPOINT = "checkpoint"
OWNERS = ["team:training-dynamics"]


def train_cells(
    context: dg.AssetExecutionContext,
    grid: Grid,
    store: Store,
    variant: str,
    epochs: Collection[int],
    *,
    redo: bool,
    device: str,
) -> Iterator[CellReport]:
    """Train a variant to some epochs: one report a checkpoint, as it is committed or found sound."""
    from tdw.training.loop import train

    settings = grid.study.training
    with at_work(context, variant=variant, stage=STAGE) as report:
        log = log_progress(context.log, every_s=20.0)

        def on_progress(progress) -> None:
            log(progress)
            report(progress.steps_done, progress.steps_total, str(progress))

        for done in train(
            grid.family.parse_variant(variant),
            store=store,
            checkpoints=sorted(epochs),
            device=device,
            state_every=settings.state_every,
            test_every=settings.test_every,
            redo=redo,
            on_progress=on_progress,
            on_wait=waiting(context, variant),
        ):
            yield CellReport(
                name=CHECKPOINT,
                variant=variant,
                epoch=done.epoch,
                version=DataVersion(grid.checkpoint_spec(variant), NO_INPUT, short(done.fingerprint)),
                code_version=code_version(grid.family),
                metadata={
                    "epoch": done.epoch,
                    "train_loss": done.train_loss,
                    **done.metrics,
                    "seconds": round(done.seconds, 3),
                    "nbytes": done.nbytes,
                    "checkpoint_fingerprint": short(done.fingerprint),
                    "path": dg.MetadataValue.path(done.path),
                },
            )


def _train_variant(
    context: dg.AssetExecutionContext,
    grid: Grid,
    store: Store,
    variant: str,
    epochs: Collection[int],
    *,
    exact: bool,
    device: str,
) -> None:
    """Do what is asked of one variant, alone: a second run waits and takes what is left."""
    with store.lock(grid.family.name, variant, "train_cells", on_wait=waiting(context, variant)):
        gaps = inventory_of(grid, context.instance, store).gaps_of(variant)
        todo, stale = _still_asked(context, grid, gaps, epochs, exact=exact)
        context.log.info(f"{variant}: {len(todo)} of {len(epochs)} checkpoints to make or record")
        if exact:
            report_planned(context, [(grid.checkpoint, cell_key(variant, epoch)) for epoch in sorted(todo)])
        known = gaps.checkpoint.recorded
        with stream_reports(context, grid) as stream:
            for redo, some in ((False, todo - stale), (True, todo & stale)):
                if not some:
                    continue
                for report in train_cells(context, grid, store, variant, some, redo=redo, device=device):
                    # A cell that is there as recorded is not recorded twice, unless a person asked for it.
                    if redo or known.get(report.epoch) != report.version:
                        stream.add(report)
        record_history(context, grid, store, variant, device=device)


def _still_asked(
    context: dg.AssetExecutionContext,
    grid: Grid,
    gaps: VariantGaps,
    epochs: Collection[int],
    *,
    exact: bool,
) -> tuple[set[int], set[int]]:
    """(epochs to do, those of them to be trained again although they are there)."""
    asked, there = set(epochs), gaps.checkpoint.recorded.keys()
    if exact:
        stale = asked & set(gaps.checkpoint.out_of_date)
        return (asked - there) | stale, stale
    todo = asked - done_since_asked(context, grid, gaps.variant, {CHECKPOINT: tuple(epochs)}).get(
        CHECKPOINT, set()
    )
    return todo, todo & there


def record_history(
    context: dg.AssetExecutionContext,
    grid: Grid,
    store: Store,
    variant: str,
    *,
    device: str,
    again: bool = False,
) -> None:
    """Record the history table as it is now; not `again` when its latest event tells of the same bytes.

    A table that is gone is made again by replay from the saved states.
    """
    address = TableAddress(grid.family.name, variant, HISTORY)
    path = store.path(address)
    try:
        data = store.read_bytes(address)
        digest = check(data, path=path)
    except (NotFound, CorruptFile):
        epochs = store.epochs(grid.family.name, variant)
        for _ in train_cells(context, grid, store, variant, epochs, redo=False, device=device):
            pass
        try:
            data = store.read_bytes(address)
        except NotFound:
            raise NotFound(f"{path}: {variant} has no history", "train the variant first") from None
        digest = check(data, path=path)
    version = DataVersion(grid.checkpoint_spec(variant), NO_INPUT, short(digest))
    if not again and read_versions(context.instance, grid.history, [variant]).get(variant) == version:
        return
    table = store.read_table(address)
    last = table.iloc[-1]
    known = {name: table[name].dropna() for name in grid.family.metric_names}
    metrics = {name: float(values.iloc[-1]) for name, values in known.items() if len(values)}
    report_materializations(
        context,
        [
            dg.AssetMaterialization(
                grid.history,
                partition=variant,
                metadata={
                    "epochs": len(table),
                    "last_epoch": int(last["epoch"]),
                    "train_loss": float(last["train_loss"]),
                    **metrics,
                    **{f"lowest_{n}": float(known[n].min()) for n in metrics if n.endswith("loss")},
                    "nbytes": len(data),
                    "path": dg.MetadataValue.path(str(path)),
                },
                tags=tags(
                    version,
                    code_version=code_version(grid.family),
                    inputs=[_checkpoints_input(context, grid, variant)],
                ),
            )
        ],
    )


def _checkpoints_input(context: dg.AssetExecutionContext, grid: Grid, variant: str) -> Input:
    """All checkpoints of the variant as one input."""
    keys = [cell_key(variant, epoch) for epoch in grid.epochs]
    versions = read_versions(context.instance, grid.checkpoint, keys)
    pointers = read_pointers(context.instance, grid.checkpoint, keys)
    hashed = hash_versions({key: str(version) for key, version in versions.items()})
    return Input(grid.checkpoint, hashed, max(pointers.values(), default=None))


def training_assets(grid: Grid) -> list[dg.AssetsDefinition]:
    """The checkpoints, all of a run in one op, and the history."""
    group = f"{grid.family.name}/training"

    @dg.multi_asset(
        name="train_checkpoints",
        specs=[
            dg.AssetSpec(
                grid.checkpoint,
                partitions_def=cell_partitions(grid),
                skippable=True,
                description="Weights after exactly `epoch` optimizer steps, under TransformerLens names.\n\n"
                + grid.family.description,
                group_name=group,
                kinds={"python", "pytorch", "safetensors"},
                owners=OWNERS,
                code_version=code_version(grid.family),
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=TRAIN_POOL,
    )
    def train_checkpoints(
        context: dg.AssetExecutionContext, config: CellsConfig, store: StoreResource, compute: ComputeResource
    ):
        request = read_request(context, config, grid, names=[CHECKPOINT])
        for variant, cells in request.cells.items():
            _train_variant(
                context,
                grid,
                store.open(),
                variant,
                cells[CHECKPOINT],
                exact=request.exact,
                device=compute.choose(grid.study.training.device),
            )
        raise_failures(request.refused, total=request.size)
        yield from hand_over(context)

    @dg.asset(
        key=grid.history,
        partitions_def=variant_partitions(grid),
        deps=[dg.AssetDep(grid.checkpoint, partition_mapping=TO_VARIANT)],
        description="Train loss of every epoch, the metrics of every evaluated one, each of the "
        "weights after exactly that many steps. Training writes it; materializing it checks and records it.",
        group_name=group,
        kinds={"python", "parquet"},
        owners=OWNERS,
        code_version=code_version(grid.family),
        output_required=False,
        pool=TRAIN_POOL,
    )
    def history(context: dg.AssetExecutionContext, store: StoreResource, compute: ComputeResource):
        device = compute.choose(grid.study.training.device)
        with at_work(context, variant=context.partition_key, stage=STAGE):
            grid.family.parse_variant(context.partition_key)
            record_history(context, grid, store.open(), context.partition_key, device=device, again=True)
        yield from hand_over(context)

    return [train_checkpoints, history]
