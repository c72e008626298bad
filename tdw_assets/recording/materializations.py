"""From finished cells to Dagster events: metadata for people, version tags for staleness."""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from tdw.execution.done import Done
from tdw_assets.assets.links import metadata_of
from tdw_resources.events.data_versions import Input, read_pointers, read_versions, tags
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.events.stream import MaterializationStream
from tdw_resources.wanted import WantedAssets


def stream_done(context: dg.AssetExecutionContext, wanted: WantedAssets) -> MaterializationStream[Done]:
    """A stream that records cells while the op works."""

    def build(cells: Sequence[Done]) -> Iterator[list[dg.AssetMaterialization]]:
        return build_materializations(context.instance, wanted, cells)

    return MaterializationStream(context, build)


def build_materializations(
    instance: dg.DagsterInstance, wanted: WantedAssets, cells: Sequence[Done]
) -> Iterator[list[dg.AssetMaterialization]]:
    """Materializations in groups, each to be written before the next is asked for.

    A cell's tags point at the events of its inputs, so those of the same batch have to be written first.
    """
    for group in _by_depth(wanted, cells):
        inputs = _read_inputs(instance, wanted, group)
        yield [
            materialization(
                wanted, done, [inputs[name, _partition(done)] for name in wanted.product(done.name).inputs]
            )
            for done in group
        ]


def _by_depth(wanted: WantedAssets, cells: Sequence[Done]) -> Iterable[list[Done]]:
    """Cells whose inputs are not in the batch first, then those that need these, and so on."""
    names = {done.name: set(wanted.product(done.name).inputs) for done in cells}
    while names:
        ready = {name for name, inputs in names.items() if not inputs & names.keys()}
        if not ready:
            raise ValueError(f"assets need each other in a circle: {', '.join(names)}")
        yield [done for done in cells if done.name in ready]
        for name in ready:
            del names[name]


def _read_inputs(
    instance: dg.DagsterInstance, wanted: WantedAssets, cells: Sequence[Done]
) -> dict[tuple[str, str], Input]:
    """(input name, partition) -> the input as recorded."""
    needed: dict[str, set[str]] = {}
    for done in cells:
        for name in wanted.product(done.name).inputs:
            needed.setdefault(name, set()).add(_partition(done))
    found: dict[tuple[str, str], Input] = {}
    for name, partitions in needed.items():
        key = wanted.key(name)
        versions = read_versions(instance, key, partitions)
        pointers = read_pointers(instance, key, partitions)
        for partition in partitions:
            version = versions.get(partition)
            found[name, partition] = Input(
                key, str(version) if version else "INITIAL", pointers.get(partition)
            )
    return found


def materialization(wanted: WantedAssets, done: Done, inputs: Iterable[Input]) -> dg.AssetMaterialization:
    """The event that records a product."""
    return dg.AssetMaterialization(
        wanted.key(done.name),
        partition=_partition(done) or None,
        metadata=metadata_of(wanted, done),
        tags=tags(done.version, code_version=wanted.product(done.name).spec, inputs=inputs),
    )


def _partition(done: Done) -> str:
    return done.variant if done.epoch is None else cell_key(done.variant, done.epoch)
