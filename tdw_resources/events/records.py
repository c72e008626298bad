"""The event log as the record of what was made, and by what: `tdw.inventory` asks, event tags answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from tdw.integrity.against_records import BEFORE_STUDIES, Cell
from tdw.inventory.cells import VariantGaps
from tdw.inventory.disputes import Dispute, Recorded, find_disputes
from tdw.inventory.plan import Inventory
from tdw.inventory.products import CHECKPOINT, Product
from tdw.inventory.versions import DataVersion
from tdw.store import Store
from tdw.training.records import HISTORY
from tdw_resources.events.data_versions import read_pointers, read_version, read_versions
from tdw_resources.events.partition_keys import cell_key, read_cell
from tdw_resources.runs.liveness import STOPPED_TAG
from tdw_resources.wanted import WantedAssets

_FILTER_UP_TO = 20_000  # more keys than this: reading all of an asset is faster than asking for them
_ENDED_BADLY = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True)
class EventRecords:
    """What the latest materializations of a study's assets say.

    Studies share the files of a variant. Of the cells that a study does not want, those that another one has
    recorded count too: so a table covers every epoch of its variant, whichever study wanted it, and is the
    same for all of them.
    """

    wanted: WantedAssets
    instance: dg.DagsterInstance

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Slugs of the other studies that have recorded anything in this instance."""
        keys = [key.path for key in self.instance.get_asset_keys()]
        return tuple(sorted({path[0] for path in keys if path[1:] == [CHECKPOINT]} - {self.wanted.slug}))

    def cells(
        self, name: str, epochs: Mapping[str, Collection[int]]
    ) -> Mapping[str, Mapping[int, DataVersion]]:
        """See `tdw.inventory.records.Records`."""
        scheduled = self.wanted.epoch_set
        some = (
            len(epochs) < len(self.wanted.variants) and len(epochs) * len(self.wanted.epochs) <= _FILTER_UP_TO
        )
        keys = [cell_key(v, epoch) for v in epochs for epoch in scheduled.union(epochs[v])] if some else None
        found = self._read_cells(self.wanted.key(name), keys)
        for other in self.others:
            for variant, versions in self._read_cells(_key(other, name), keys).items():
                there = set(epochs.get(variant, ())) - scheduled
                beside = {epoch: version for epoch, version in versions.items() if epoch in there}
                if beside:
                    found[variant] = {**beside, **found.get(variant, {})}
        return found

    def _read_cells(
        self, key: dg.AssetKey, keys: Collection[str] | None
    ) -> dict[str, dict[int, DataVersion]]:
        found: dict[str, dict[int, DataVersion]] = {}
        for partition, version in read_versions(self.instance, key, keys).items():
            cell = read_cell(partition)
            if cell is not None:
                found.setdefault(cell[0], {})[cell[1]] = version
        return found

    def by_variant(self, name: str, variants: Collection[str]) -> Mapping[str, DataVersion]:
        """See `tdw.inventory.records.Records`.

        Training for any study may add evaluations to a variant's history: what was recorded last is in force.
        """
        found = read_versions(self.instance, self.wanted.key(name), variants)
        others = self.others if name == HISTORY and found else ()
        last = read_pointers(self.instance, self.wanted.key(name), found) if others else {}
        for key in (_key(other, name) for other in others):
            pointers = read_pointers(self.instance, key, found)
            for variant, version in read_versions(self.instance, key, found).items():
                if pointers[variant] > last[variant]:
                    found[variant], last[variant] = version, pointers[variant]
        return found

    def elsewhere(self, name: str, variant: str) -> list[DataVersion]:
        """See `tdw.inventory.records.Records`. Asset keys of earlier versions began with no study."""
        keys = [*(_key(other, name) for other in self.others), dg.AssetKey(name.split("/"))]
        return [version for key in keys for version in read_versions(self.instance, key, [variant]).values()]

    def recorded_cells(self, slug: str, variant: str, names: Collection[str]) -> dict[str, set[int]]:
        """Product name -> epochs of a variant that a study has recorded."""
        found = {name: self._read_cells(_key(slug, name), None).get(variant, {}) for name in names}
        return {name: set(epochs) for name, epochs in found.items() if epochs}

    def of_other(self, other: str, product: Product, variants: Collection[str]) -> Recorded:
        """What another study has recorded of a product."""
        of_cells, epochs = product.scope == "cell", self.wanted.epochs
        keys = [cell_key(v, epoch) for v in variants for epoch in epochs] if of_cells else list(variants)
        versions = read_versions(self.instance, _key(other, product.name), keys)
        return {read_cell(partition) or (partition, None): version for partition, version in versions.items()}

    def of_study(self, name: str) -> DataVersion | None:
        """See `tdw.inventory.records.Records`."""
        return read_version(self.instance, self.wanted.key(name))


def _key(study: str, name: str) -> dg.AssetKey:
    """The asset of a product of another study."""
    return dg.AssetKey([study, *name.split("/")])


def inventory_of(wanted: WantedAssets, instance: dg.DagsterInstance, store: Store) -> Inventory:
    """What a study wants, what the event log has of it, and what is in the store."""
    return Inventory(wanted, EventRecords(wanted, instance), store)


def disputes_of(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, variants: Collection[str] | None = None
) -> list[Dispute]:
    """Files that another study has made with other parameters; of some variants or all."""
    records = EventRecords(wanted, instance)
    some = wanted.variants if variants is None else variants
    return find_disputes(wanted, store, records.others, records.of_other, some)


def find_failed(
    wanted: WantedAssets, instance: dg.DagsterInstance, gaps: Mapping[str, VariantGaps]
) -> dict[str, dict[str, list[int]]]:
    """Variant -> asset name -> epochs, ascending, of cells that are not fine and failed when last tried.

    Their last attempt was announced by a run that has ended, and is not recorded since.
    """
    found: dict[str, dict[str, list[int]]] = {variant: {} for variant in gaps}
    statuses: dict[str, bool] = {}
    for name in ("checkpoint", *wanted.analyzers):
        if not any(of.cells[name].to_fill(out_of_date=True) for of in gaps.values()):
            continue  # nothing of it is left: no need to ask after every cell's attempts
        log = instance.event_log_storage
        attempts = log.get_latest_asset_partition_materialization_attempts_without_materializations(
            wanted.key(name)
        )
        for partition, (run_id, _) in attempts.items():
            variant, epoch = read_cell(partition) or ("", -1)
            if variant not in gaps or epoch not in gaps[variant].cells[name].to_fill(out_of_date=True):
                continue
            if run_id not in statuses:
                run = instance.get_run_by_id(run_id)
                stopped = run is not None and STOPPED_TAG in run.tags
                statuses[run_id] = run is None or (run.status in _ENDED_BADLY and not stopped)
            if statuses[run_id]:
                found[variant].setdefault(name, []).append(epoch)
    return {v: {name: sorted(epochs) for name, epochs in of.items()} for v, of in found.items() if of}


def read_contents(instance: dg.DagsterInstance) -> dict[Cell, dict[str, str]]:
    """Every recorded cell, table and plot -> study -> content of its latest materialization.

    Asset keys of earlier versions began with no study: their records stand under `BEFORE_STUDIES`.
    """
    found: dict[Cell, dict[str, str]] = {}
    for key in instance.get_asset_keys():
        versions = read_versions(instance, key)
        if not versions and (version := read_version(instance, key)):
            versions = {"": version}
        for partition, version in versions.items():
            variant, epoch = read_cell(partition) or (partition, None)
            for study, parts in ((key.path[0], key.path[1:]), (BEFORE_STUDIES, key.path)):
                cell = Cell("/".join(parts), variant, epoch, "" if variant else study)
                if cell.is_compared:
                    found.setdefault(cell, {})[study] = version.content
    return found
