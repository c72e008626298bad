"""The one body of our ops: sign the run, take the lock, look what is still to be done, announce it, make it,
record each result as it comes, and name together what failed.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg

from tdw.errors import NotFound
from tdw.execution.adopt import adopt_product
from tdw.execution.carry_out import CellsToMake
from tdw.execution.done import Failed
from tdw.execution.make import make_history, make_product
from tdw.families.stored import why_no_variant
from tdw.inventory.cells import VariantGaps
from tdw.inventory.plan import Inventory
from tdw.inventory.products import Product
from tdw.inventory.records import Remembered
from tdw.inventory.state import recorded_versions
from tdw.known_settings import known_settings
from tdw.store import Store
from tdw.training.progress import Progress, log_progress
from tdw.training.records import HISTORY
from tdw_assets.assets.links import tell_where_to_watch
from tdw_assets.assets.requested_cells import CellsConfig, read_requested_cells
from tdw_assets.assets.run_frame import at_work, hand_over, raise_failures, waiting
from tdw_assets.cells.partitions import with_registered
from tdw_assets.recording.materializations import materialization, stream_done
from tdw_resources.events.data_versions import Input, read_pointers
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.events.records import EventRecords, disputes_of, inventory_of
from tdw_resources.events.stream import report_materializations, report_planned
from tdw_resources.runs.progress import OnProgress
from tdw_resources.runs.tags import REQUEST_TAG
from tdw_resources.wanted import WantedAssets


def carry_out_cells(
    context: dg.AssetExecutionContext,
    wanted: WantedAssets,
    config: CellsConfig,
    products: Sequence[Product],
    *,
    store: Store,
    device: str,
) -> Iterator[dg.Output]:
    """Make or record the cells that a run asks for; those that fail stop no other."""
    names = [product.name for product in products if wanted.key(product.name) in context.selected_asset_keys]
    request = read_requested_cells(context, config, wanted, names=names)
    failed, total = list(request.refused), len(request.refused)
    stage = products[0].stage
    for variant, cells in request.cells.items():
        with (
            at_work(context, wanted, variant=variant, stage=stage) as progress,
            store.lock(wanted.family.name, variant, f"{stage}_cells", on_wait=waiting(context, variant)),
        ):
            inventory = inventory_of(wanted, context.instance, store)
            gaps = inventory.gaps_of(variant)
            todo = request.still_asked(context, wanted, gaps)
            for dispute in (
                disputes_of(wanted, context.instance, store, [variant]) if stage == "analyze" else ()
            ):
                epochs = todo.pop(dispute.product, set())
                failed += [Failed(dispute.product, variant, dispute.error(), epoch) for epoch in epochs]
            count, asked = (sum(map(len, of.values())) for of in (todo, cells))
            context.log.info(f"{variant}: {count} of {asked} cells to compute or record")
            if stage == "train" and count:
                tell_where_to_watch(context, wanted, variant)
            if request.exact:
                report_planned(context, _keys(wanted, variant, todo))
            log = log_progress(context.log, every_s=20.0)

            def on_progress(of: Progress, log=log, progress=progress) -> None:
                log(of)
                progress(of.steps_done, of.steps_total, str(of))

            work = CellsToMake(
                wanted, store, gaps, todo, chosen=not request.exact, device=device,
                on_progress=on_progress, on_wait=waiting(context, variant),
            )  # fmt: skip
            failed += _make_cells(context, wanted, work, count if stage == "analyze" else 0, progress)
            if stage == "train":
                _record_history(context, wanted, inventory, work)
            total += count
    raise_failures(failed, total=total)
    yield from hand_over(context)


def _make_cells(
    context: dg.AssetExecutionContext, wanted: WantedAssets, work: CellsToMake, count: int, show: OnProgress
) -> list[Failed]:
    """Make the cells of one variant and record each; what failed."""
    failed: list[Failed] = []
    adopted = 0
    with known_settings(), stream_done(context, wanted) as stream:  # once, and not for every cell
        for at, result in enumerate(work.carry_out(), 1):
            if isinstance(result, Failed):
                failed.append(result)
                continue
            stream.add(result)
            adopted += "adopted" in result.metadata
            if count:
                show(at, count, f"{work.variant}  epoch {result.epoch}  {at}/{count} cells")
    if adopted:
        context.log.info(f"{work.variant}: {adopted} cells were in the store, are checked and recorded")
    return failed


def carry_out_tables(
    context: dg.AssetExecutionContext,
    wanted: WantedAssets,
    products: Sequence[Product],
    *,
    store: Store,
    device: str,
) -> Iterator[dg.Output]:
    """Make the selected tables, figures and reports; one that fails stops no other."""
    some = [product for product in products if wanted.key(product.name) in context.selected_asset_keys]
    of_study = products[0].scope == "study"
    wanted = with_registered(wanted, context.instance) if of_study else wanted
    failed: list[Failed] = []
    variants = [""] if of_study else list(context.partition_keys)
    for variant in variants:
        error = why_no_variant(wanted.family, variant) if variant else None
        if error is not None:
            failed += [Failed(product.name, variant, error) for product in some]
            continue
        stage, where = some[0].stage, variant or "all variants"
        with (
            at_work(context, wanted, variant=variant, stage=stage) as progress,
            store.lock(
                wanted.family.name, variant or wanted.study.folder, stage, on_wait=waiting(context, where)
            ) if some[0].kind != "history" else contextlib.nullcontext(),
        ):  # fmt: skip
            # The inputs' versions come first: what changes meanwhile makes the result out of date again.
            records = Remembered(EventRecords(wanted, context.instance))
            inventory = Inventory(wanted, records, store)
            gaps = inventory.gaps_of(variant) if variant else None
            found = disputes_of(wanted, context.instance, store, [variant]) if variant else ()
            disputes = {dispute.product: dispute for dispute in found}
            for at, product in enumerate(some):
                progress(at, len(some), f"{where}  {product.name}")
                if product.kind == "history" and gaps is not None:
                    work = CellsToMake(wanted, store, gaps, {}, device=device)
                    _record_history(context, wanted, inventory, work, again=True)
                elif product.name in disputes:
                    failed.append(Failed(product.name, variant, disputes[product.name].error()))
                else:
                    failed += _make_table(context, wanted, inventory, product, gaps)
                records.forget(product.name)
    raise_failures(failed, total=len(some) * len(variants))
    yield from hand_over(context)


def _make_table(
    context: dg.AssetExecutionContext,
    wanted: WantedAssets,
    inventory: Inventory,
    product: Product,
    gaps: VariantGaps | None,
) -> list[Failed]:
    """Make and record one product, unless a run that asks for what is missing finds it done."""
    asked = REQUEST_TAG in context.run.tags
    variant = gaps.variant if gaps else ""
    states = inventory.states_of({variant: gaps}) if gaps else inventory.study_states()
    made_from = ""
    if product.kind != "extra_epochs":
        now = states.of(product, variant)
        if now.state == "done" and asked:
            return []
        made_from = now.input
    inputs = _read_inputs(context.instance, wanted, product, gaps, states.versions[variant])
    try:
        known = inventory.records.elsewhere(product.name, variant) if asked and variant else ()
        done = adopt_product(wanted, inventory.store, product, variant, inputs=made_from, known=known)
        done = done or make_product(wanted, inventory.store, product, gaps, inputs=made_from)
    except NotFound as error:
        if not asked:
            return [Failed(product.name, variant, error)]
        # Not an error of a study that is on its way: there is nothing to show yet.
        context.log.warning(f"{product.name} of {variant or 'all variants'} is left out: {error}")
        return []
    except Exception as error:
        return [Failed(product.name, variant, error)]
    report_materializations(context, [materialization(wanted, done, inputs)])
    return []


def _record_history(
    context: dg.AssetExecutionContext,
    wanted: WantedAssets,
    inventory: Inventory,
    work: CellsToMake,
    *,
    again: bool = False,
) -> None:
    """Record the history table as it is now; not `again` when its latest event records the same bytes."""
    done = make_history(work)
    variant, product = work.variant, wanted.product(HISTORY)
    if not again and inventory.records.by_variant(HISTORY, [variant]).get(variant) == done.version:
        return
    gaps = inventory.gaps_of(variant)
    inputs = _read_inputs(context.instance, wanted, product, gaps, recorded_versions(gaps))
    report_materializations(context, [materialization(wanted, done, inputs)])


def _read_inputs(
    instance: dg.DagsterInstance,
    wanted: WantedAssets,
    product: Product,
    gaps: VariantGaps | None,
    versions: Mapping[str, str],
) -> list[Input]:
    """The inputs of a table or figure as they are recorded now, one for each asset that it is made from."""
    found: list[Input] = []
    for name in product.inputs:
        partitions: Collection[str] = wanted.variants
        if gaps is not None:
            cells = gaps.cells.get(name)
            partitions = [cell_key(gaps.variant, e) for e in cells.recorded] if cells else [gaps.variant]
        pointers = read_pointers(instance, wanted.key(name), partitions or wanted.variants)
        latest = max(pointers.values(), default=None)
        found.append(Input(wanted.key(name), versions.get(name, "INITIAL"), latest))
    return found


def _keys(
    wanted: WantedAssets, variant: str, cells: Mapping[str, Collection[int]]
) -> list[tuple[dg.AssetKey, str]]:
    return [(wanted.key(name), cell_key(variant, epoch)) for name in cells for epoch in sorted(cells[name])]
