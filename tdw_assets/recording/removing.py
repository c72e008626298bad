"""Remove what a study has made: its files first, then what Dagster has recorded of them.

So no partition says "materialized" of what is gone. The same removal again does what a killed one has left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from tdw.errors import BadConfig
from tdw.execution.removal import Removal, plan_removal, remove_files
from tdw.inventory.products import stored_kind
from tdw.recipes.catalog import catalog_of
from tdw.store import RecordAddress, Store
from tdw_assets.cells.partitions import registered_keys, remove_keys, with_registered
from tdw_resources.events.partition_keys import read_cell
from tdw_resources.events.records import EventRecords
from tdw_resources.runs.tags import purpose
from tdw_resources.runs.work_in_progress import find_work_in_progress
from tdw_resources.wanted import WantedAssets

_KINDS = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
_STAGES = ("fill", "train", "train_cells", "analyze_cells", "summarize", "compare")
EXTRA = "extra"
"""In place of a list of epochs: those that the study does not want."""


@dataclass(frozen=True)
class StudyRemoval:
    """What goes of one variant of a study, or of what covers its variants.

    Attributes:
        wanted: the study, with the variants and extra epochs that it has now.
        variant: its key; "" for what covers all of them.
        files: the files.
        records: asset -> partitions that are forgotten; None stands for an asset without partitions.
        stops: stages that automation would carry out again at once: they count as stopped by a person.
        is_listed: the study file lists the variant, so that it stays part of the study.
        leaves: the variant is taken out of the study.
        kept: study -> number of cells that it has, too, and that stay.
    """

    wanted: WantedAssets
    variant: str
    files: Removal
    records: Mapping[dg.AssetKey, tuple[str, ...] | None]
    stops: tuple[str, ...] = ()
    is_listed: bool = False
    leaves: bool = False
    kept: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_empty(self) -> bool:
        """Nothing is left to remove."""
        return not (self.files.files or self.records or self.leaves)


def plan_variant(
    wanted: WantedAssets,
    instance: dg.DagsterInstance,
    store: Store,
    variant: str,
    *,
    epochs: Collection[int] | str | None = None,
    given: Collection[str] = (),
) -> StudyRemoval:
    """What goes of a variant.

    Args:
        wanted: the study.
        instance, store: where it is recorded, and stored.
        variant: its key.
        epochs: only checkpoints of these epochs and their analyses; `EXTRA` for those that the study does not
            want; None for the variant as a whole.
        given: slugs of other studies that give up the same, so that nothing is kept for them.
    """
    live = with_registered(wanted, instance).with_extra(store)
    family, records = live.family, EventRecords(wanted, instance)
    if isinstance(epochs, str):
        epochs = set(store.epochs(family.name, variant)) - live.epoch_set
    names = ["checkpoint", *dict.fromkeys([*live.analyzers, *catalog_of(family).analyzer_names])]
    others = {
        slug: records.recorded_cells(slug, variant, names) for slug in records.others if slug not in given
    }
    kept = {name: set[int]().union(*(of.get(name, ()) for of in others.values())) for name in names}
    files = plan_removal(
        store,
        family.name,
        variant,
        kinds=[stored_kind(name) for name in names],
        epochs=epochs,
        kept={stored_kind(name): of for name, of in kept.items()},
    )
    forgotten: dict[dg.AssetKey, tuple[str, ...] | None] = {}
    for product in live.products:
        if product.scope == "study" or (product.scope == "variant" and not files.whole):
            continue
        some = tuple(
            partition
            for partition in _recorded(instance, live.key(product.name))
            if _is_of(partition, variant, epochs, kept.get(product.name, ()))
        )
        if some:
            forgotten[live.key(product.name)] = some
    listed = variant in wanted.study.variant_keys
    wants_again = listed if epochs is None else bool(live.epoch_set.intersection(epochs))
    shared = {
        slug: sum(len(of if epochs is None else of.intersection(epochs)) for of in found.values())
        for slug, found in others.items()
    }
    return StudyRemoval(
        live,
        variant,
        files,
        forgotten,
        stops=("train",) if wants_again else (),
        is_listed=listed,
        leaves=epochs is None and not listed and variant in registered_keys(wanted, instance),
        kept={slug: count for slug, count in shared.items() if count},
    )


def plan_results(wanted: WantedAssets, instance: dg.DagsterInstance, store: Store) -> StudyRemoval:
    """What goes of the tables, plots and reports over a study's variants, and its choice of extra epochs."""
    products = [product for product in wanted.products if product.scope == "study"]
    keys = [wanted.key(product.name) for product in products]
    return StudyRemoval(
        wanted,
        "",
        plan_removal(store, wanted.family.name, wanted.study.folder, kinds=(), kept={}),
        {key: None for key in keys if instance.get_latest_materialization_event(key)},
        stops=tuple(dict.fromkeys(product.stage for product in products)),
    )


def remove(removals: Sequence[StudyRemoval], instance: dg.DagsterInstance, store: Store) -> None:
    """Carry them out.

    Raises:
        BadConfig: a variant is being worked on, or the instance's event storage can't forget partitions.
        Busy: somebody else writes what is to be removed.
        StoreError: the disk refused.
    """
    for removal in removals:
        require_idle(removal, instance)
    for removal in removals:
        wanted, variant = removal.wanted, removal.variant
        # One that leaves is part of the study to the end: until then automation would train it again.
        stopped = [
            _stop(wanted, instance, stage, variant)
            for stage in (removal.stops or ("train",) * removal.leaves)
        ]
        with _alone(store, removal):
            remove_files(store, removal.files)
        if not variant:
            store.delete(RecordAddress(wanted.family.name, wanted.study.name))
        for key, partitions in removal.records.items():
            if partitions is None:
                instance.wipe_assets([key])
            else:
                instance.wipe_asset_partitions(key, partitions)
        if removal.leaves:
            remove_keys(wanted, instance, [variant])
            for run_id in stopped:  # added again, it begins like any other
                instance.delete_run(run_id)


def require_idle(removal: StudyRemoval, instance: dg.DagsterInstance) -> None:
    """Refuse what can't be removed now.

    Raises:
        BadConfig: somebody works on it, or the instance's event storage can't forget partitions.
    """
    wanted, variant = removal.wanted, removal.variant
    busy = find_work_in_progress(wanted.narrow(variants=[variant]) if variant else wanted, instance)
    if busy.variants if variant else busy.comparison:
        who = variant or f"what covers the variants of study {wanted.name}"
        raise BadConfig(f"{who} is being worked on", "stop it first: its page below /tdw/ has Stop")
    try:
        instance.event_log_storage.wipe_asset_partitions(wanted.checkpoint, [])
    except NotImplementedError:
        raise BadConfig(
            "this Dagster instance can't forget what it has recorded of a partition",
            "use the event log storage of dagster_home/dagster.yaml in its dagster.yaml",
        ) from None


@contextlib.contextmanager
def _alone(store: Store, removal: StudyRemoval) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        for stage in _STAGES:
            where = removal.variant or removal.wanted.study.folder
            held.enter_context(store.lock(removal.files.family, where, stage, wait_s=0.0))
        yield


def _stop(wanted: WantedAssets, instance: dg.DagsterInstance, stage: str, variant: str) -> str:
    """Have automation leave it alone until a person asks for it: as after a run that a person has stopped.

    Returns the run's id.
    """
    run = instance.add_run(
        dg.DagsterRun(job_name=wanted.named(stage), tags=purpose(wanted, stage=stage, variant=variant))
    )
    instance.report_run_canceled(
        run, message="What this made was removed; it stays so until somebody asks for it."
    )
    return run.run_id


def _recorded(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[str]:
    """Every partition of an asset that the event log names."""
    log = instance.event_log_storage
    return sorted({name for kind in _KINDS for name in log.get_latest_storage_id_by_partition(key, kind)})


def _is_of(partition: str, variant: str, epochs: Collection[int] | None, kept: Collection[int]) -> bool:
    cell = read_cell(partition)
    if cell is None:
        return partition == variant and epochs is None
    return cell[0] == variant and (epochs is None or cell[1] in epochs) and cell[1] not in kept
