"""From finished cells to Dagster events: metadata for people, version tags for staleness."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from tdw.inventory.versions import DataVersion
from tdw_assets.cells.wanted import Grid, cell_key
from tdw_assets.recording.versions import Input, read_pointers, read_versions, tags
from tdw_resources.events import MaterializationStream

Metadata = Mapping[str, float | int | str | dg.MetadataValue]


@dataclass(frozen=True)
class CellReport:
    """One committed cell.

    Attributes:
        name: "checkpoint" or an analyzer's name.
        code_version: as in the asset's spec.
        inputs: names of the assets it was made from, at the same variant and epoch.
    """

    name: str
    variant: str
    epoch: int
    version: DataVersion
    code_version: str
    metadata: Metadata
    inputs: tuple[str, ...] = ()


def stream_reports(context: dg.AssetExecutionContext, grid: Grid) -> MaterializationStream[CellReport]:
    """A stream that records cells while the op works."""

    def build(reports: Sequence[CellReport]) -> Iterator[list[dg.AssetMaterialization]]:
        return build_materializations(context.instance, grid, reports)

    return MaterializationStream(context, build)


def build_materializations(
    instance: dg.DagsterInstance, grid: Grid, reports: Sequence[CellReport]
) -> Iterator[list[dg.AssetMaterialization]]:
    """Materializations in groups, each to be written before the next is asked for.

    A cell's tags point at the events of its inputs, so those of the same batch have to be written first.
    """
    for group in _by_depth(reports):
        inputs = _read_inputs(instance, grid, group)
        yield [_materialization(grid, report, inputs) for report in group]


def _by_depth(reports: Sequence[CellReport]) -> Iterable[list[CellReport]]:
    """Reports whose inputs are not in the batch first, then those that need these, and so on."""
    names = {report.name: set(report.inputs) for report in reports}
    while names:
        ready = {name for name, inputs in names.items() if not inputs & names.keys()}
        if not ready:
            raise ValueError(f"assets need each other in a circle: {', '.join(names)}")
        yield [report for report in reports if report.name in ready]
        for name in ready:
            del names[name]


def _read_inputs(
    instance: dg.DagsterInstance, grid: Grid, reports: Sequence[CellReport]
) -> dict[tuple[str, str], Input]:
    """(input name, partition) -> the input as recorded."""
    wanted: dict[str, set[str]] = {}
    for report in reports:
        for name in report.inputs:
            wanted.setdefault(name, set()).add(cell_key(report.variant, report.epoch))
    found: dict[tuple[str, str], Input] = {}
    for name, partitions in wanted.items():
        key = grid.key(name)
        versions = read_versions(instance, key, partitions)
        pointers = read_pointers(instance, key, partitions)
        for partition in partitions:
            version = versions.get(partition)
            found[name, partition] = Input(
                key, str(version) if version else "INITIAL", pointers.get(partition)
            )
    return found


def _materialization(
    grid: Grid, report: CellReport, inputs: Mapping[tuple[str, str], Input]
) -> dg.AssetMaterialization:
    partition = cell_key(report.variant, report.epoch)
    return dg.AssetMaterialization(
        grid.key(report.name),
        partition=partition,
        metadata=dict(report.metadata),
        tags=tags(
            report.version,
            code_version=report.code_version,
            inputs=[inputs[name, partition] for name in report.inputs],
        ),
    )
