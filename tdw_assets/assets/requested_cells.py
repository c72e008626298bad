"""What a run was asked for: exactly these cells (fill, sensor), or a range of partitions (a person)."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
from pydantic import Field

from tdw.epochs import format_epochs, parse_epochs
from tdw.errors import BadConfig, TdwError
from tdw.execution.done import Failed
from tdw.families.stored import is_variant, why_no_variant
from tdw.inventory.cells import VariantGaps
from tdw.inventory.plan import Cells
from tdw_resources.dagster_internals import DEFER_EVENTS, RANGE_END, RANGE_START
from tdw_resources.events.data_versions import read_pointers
from tdw_resources.events.partition_keys import by_variant, cell_key
from tdw_resources.wanted import WantedAssets


class CellsConfig(dg.Config):
    """Exact cells in one run, whatever their pattern. Left empty, the partitions of the run are worked on."""

    variant: str = Field(default="", description="The variant whose cells are listed.")
    cells: dict[str, list[str]] = Field(
        default={},
        description="Asset name -> epochs or ranges, such as {coarseness: ['0:1500:100', '2000']}. "
        "Only cells that are missing or out of date are computed.",
    )


@dataclass(frozen=True)
class RequestedCells:
    """The cells of one run.

    Attributes:
        cells: variant -> asset name -> epochs.
        exact: they were listed because something was missing: cells that are fine by now are left alone.
            Otherwise a person chose partitions, and green ones are computed again.
        refused: what can't be worked on, since its partition key names no variant; it holds up no other.
    """

    cells: Mapping[str, Cells]
    exact: bool
    refused: tuple[Failed, ...] = ()

    def still_asked(
        self, context: dg.AssetExecutionContext, wanted: WantedAssets, gaps: VariantGaps
    ) -> dict[str, set[int]]:
        """The cells of a variant that are still to be done."""
        cells = self.cells[gaps.variant]
        fine: Mapping[str, set[int]] = (
            {name: of.recorded.keys() - set(of.out_of_date) for name, of in gaps.cells.items()}
            if self.exact
            else done_since_asked(context, wanted, gaps.variant, cells)
        )
        return {name: set(epochs) - fine.get(name, set()) for name, epochs in cells.items()}


@contextlib.contextmanager
def as_failure() -> Iterator[None]:
    """Our own errors end a run as failures that are not retried."""
    try:
        yield
    except TdwError as error:
        raise dg.Failure(
            description=str(error),
            metadata={"what was wrong": error.what, "what to do": error.remedy},
            allow_retries=False,
        ) from error


def read_requested_cells(
    context: dg.AssetExecutionContext, config: CellsConfig, wanted: WantedAssets, *, names: Iterable[str]
) -> RequestedCells:
    """The request of a running op; `names` are its selected assets.

    Raises:
        dg.Failure: no partitions, an empty range, an epoch that can't be read. Trying again would not help.
    """
    with as_failure():
        return _without_foreign(wanted, _read(context, config, list(names)))


def _without_foreign(wanted: WantedAssets, request: RequestedCells) -> RequestedCells:
    cells = {variant: of for variant, of in request.cells.items() if is_variant(wanted.family, variant)}
    refused = [
        Failed(name, variant, error, epoch)
        for variant, of in request.cells.items()
        if (error := why_no_variant(wanted.family, variant)) is not None
        for name, epochs in of.items()
        for epoch in epochs
    ]
    return RequestedCells(cells, request.exact, tuple(refused))


def _read(context: dg.AssetExecutionContext, config: CellsConfig, selected: list[str]) -> RequestedCells:
    if config.cells:
        cells = {name: parse_epochs(config.cells[name]) for name in selected if config.cells.get(name)}
        if not config.variant or not cells:
            raise BadConfig(
                f"the run's config lists cells of {', '.join(config.cells)} for variant {config.variant!r}",
                f"name a variant, and assets that the run selects: {', '.join(selected)}",
            )
        return RequestedCells({config.variant: cells}, exact=True)
    start, end = (context.run.tags.get(tag) for tag in (RANGE_START, RANGE_END))
    if not (context.has_partition_key or (start and end)):
        raise BadConfig(
            "the run has no partitions", "choose partitions in the UI, or list cells in the run's config"
        )
    keys = list(context.partition_keys)
    if not keys:
        raise BadConfig(
            f"the range from {start} to {end} holds no partition: its end comes before its start",
            "swap the two, or choose the partitions in the UI",
        )
    return RequestedCells(
        {variant: dict.fromkeys(selected, tuple(epochs)) for variant, epochs in by_variant(keys).items()},
        exact=False,
    )


def done_since_asked(
    context: dg.AssetExecutionContext, wanted: WantedAssets, variant: str, cells: Cells
) -> dict[str, set[int]]:
    """Cells of a range that some run has materialized after this run, or the run it retries, was asked for.

    Compared by position in the event log, so a clock that jumps does no harm. So a retry leaves alone
    what the run before it has done, and so does a run that waited for another one on the same cells.
    """
    asked = _asked_at(context, wanted, variant, cells)
    if asked is None:
        return {}
    done: dict[str, set[int]] = {}
    for name, epochs in cells.items():
        keys = {cell_key(variant, epoch): epoch for epoch in epochs}
        pointers = read_pointers(context.instance, wanted.key(name), keys)
        done[name] = {keys[key] for key, pointer in pointers.items() if pointer > asked}
    return done


def _asked_at(
    context: dg.AssetExecutionContext, wanted: WantedAssets, variant: str, cells: Cells
) -> int | None:
    """Storage id at which the first run of this run's chain announced its cells."""
    root = context.run.tags.get("dagster/root_run_id") or context.run.run_id
    for name, epochs in cells.items():
        if not epochs:
            continue
        planned = context.instance.event_log_storage.get_event_records(
            dg.EventRecordsFilter(
                event_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
                asset_key=wanted.key(name),
                asset_partitions=[cell_key(variant, epochs[0])],
            )
        )
        ids = [record.storage_id for record in planned if record.run_id == root]
        if ids:
            return min(ids)
    return None


def range_tags(variant: str, epochs: Iterable[int]) -> dict[str, str]:
    """Tags of a run over exact cells of a variant: a range that covers them, announced by the run itself.

    Without the deferral, a run that fails turns every untouched green cell of the range red.
    """
    ordered = sorted(epochs)
    return {
        RANGE_START: cell_key(variant, ordered[0]),
        RANGE_END: cell_key(variant, ordered[-1]),
        DEFER_EVENTS: "true",
    }


def cells_config(variant: str, cells: Cells) -> dict[str, object]:
    """What `CellsConfig` reads, short however many epochs there are."""
    return {
        "variant": variant,
        "cells": {name: format_epochs(epochs).split(", ") for name, epochs in cells.items() if epochs},
    }
