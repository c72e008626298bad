"""Asset events of many cells, written in batches and streamed while an op works.

Dagster's own ways of reporting one event a partition cost 10-70 ms each or wait until the op ends. Here an op
yields one `AssetMaterialization` per finished cell; a thread writes them about 100 at a time or every ten
seconds, whichever comes first, so that neither disk nor event log holds up the computation.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

import dagster as dg

from tdw_resources.dagster_internals import (
    AssetMaterializationPlannedData,
    DagsterEventBatchMetadata,
    StepMaterializationData,
    generate_event_batch_id,
)

BATCH_CELLS = 100
BATCH_SECONDS = 10.0
Context = dg.AssetExecutionContext
T = TypeVar("T")


def report_materializations(context: Context, materializations: Sequence[dg.AssetMaterialization]) -> None:
    """Write one event a materialization, now, in one batch."""
    step = context.get_step_execution_context()
    _report(
        context,
        [
            dg.DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
                job_name=step.job_name,
                step_handle=step.step.handle,
                node_handle=step.step.node_handle,
                step_kind_value=step.step.kind.value,
                logging_tags=step.event_tags,
                event_specific_data=StepMaterializationData(materialization),
                message="Materialized value.",
                pid=os.getpid(),
            )
            for materialization in materializations
        ],
    )


def report_planned(context: Context, cells: Iterable[tuple[dg.AssetKey, str]]) -> None:
    """Announce (asset, partition) pairs as in progress, for a run that deferred its own announcement.

    Cells that are announced and not materialized when the run ends show as failed.
    """
    step_key = context.get_step_execution_context().step.key
    _report(
        context,
        [
            dg.DagsterEvent.build_asset_materialization_planned_event(
                context.run.job_name, step_key, AssetMaterializationPlannedData(key, partition=partition)
            )
            for key, partition in cells
        ],
    )


def _report(context: Context, events: Sequence[dg.DagsterEvent]) -> None:
    batch = generate_event_batch_id()
    for at, event in enumerate(events, 1):
        context.instance.report_dagster_event(
            event, context.run.run_id, batch_metadata=DagsterEventBatchMetadata(batch, at == len(events))
        )


class MaterializationStream(Generic[T]):
    """Collects what was finished and records it behind the op's back; leaving the `with` records the rest.

    An error of the event log is raised to the op at its next `add`, or on leaving.

    Args:
        context: the op's.
        build: finished things -> groups of materializations; each group is written before the next is built,
            so that one can point at another.
    """

    def __init__(
        self, context: Context, build: Callable[[Sequence[T]], Iterable[Sequence[dg.AssetMaterialization]]]
    ) -> None:
        self._context = context
        self._build = build
        self._waiting: list[T] = []
        self._since = time.monotonic()
        self._writer: threading.Thread | None = None
        self._error: BaseException | None = None

    def add(self, finished: T) -> None:
        """Take one finished thing; its file must be committed before."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(finished)
        if len(self._waiting) >= BATCH_CELLS or time.monotonic() - self._since >= BATCH_SECONDS:
            self.flush(wait=False)

    def flush(self, *, wait: bool = True) -> None:
        """Start writing what has been collected; with `wait`, return when it is written."""
        self._join()
        if self._waiting:
            batch, self._waiting = self._waiting, []
            self._writer = threading.Thread(target=self._write, args=(batch,), name="tdw-events")
            self._writer.start()
        if wait:
            self._join()

    def __enter__(self) -> MaterializationStream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def _write(self, batch: Sequence[T]) -> None:
        try:
            for group in self._build(batch):
                report_materializations(self._context, group)
        except BaseException as error:
            self._error = error

    def _join(self) -> None:
        if self._writer is not None:
            self._writer.join()
            self._writer = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error
